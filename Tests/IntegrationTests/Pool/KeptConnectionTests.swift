import Base
import Synchronization
import Testing

/// What may go wrong on a connection that is kept: it is dead when it is needed, or it says more than it was asked.
@Suite struct KeptConnectionTests {
    @Test("a provider that closes each connection after its answer costs nobody a request")
    func closedWhileIdle() throws {
        let rig = try Rig()
        for _ in 0..<20 {
            #expect(try rig.client.post("/v1/chat/completions", Body.chat, simulate: "close-idle").status == 200)
        }
        #expect(try rig.client.post("/v1/chat/completions", Body.chat).status == 200)
        #expect(try rig.provider.calls().total == 21)
    }

    /// The first connection answers once, takes the second request and closes; later ones answer.
    private func dyingProvider() throws -> ScriptedProvider {
        try ScriptedProvider.start { connection in
            var answered = 0
            while try connection.readRequest() != nil {
                if connection.number == 0 && answered == 1 { return }
                answered += 1
                try connection.send(plainAnswer(200, #"{"from":\#(connection.number)}"#))
            }
        }
    }

    @Test("a kept connection that dies on a request: it is sent again once, the client notices nothing, it is counted")
    func resend() throws {
        let scripted = try dyingProvider()
        let server = try WeirServer.start(scripted.settings())
        #expect(try server.client.post("/v1/chat/completions", Body.chat).text == #"{"from":0}"#)
        let second = try server.client.post("/v1/chat/completions", Body.chatStream)
        #expect(second.status == 200)
        #expect(second.text == #"{"from":1}"#)
        #expect(try server.metric("weir_upstream_resends_total", label: "\"sim\"") == 1)
        #expect(try server.ledgerRow(second.requestID)["sends"].int == 2)
        let bodies = scripted.requests.map(\.body)
        #expect(bodies.count == 3)
        #expect(bodies[1] == bodies[2], "the whole body goes out again")
    }

    @Test("an upload that is passed through is not sent again: 502 says that its outcome is unknown")
    func noResendOfUploads() throws {
        let scripted = try dyingProvider()
        let server = try WeirServer.start(scripted.settings())
        #expect(try server.client.post("/v1/vector_stores", "{}").status == 200)
        let second = try server.client.post("/v1/vector_stores", "{}")
        #expect(second.status == 502)
        let code = try second.json()["error"]["code"].string ?? ""
        #expect(["unknown_outcome", "connection_lost"].contains(code), "\(second.text)")
        #expect(scripted.requests.count == 2)
    }

    @Test("with an Idempotency-Key and for GET it is sent again")
    func resendOfSafeCalls() throws {
        for method in ["GET", "DELETE"] {
            let scripted = try dyingProvider()
            let server = try WeirServer.start(scripted.settings())
            let fields = method == "DELETE" ? [("Idempotency-Key", "1")] : []
            for number in 0..<2 {
                let answer = try server.client.request(method, "/v1/vector_stores/vs_1", headers: fields)
                #expect(answer.text == #"{"from":\#(number)}"#, "\(method): \(answer.status)")
            }
            #expect(scripted.requests.count == 3)
        }
    }

    @Test("a provider that closes every connection unanswered is 502, after two tries at most")
    func alwaysClosing() throws {
        let scripted = try ScriptedProvider.start { connection in _ = try connection.readRequest() }
        let server = try WeirServer.start(scripted.settings())
        let answer = try server.client.post("/v1/chat/completions", Body.chat)
        #expect(answer.status == 502)
        #expect(try answer.json()["error"]["code"].string == "connection_lost")
        #expect(scripted.requests.count <= 2)
    }

    @Test("U2: an answer that nobody asked for, staged behind the real one, never answers the next request")
    func stagedAnswer() throws {
        let rig = try Rig()
        for round in 0..<50 {
            let first = try rig.client.post("/v1/chat/completions", Body.chat, simulate: "extra")
            let second = try rig.client.post("/v1/messages", Body.messages)
            let third = try rig.client.post("/v1/chat/completions", Body.chat)
            #expect(try first.json()["object"].string == "chat.completion", "round \(round)")
            #expect(try second.json()["type"].string == "message", "round \(round)")
            #expect(try third.json()["object"].string == "chat.completion", "round \(round): \(third.text)")
        }
        for _ in 0..<10 {
            let (_, stream) = try rig.client.stream("/v1/chat/completions", Body.chatStream, simulate: "extra")
            var events = stream
            #expect(try events.rest().last == "data: [DONE]\n\n")
            #expect(try rig.client.post("/v1/chat/completions", Body.chat).json()["object"].string == "chat.completion")
        }
    }

    @Test("U2: nor does one that comes later, while the connection lies idle")
    func lateAnswer() throws {
        let staged = Shared(0)
        let scripted = try ScriptedProvider.start { connection in
            while try connection.readRequest() != nil {
                try connection.send(plainAnswer(200, #"{"right":true}"#))
                try connection.send(plainAnswer(200, #"{"right":false}"#))
                staged.value.withLock { $0 += 1 }
            }
        }
        let server = try WeirServer.start(scripted.settings())
        for round in 0..<50 {
            let answer = try server.client.post("/v1/chat/completions", Body.chat)
            #expect(answer.text == #"{"right":true}"#, "round \(round)")
            #expect(eventually { staged.now == round + 1 })
        }
        #expect(scripted.connections == 50, "none of these connections may be used again")
    }

    @Test("U3: nothing of one request is left for the next: key, headers, body, method")
    func cleanHandles() throws {
        let rig = try Rig(lines: "max-connections = 1\nkey = \"env:KEY\"", environment: ["KEY": "sim-key"])
        _ = try rig.client.post(
            "/v1/chat/completions", Body.chat,
            headers: [("X-Trace", "one"), ("OpenAI-Organization", "org-1"), ("Idempotency-Key", "i")])
        _ = try rig.client.request("DELETE", "/v1/vector_stores/x")
        let last = try rig.provider.last()
        #expect(last.method == "DELETE")
        #expect(last.bodyBytes == 0)
        #expect(
            last.header("X-Trace") == nil && last.header("OpenAI-Organization") == nil
                && last.header("Idempotency-Key") == nil)
        #expect(last.header("Content-Type") == nil && last.header("Content-Length") == nil)
        #expect(last.headers.filter { $0.name.lowercased() == "authorization" }.map(\.value) == ["Bearer sim-key"])
        _ = try rig.client.get("/v1/vector_stores")
        #expect(try rig.provider.last().method == "GET")
        _ = try rig.client.request("HEAD", "/v1/vector_stores")
        #expect(try rig.provider.last().method == "HEAD")
        #expect(try rig.client.post("/v1/chat/completions", Body.chat).status == 200)
        #expect(try rig.provider.last().body.text == Body.chat)
    }
}
