import Base
import Testing

/// R6: a client that is slow, in whatever part of a request, is told so and let go.
@Suite struct ClientDeadlineTests {
    private static let short = "[server]\nheader-timeout = \"300ms\"\nbody-timeout = \"300ms\"\n\n"

    @Test("R6: headers that do not come in time are 408 and the end of the connection")
    func slowHeaders() throws {
        let server = try WeirServer.start(Self.short)
        for start in ["", "GET /heal", "GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Slow: "] {
            let answer = try server.raw(start, within: .seconds(5))
            #expect(answer.status == 408, "after '\(start)': \(answer.text)")
            #expect(answer.count == 1)
            #expect(answer.end == .closed)
        }
    }

    @Test("R6: headers byte by byte win no time, and a second request on a kept connection has its own deadline")
    func dripFedHeaders() throws {
        let server = try WeirServer.start(Self.short)
        let connection = try Connection(port: server.port)
        #expect(try connection.request("GET", "/health/live").status == 200)
        let started = MonotonicInstant.now()
        for byte in "GET /health/live HTTP/1.1\r\nX-Long: \(String(repeating: "a", count: 2_000))".utf8 {
            do { try connection.send([byte]) } catch { break }
            if (try? connection.read(exactly: 1, within: .milliseconds(20))) != nil { break }
        }
        #expect(connection.waitForEnd(within: .seconds(3)) != .timedOut)
        #expect(MonotonicInstant.now().duration(since: started) < .seconds(3))
    }

    @Test("R6: a body that does not come in time is 408 in the route's dialect, and no provider hears of it")
    func slowBody() throws {
        let rig = try Rig(Self.short)
        for kind in StreamKind.allCases {
            let answer = try rig.server.raw(
                rig.server.head("POST \(kind.path) HTTP/1.1", ["Content-Length: 100"]) + "{\"mod", within: .seconds(5))
            #expect(answer.status == 408)
            #expect(answer.count == 1)
            #expect(answer.end == .closed)
            let error = try JSON(answer.body)
            #expect(
                kind.errorWord(error) == (kind == .messages ? "timeout_error" : "request_timeout"), "\(answer.body)")
        }
        let key = "Authorization: Bearer \(rig.server.adminKey)"
        let own = try rig.server.raw(
            rig.server.head("POST /keys HTTP/1.1", ["Content-Length: 9", "Content-Type: application/json", key]),
            within: .seconds(5))
        #expect(own.status == 408)
        #expect(try JSON(own.body)["title"].string == "request_timeout")
        #expect(try rig.provider.calls().total == 0)
    }

    @Test("R6: a body in drops of a byte is cut by its least speed, not kept alive by each drop")
    func dripFedBody() throws {
        let server = try WeirServer.start(Self.short)
        let connection = try Connection(port: server.port)
        try connection.send(server.head("POST /v1/chat/completions HTTP/1.1", ["Content-Length: 100000"]))
        let started = MonotonicInstant.now()
        for _ in 0..<500 {
            do { try connection.send([0x20]) } catch { break }
            if (try? connection.read(exactly: 1, within: .milliseconds(10))) != nil { break }
        }
        #expect(connection.waitForEnd(within: .seconds(3)) != .timedOut)
        #expect(MonotonicInstant.now().duration(since: started) < .seconds(3))
    }

    @Test("R6: an upload that stalls on its way to a provider is cut on both sides")
    func stalledUpload() throws {
        let rig = try Rig(Self.short)
        let key = "Authorization: Bearer \(rig.server.adminKey)"
        let answer = try rig.server.raw(
            rig.server.head("POST /v1/vector_stores HTTP/1.1", ["Content-Length: 1000", key]) + "abc",
            within: .seconds(5))
        #expect(answer.end != .timedOut)
        #expect(answer.count <= 1)
        #expect(try eventually { try rig.server.metric("weir_upstream_transfers") == 0 })
        #expect(try rig.server.metric("weir_requests_active") == 0)
    }

    @Test("R6: a client that stops reading its answer is cut off, and the provider's transfer with it")
    func slowReader() throws {
        let rig = try Rig("[server]\nwrite-timeout = \"300ms\"\n\n")
        let connection = try Connection(port: rig.server.port, receiveBuffer: 4_096)
        try connection.sendRequest(
            "POST", "/v1/chat/completions", headers: [("X-Simulate", "big=30000000")], body: Array(Body.chat.utf8))
        let row = try rig.server.ledgerRow { $0["error"].string == "client_gone" }
        #expect(row["status"].int == 499)
        let (bytes, end) = connection.readToEnd()
        #expect(end != .timedOut)
        #expect(bytes.count < 30_000_000)
        #expect(try eventually { try rig.server.metric("weir_upstream_transfers") == 0 })
        #expect(try rig.client.post("/v1/chat/completions", Body.chat).status == 200)
    }

    @Test(
        "R6: a slow reader that does read gets every byte, also when the connection is to close after it",
        arguments: ["HTTP/1.1", "HTTP/1.0"])
    func slowButSteadyReader(version: String) throws {
        let rig = try Rig("[server]\nwrite-timeout = \"5s\"\n\n")
        let connection = try Connection(port: rig.server.port, receiveBuffer: 4_096)
        let fields = ["X-Simulate: big=6000000", "Connection: close", "Content-Length: \(Body.chat.utf8.count)"]
        try connection.send(rig.server.head("POST /v1/chat/completions \(version)", fields) + Body.chat)
        // The provider has sent everything before the first byte is read here.
        #expect(
            try eventually {
                try rig.server.metric("weir_requests_total", label: "chat") == 1 || rig.provider.calls().active == 1
            })
        let head = try connection.readResponseHead()
        #expect(head.status == 200)
        #expect(try connection.readBody(within: .seconds(20)).count == 6_000_000)
    }

    @Test("R5: a kept connection without a request is closed after idle-timeout")
    func idleConnection() throws {
        let server = try WeirServer.start("[server]\nidle-timeout = \"300ms\"\n")
        let connection = try Connection(port: server.port)
        #expect(try connection.request("GET", "/health/live").status == 200)
        let (bytes, end) = connection.readToEnd(within: .seconds(5))
        #expect(bytes.isEmpty)
        #expect(end == .closed)
    }

    @Test("R4: one connection more than max-connections is told 503 and closed; the others go on")
    func tooManyConnections() throws {
        let server = try WeirServer.start("[server]\nmax-connections = 3\n")
        let kept = try (0..<3).map { _ in try Connection(port: server.port) }
        for connection in kept { #expect(try connection.request("GET", "/health/live").status == 200) }
        let answer = try server.raw("", within: .seconds(5))
        #expect(answer.status == 503)
        #expect(answer.body.contains("too_many_connections"))
        #expect(answer.text.contains("Retry-After: "))
        #expect(answer.end == .closed)
        kept[0].close()
        #expect(try eventually { try server.raw(server.head("GET /health/live HTTP/1.1")).status == 200 })
        #expect(try kept[1].request("GET", "/health/live").status == 200)
    }
}
