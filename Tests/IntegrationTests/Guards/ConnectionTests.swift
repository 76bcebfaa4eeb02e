import Base
import Testing

/// H5: one connection, many requests, and the older ways of HTTP.
@Suite struct ConnectionTests {
    @Test("H5: 200 requests in one write are answered in their order")
    func pipelined() throws {
        let rig = try Rig()
        let text = (0..<200).map { index in
            switch index % 4 {
            case 0: rig.server.head("GET /v1/models/none-\(index) HTTP/1.1")
            case 1:
                rig.server.head("POST /v1/chat/completions HTTP/1.1", ["Content-Length: 29"])
                    + #"{"model":"gpt-x","stream":\#(1000 + index)"#.prefix(28) + "}"
            case 2: rig.server.head("GET /health/live HTTP/1.1")
            default:
                rig.server.head("POST /v1/chat/completions HTTP/1.1", ["Content-Length: \(Body.chat.utf8.count)"])
                    + Body.chat
            }
        }.joined()
        let connection = try Connection(port: rig.server.port)
        try connection.send(text)
        for index in 0..<200 {
            let answer = try connection.readResponse()
            #expect(answer.status == [404, 400, 200, 200][index % 4], "answer \(index): \(answer.text)")
            switch index % 4 {
            case 0: #expect(answer.text.contains("none-\(index)'"), "answer \(index): \(answer.text)")
            case 2: #expect(answer.text == #"{"status":"ok"}"#)
            case 3: #expect(try answer.json()["object"].string == "chat.completion")
            default: break
            }
        }
        #expect(try connection.request("GET", "/health/live").status == 200)
        #expect(try rig.provider.calls().byRoute["/v1/chat/completions"] == 50)
    }

    @Test("H5: thousands of refused requests behind one slow one do not nest: each is answered, the server lives")
    func pipelinedRefusals() throws {
        let rig = try Rig()
        for refused in [
            "GET / HTTP/1.1\r\n\r\n", rig.server.head("POST /v1/embeddings HTTP/1.1", ["Content-Length: 0"]),
        ] {
            let count = 60_000 / refused.utf8.count
            let connection = try Connection(port: rig.server.port)
            try connection.send(
                rig.server.head("GET /health/ready HTTP/1.1") + String(repeating: refused, count: count))
            #expect(try connection.readResponse().status == 200)
            var answered = 0
            while answered < count, try connection.readResponse().status == 400 { answered += 1 }
            #expect(answered == count)
        }
        #expect(try rig.client.get("/health/live").status == 200)
    }

    @Test("H5: what follows a whole request and is no HTTP does not cost that request its answer")
    func brokenAfterRequest() throws {
        let rig = try Rig()
        let connection = try Connection(port: rig.server.port)
        try connection.send(
            rig.server.head("POST /v1/chat/completions HTTP/1.1", ["Content-Length: \(Body.chat.utf8.count)"])
                + Body.chat + "\u{1}no request\r\n\r\n")
        #expect(try connection.readResponse().status == 200)
    }

    @Test("H5: after an answer that announces the end of the connection nothing more is answered")
    func nothingAfterClose() throws {
        let server = try WeirServer.start()
        let next = server.head("GET /health/live HTTP/1.1")
        for first in [
            server.head("GET /health/live HTTP/1.1", ["Connection: close"]),
            server.head("POST /v1/chat/completions HTTP/1.1", ["Content-Length: 99999999999"]),
            server.head("GET /health/live HTTP/1.0"),
        ] {
            let answer = try server.raw(first + next + next, within: .seconds(5))
            #expect(answer.count == 1, "\(answer.text)")
            #expect(answer.text.lowercased().contains("connection: close"), "\(answer.text)")
            #expect(answer.end != .timedOut)
        }
    }

    @Test("H5: a refusal without a body to wait for keeps the connection open")
    func refusalKeepsConnection() throws {
        let server = try WeirServer.start()
        let connection = try Connection(port: server.port)
        for (path, status) in [("/none", 404), ("/keys", 401), ("/health/live", 200), ("/status", 401)] {
            let answer = try connection.request("GET", path)
            #expect(answer.status == status)
            #expect(answer.header("Connection") == nil)
        }
        #expect(try connection.request("DELETE", "/health/live").status == 405)
    }

    @Test("H5: fifty requests over one connection are one connection, to Weir and to the provider")
    func keepAlive() throws {
        let rig = try Rig()
        let connection = try Connection(port: rig.server.port)
        for _ in 0..<50 {
            #expect(try connection.request("POST", "/v1/chat/completions", body: Body.chat).status == 200)
        }
        #expect(try rig.server.metric("weir_connections_accepted_total") == 2)  // and the one that asks
        #expect(try rig.provider.calls().connectionsOpened == 2)
    }

    @Test("H5: HTTP/1.0 gets answers without chunks, and the end of the connection as their end")
    func http10() throws {
        let rig = try Rig()
        let plain = try rig.server.raw(rig.server.head("GET /health/live HTTP/1.0"), within: .seconds(5))
        #expect(plain.text.hasPrefix("HTTP/1.0 200 OK\r\n"))
        #expect(plain.body == #"{"status":"ok"}"#)
        #expect(plain.end == .closed)
        let stream = try rig.server.raw(
            rig.server.head("POST /v1/chat/completions HTTP/1.0", ["Content-Length: \(Body.chatStream.utf8.count)"])
                + Body.chatStream, within: .seconds(5))
        #expect(stream.status == 200)
        #expect(!stream.text.lowercased().contains("transfer-encoding"))
        #expect(stream.body.hasPrefix("data: "))
        #expect(stream.body.hasSuffix("data: [DONE]\n\n"))
        #expect(stream.end == .closed)
    }

    @Test("H5: HEAD is GET without its body, with the same length")
    func head() throws {
        let server = try WeirServer.start()
        let connection = try Connection(port: server.port)
        for path in ["/health/live", "/", "/openapi.json", "/none"] {
            let get = try connection.request("GET", path)
            let head = try connection.request("HEAD", path)
            #expect(head.status == get.status, "\(path)")
            #expect(head.body.isEmpty)
            #expect(head.header("Content-Type") == get.header("Content-Type"))
            if get.status == 200 { #expect(head.header("Content-Length") == get.header("Content-Length"), "\(path)") }
        }
        #expect(try connection.request("GET", "/health/live").text == #"{"status":"ok"}"#)
    }

    @Test("H5: Expect: 100-continue is answered before the body is sent")
    func expectContinue() throws {
        let rig = try Rig()
        let connection = try Connection(port: rig.server.port)
        try connection.send(
            rig.server.head(
                "POST /v1/chat/completions HTTP/1.1",
                ["Expect: 100-continue", "Content-Length: \(Body.chat.utf8.count)"]))
        #expect(try connection.readHead().line == "HTTP/1.1 100 Continue")
        try connection.send(Body.chat)
        #expect(try connection.readResponse().status == 200)
    }

    @Test("H1: 405 names the methods that are allowed")
    func allowHeader() throws {
        let server = try WeirServer.start()
        let answer = try server.client.request("PATCH", "/keys")
        #expect(answer.status == 405)
        let allowed = Set((answer.header("Allow") ?? "").split(separator: ",").map { $0.filter { $0 != " " } })
        #expect(allowed == ["GET", "HEAD", "POST"])
    }

    @Test("R10: a thousand connections opened and dropped leave no descriptor behind")
    func churn() throws {
        let server = try WeirServer.start()
        let client = server.client
        for _ in 0..<10 { _ = try client.get("/health/live") }
        let before = names(in: "/proc/\(server.pid)/fd").count
        for index in 0..<1_000 {
            let connection = try Connection(port: server.port)
            switch index % 4 {
            case 0: connection.reset()
            case 1: connection.close()
            case 2:
                try connection.send("GET /health/live HTTP/1.1\r\nHost:")
                connection.reset()
            default: #expect(try connection.request("GET", "/health/live").status == 200)
            }
        }
        #expect(eventually { names(in: "/proc/\(server.pid)/fd").count <= before + 2 })
        #expect(try eventually { try server.metric("weir_connections_open") == 1 })
    }
}
