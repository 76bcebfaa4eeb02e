import Base
import Testing

/// Items 16 and 19: a provider that fails within its answer is never passed off as one that did not.
@Suite struct BrokenProviderTests {
    private static let cuts = ["reset=2500", "close=2501", "close=2900", "truncate,no-done", "bad-chunk,no-done"]

    @Test(
        "item 16: a provider that dies in the middle of a stream gives the dialect's error event and no false end",
        arguments: StreamKind.allCases, cuts)
    func diesInTheMiddle(kind: StreamKind, cut: String) throws {
        // Local servers leave out [DONE] after a finish reason: then the answer is whole for a chat.
        if kind == .chat && cut.contains("no-done") { return }
        let rig = try Rig()
        let (head, stream) = try rig.client.stream(kind.path, kind.body, simulate: "tokens=40,tps=400,\(cut)")
        var reader = stream
        let events = try reader.rest()
        #expect(head.status == 200)
        #expect(reader.brokenEnd == nil, "our own framing ends in order")
        try expectErrorEvent(events, kind)
        #expect(!events.contains { $0.contains(kind.terminal) })
        let row = try rig.server.ledgerRow(head.requestID)
        #expect(["connection_lost", "bad_answer"].contains(row["error"].string))
        // With only message_stop missing, Anthropic's usage has been told.
        #expect(row["usageEstimated"].bool == !(kind == .messages && cut.contains("no-done")))
        #expect(row["outputTokens"].int ?? 0 >= 2)
    }

    /// The last event is an error in the dialect; those before it are whole and are none.
    private func expectErrorEvent(_ events: [String], _ kind: StreamKind) throws {
        let last = try #require(events.last)
        let objects = try eventObjects(events)
        let error = try #require(objects.last)
        switch kind {
        case .chat:
            #expect(last.hasPrefix("data: {\"error\":"))
            #expect(error["error"]["type"].string == "server_error")
            #expect(["connection_lost", "bad_answer"].contains(error["error"]["code"].string))
        case .messages:
            #expect(last.hasPrefix("event: error\ndata: {"))
            #expect(error["type"].string == "error")
            #expect(error["error"]["type"].string == "api_error")
        case .responses:
            #expect(last.hasPrefix("event: error\ndata: {"))
            #expect(error["type"].string == "error")
            #expect(error["message"].string?.isEmpty == false)
        }
        #expect(objects.count > 2)
        #expect(objects.dropLast().allSatisfy { $0["error"].isNull && $0["type"].string != "error" })
    }

    @Test(
        "item 16: a stream that ends in order without its last event is broken, but for a chat with a finish reason",
        arguments: StreamKind.allCases)
    func endsTooSoon(kind: StreamKind) throws {
        let rig = try Rig()
        let (head, stream) = try rig.client.stream(kind.path, kind.body, simulate: "no-done")
        let events = try stream.all()
        #expect(!events.contains { $0.contains(kind.terminal) }, "nothing is made up")
        let row = try rig.server.ledgerRow(head.requestID)
        if kind == .chat {
            #expect(row["error"].isNull)
        } else {
            try expectErrorEvent(events, kind)
            #expect(row["error"].string == "connection_lost")
        }
    }

    @Test("item 16: a chat stream that ends without a finish reason is broken")
    func endsWithoutAReason() throws {
        let event =
            #"data: {"choices":[{"index":0,"delta":{"content":"\"finish_reason\":\"stop\""},"#
            + #""finish_reason":null}]}"#
        let scripted = try ScriptedProvider.start(answering: streamHead + chunk(event + "\n\n") + lastChunk)
        let server = try WeirServer.start(scripted.settings())
        let events = try server.client.stream("/v1/chat/completions", Body.chatStream).events.all()
        #expect(events.first == event + "\n\n")
        #expect(events.count == 2)
        #expect(events.last?.hasPrefix("data: {\"error\":") == true)
    }

    @Test("item 16: half an event that the provider left behind is not sent", arguments: StreamKind.allCases)
    func noTornEvent(kind: StreamKind) throws {
        let first = #"data: {"type":"message_start","choices":[{"delta":{}}]}"# + "\n\n"
        let scripted = try ScriptedProvider.start { connection in
            guard try connection.readRequest() != nil else { return }
            try connection.send(streamHead + chunk(first) + chunk("event: x\ndata: {\"type\":\"half"))
        }
        let server = try WeirServer.start(scripted.settings())
        let events = try server.client.stream(kind.path, kind.body).events.all()
        #expect(events.count == 2)
        #expect(events.first == first)
        #expect(!events.joined().contains("half"))
        #expect(events.last?.contains("connection_lost") == true || events.last?.contains("api_error") == true)
    }

    @Test("item 16: a provider that dies before its answer is 502 in the dialect", arguments: StreamKind.allCases)
    func diesBeforeTheHead(kind: StreamKind) throws {
        let rig = try Rig()
        for body in [kind.body, kind.plainBody] {
            let answer = try rig.client.post(kind.path, body, simulate: "reset=0")
            #expect(answer.status == 502)
            #expect(try kind.errorWord(answer.json()) == (kind == .messages ? "api_error" : "connection_lost"))
            #expect(try rig.server.ledgerRow(answer.requestID)["error"].string == "connection_lost")
        }
    }

    @Test(
        "item 16: a plain answer that is cut is never whole for the client",
        arguments: ["truncate", "close=100", "reset=100", "bad-chunk"])
    func plainIsCut(cut: String) throws {
        let rig = try Rig()
        let connection = try rig.client.connect()
        try connection.sendRequest(
            "POST", "/v1/chat/completions", headers: rig.client.headers([("X-Simulate", cut)]),
            body: Array(Body.chat.utf8))
        let head = try connection.readResponseHead()
        if head.status == 200 {
            #expect(throws: Connection.End.self) { try connection.readBody() }
        } else {
            #expect(head.status == 502)
            #expect(try JSON(try connection.readBody())["error"]["code"].string != nil)
        }
        let row = try rig.server.ledgerRow(head.requestID)
        #expect(["connection_lost", "bad_answer"].contains(row["error"].string))
    }

    @Test(
        "item 16: bytes after the answer and a connection that closes at once harm no later request",
        arguments: ["extra", "close-idle"])
    func afterTheAnswer(behaviour: String) throws {
        let rig = try Rig()
        for _ in 0..<5 {
            let answer = try rig.client.post("/v1/chat/completions", Body.chat, simulate: behaviour)
            #expect(answer.status == 200)
            #expect(try answer.json()["object"].string == "chat.completion")
        }
        #expect(try rig.client.post("/v1/chat/completions", Body.chat).status == 200)
    }

    @Test(
        "item 19: a stream that begins with an error is answered with that error's status",
        arguments: StreamKind.allCases)
    func errorFirst(kind: StreamKind) throws {
        let rig = try Rig()
        let answer = try rig.client.post(kind.path, kind.body, simulate: "error-first")
        #expect(answer.status == (kind == .messages ? 529 : 500))
        #expect(answer.header("content-type") == "application/json")
        let json = try answer.json()
        #expect(kind == .responses ? json["type"].string == "error" : json["error"]["message"].string != nil)
        let row = try rig.server.ledgerRow(answer.requestID)
        #expect(row["status"].int == answer.status)
        #expect(row["error"].string == "overloaded")
    }

    private static let firstErrors: [(event: String, status: Int)] = [
        (#"data: {"error":{"message":"x","type":"rate_limit_error","code":null}}"#, 429),
        (#"data: {"error":{"message":"x","code":"429"}}"#, 429), (#"data: {"error":{"message":"x","code":400}}"#, 400),
        (#"data: {"error":{"message":"x","code":"context_length_exceeded"}}"#, 400),
        (#"data: {"error":{"message":"x","type":"authentication_error"}}"#, 401), (#"data: {"error":"x"}"#, 502),
    ]

    @Test("item 19: the first error's own words decide the status", arguments: firstErrors)
    func firstErrorWords(event: String, status: Int) throws {
        let scripted = try ScriptedProvider.start(answering: streamHead + chunk(event + "\n\n") + lastChunk)
        let server = try WeirServer.start(scripted.settings())
        let answer = try server.client.post("/v1/chat/completions", Body.chatStream)
        #expect(answer.status == status)
        #expect(answer.text == String(event.dropFirst("data: ".count)))
        let again = try server.client.post("/v1/chat/completions", Body.chatStream)
        #expect(again.status == status, "the connection is fit for use")
    }

    @Test(
        "item 19: a stream that ends before its first event is 502, not an empty success",
        arguments: StreamKind.allCases)
    func emptyStream(kind: StreamKind) throws {
        let scripted = try ScriptedProvider.start(answering: streamHead + lastChunk)
        let server = try WeirServer.start(scripted.settings())
        let answer = try server.client.post(kind.path, kind.body)
        #expect(answer.status == 502)
        #expect(try kind.errorWord(answer.json())?.isEmpty == false)
    }
}
