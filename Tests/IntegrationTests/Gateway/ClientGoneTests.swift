import Base
import Testing

/// Item 15: nobody waits for the answer any more.
@Suite struct ClientGoneTests {
    private static let beforeFirstToken = ["hang", "latency=60s", "first-token=60s"]

    /// Sends a request and returns once the provider has begun to work on it.
    private func begin(_ rig: Rig, _ kind: StreamKind, _ body: String, _ simulate: String) throws -> Connection {
        let connection = try rig.client.connect()
        let headers = rig.client.headers([("X-Simulate", simulate)])
        try connection.sendRequest("POST", kind.path, headers: headers, body: Array(body.utf8))
        #expect(try eventually { try rig.provider.calls().active == 1 })
        return connection
    }

    /// The provider's transfer has ended, and the ledger says why.
    private func expectCancelled(_ rig: Rig) throws -> JSON {
        let began = MonotonicInstant.now()
        #expect(try eventually { try rig.provider.calls().active == 0 })
        #expect(MonotonicInstant.now().duration(since: began) < .seconds(2), "at once, not at a deadline")
        #expect(try rig.provider.calls().cancelled == 1)
        let row = try rig.server.ledgerRow { $0["status"].int == 499 }
        #expect(row["error"].string == "client_gone")
        return row
    }

    @Test(
        "item 15: a client that goes before the first token ends the provider's work at once, plain and streamed",
        arguments: StreamKind.allCases, beforeFirstToken)
    func goneEarly(kind: StreamKind, simulate: String) throws {
        let bodies = simulate == "first-token=60s" ? [kind.body] : [kind.body, kind.plainBody]
        for (index, body) in bodies.enumerated() {
            let rig = try Rig()
            let connection = try begin(rig, kind, body, simulate)
            if index == 0 { connection.close() } else { connection.reset() }
            let row = try expectCancelled(rig)
            #expect(row["stream"].bool == (body == kind.body))
            // Anthropic's first event has told the input already.
            let isTold = kind == .messages && simulate == "first-token=60s"
            #expect(row["usageEstimated"].bool == !isTold)
            #expect(row["inputTokens"].int == (isTold ? 8 : body.utf8.count / 4))
        }
    }

    @Test(
        "item 15: a client that goes in the middle of a stream ends it, and what was made so far is counted",
        arguments: StreamKind.allCases)
    func goneInTheMiddle(kind: StreamKind) throws {
        let rig = try Rig()
        let connection = try begin(rig, kind, kind.body, "stall=5")
        #expect(try connection.readResponseHead().status == 200)
        var reader = EventReader(connection)
        var seen = 0
        while seen < 5, let event = try reader.next() {
            if ["_delta", ".delta", #""delta":{"content""#].contains(where: event.contains) { seen += 1 }
        }
        connection.close()
        let row = try expectCancelled(rig)
        let tokens = try #require(row["outputTokens"].int)
        #expect((5...7).contains(tokens), "\(tokens)")
    }

    @Test("item 15: a client that goes in the middle of a plain answer ends it")
    func goneInThePlainBody() throws {
        let ended = Gate()
        let scripted = try ScriptedProvider.start { connection in
            guard try connection.readRequest() != nil else { return }
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
            try connection.send(head + "{\"id\":")
            if connection.waitForEnd() != .timedOut { ended.open() }
        }
        let server = try WeirServer.start(scripted.settings())
        let connection = try server.client.connect()
        try connection.sendRequest(
            "POST", "/v1/chat/completions", headers: server.client.headers(), body: Array(Body.chat.utf8))
        #expect(try connection.readResponseHead().status == 200)
        connection.close()
        #expect(ended.wait(within: .seconds(2)))
        #expect(try server.ledgerRow { $0["status"].int == 499 }["error"].string == "client_gone")
    }

    @Test("item 15: a client that goes while it waits for a connection never reaches the provider")
    func goneInTheWaitingLine() throws {
        let rig = try Rig(lines: "max-connections = 1")
        let first = try begin(rig, .chat, Body.chatStream, "stall=1")
        let second = try rig.client.connect()
        try second.sendRequest(
            "POST", "/v1/chat/completions", headers: rig.client.headers(), body: Array(Body.chat.utf8))
        #expect(try eventually { try rig.server.metric("weir_requests_active") >= 2 || rig.provider.calls().total > 1 })
        second.close()
        #expect(try rig.server.ledgerRow { $0["status"].int == 499 }["stream"].bool == false)
        first.close()
        #expect(try eventually { try rig.provider.calls().active == 0 })
        #expect(try rig.client.post("/v1/chat/completions", Body.chat).status == 200)
        #expect(try rig.provider.calls().byRoute["/v1/chat/completions"] == 2)
    }

    @Test("item 15: a client that goes during its upload ends the upload")
    func goneDuringTheUpload() throws {
        let (begun, ended) = (Gate(), Gate())
        let scripted = try ScriptedProvider.start { connection in
            _ = try connection.raw.readHead()
            begun.open()
            if connection.waitForEnd() != .timedOut { ended.open() }
        }
        let server = try WeirServer.start(scripted.settings())
        let connection = try server.client.connect()
        try connection.sendRequest("POST", "/v1/uploads", headers: server.client.headers([("Content-Length", "1000")]))
        try connection.send("half of it")
        #expect(begun.wait())
        connection.close()
        #expect(ended.wait(within: .seconds(2)))
        #expect(try server.ledgerRow { $0["status"].int == 499 }["route"].string == "/v1/*")
    }
}
