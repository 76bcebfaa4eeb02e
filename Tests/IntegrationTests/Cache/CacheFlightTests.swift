import Base
import Testing

/// Item 33: identical requests at once make one call of the provider.
@Suite struct CacheFlightTests {
    /// Sends the request on a new connection and leaves its answer unread.
    static func send(_ client: HTTPClient, _ path: String, _ body: String, _ headers: [(String, String)] = []) throws
        -> Connection
    {
        let connection = try client.connect()
        try connection.sendRequest("POST", path, headers: client.headers(headers), body: Array(body.utf8))
        return connection
    }

    /// Waits until that many AI requests are under way.
    static func awaitActive(_ server: WeirServer, _ count: Int) throws {
        _ = try awaited("\(count) requests under way") {
            try server.metric("weir_requests_active") == Double(count) ? true : nil
        }
    }

    @Test("item 33: a hundred identical requests at once make one call, and each is told what it cost")
    func hundred() throws {
        let rig = try NumberedRig()
        rig.provider?.hold()
        let connections = try (0..<100).map { _ in try Self.send(rig.client, chatPath, Body.chat) }
        try Self.awaitActive(rig.server, 100)
        #expect(eventually { rig.calls == 1 })
        rig.provider?.release()
        let answers = try connections.map { try $0.readResponse() }
        #expect(answers.allSatisfy { $0.status == 200 && $0.body == answers[0].body })
        #expect(try answers[0].chatText() == "answer 1")
        #expect(answers.filter { $0.cacheStatus == "weir; fwd=miss; stored" }.count == 1)
        #expect(answers.filter { $0.cacheStatus == "weir; fwd=miss; collapsed" }.count == 99)
        #expect(answers.filter { $0.header("X-Weir-Saved") == "0.000004050" }.count == 99)
        #expect(rig.calls == 1)
        let savings = try awaited("the savings") {
            let total = try rig.client.get("/savings").json()["total"]
            return total["requests"].int == 100 ? total : nil
        }
        #expect(savings["billedRequests"].int == 1 && savings["coalescedRequests"].int == 99)
        #expect(savings["coalescedInputTokens"].int == 99 * 7 && savings["billedInputTokens"].int == 7)
        let rows = try rig.server.requests("cache=collapsed&limit=1000")
        #expect(rows.count == 99)
        #expect(rows.allSatisfy { $0["saved"].string == "0.000004050" && $0["cost"].string == "0.000000000" })
        #expect(try rig.server.metric("weir_cache_collapsed_total") == 99)
        #expect(try rig.ask(Body.chat).cacheDetail == "l1")
    }

    @Test("item 33: flags.single-flight = false lets each make its own call; switched on again, they share one")
    func switchedOff() throws {
        let rig = try NumberedRig("[flags]\nsingle-flight = false\n")
        rig.provider?.hold()
        let apart = try (0..<5).map { _ in try Self.send(rig.client, chatPath, Body.chat) }
        #expect(eventually { rig.calls == 5 })
        rig.provider?.release()
        #expect(try Set(apart.map { try $0.readResponse().chatText() }).count == 5)
        #expect(try rig.reload("[flags]\nsingle-flight = true\n"))
        rig.provider?.hold()
        let together = try (0..<5).map { _ in try Self.send(rig.client, chatPath, question("x")) }
        try Self.awaitActive(rig.server, 5)
        rig.provider?.release()
        #expect(try Set(together.map { try $0.readResponse().chatText() }) == ["answer 6"])
    }

    @Test("item 33: no flight is shared across tenants or namespaces, nor with who wants an answer of its own")
    func notShared() throws {
        let rig = try NumberedRig()
        let clients = try ["a", "b"].map { rig.server.client(key: try rig.server.createKey($0)) }
        rig.provider?.hold()
        let body = Body.chat
        let others: [(HTTPClient, [(String, String)])] = [
            (clients[0], []), (clients[1], []), (clients[0], [("X-Weir-Namespace", "n")]),
            (clients[0], [("Cache-Control", "no-cache")]),
            (clients[0], [("Cache-Control", "no-store")]), (clients[0], [("OpenAI-Project", "p")]),
        ]
        var connections: [Connection] = []
        for (index, (client, headers)) in others.enumerated() {
            connections.append(try Self.send(client, chatPath, body, headers))
            #expect(eventually { rig.calls == index + 1 }, "\(headers)")
        }
        connections.append(try Self.send(clients[0], chatPath, body))
        try Self.awaitActive(rig.server, others.count + 1)
        rig.provider?.release()
        let texts = try connections.map { try $0.readResponse().chatText() }
        #expect(texts == (1...others.count).map { "answer \($0)" } + ["answer 1"])
    }

    @Test(
        "item 33: who joins a live stream late gets all that was streamed so far, then follows, event for event",
        arguments: StreamKind.allCases)
    func lateJoiner(kind: StreamKind) throws {
        let events = try Self.liveEvents(kind)
        let cut = events.count / 2
        let gate = Gate()
        let scripted = try ScriptedProvider.start { connection in
            while try connection.readRequest() != nil {
                try connection.send(streamHead + events.prefix(cut).map { chunk($0) }.joined())
                gate.wait()
                try connection.send(events.dropFirst(cut).map { chunk($0) }.joined() + lastChunk)
            }
        }
        let server = try WeirServer.start(scripted.settings(), caches: true)
        let body =
            kind == .responses
            ? Body.responsesStream.replacing("{\"model\"", with: #"{"store":false,"model""#) : kind.body
        var readers: [EventReader] = []
        var seen: [[String]] = []
        for number in 0..<5 {
            let (head, reader) = try server.client.stream(kind.path, body)
            #expect(head.cacheStatus == (number == 0 ? "weir; fwd=miss" : "weir; fwd=miss; collapsed"))
            readers.append(reader)
            // The whole prefix, before the provider has said any more.
            seen.append(try (0..<cut).map { _ in try readers[number].next() ?? "" })
            #expect(seen[number] == Array(events.prefix(cut)))
        }
        gate.open()
        for number in 0..<5 { seen[number] += try readers[number].rest() }
        #expect(seen.allSatisfy { $0 == events })
        #expect(scripted.requests.count == 1)
        try server.awaitEntries("l1", 1)
        let (head, reader) = try server.client.stream(kind.path, body)
        #expect(head.isHit)
        #expect(try reader.all() == events)
    }

    /// A long recorded answer of that kind.
    static func liveEvents(_ kind: StreamKind) throws -> [String] {
        if kind == .chat { return chatEvents((0..<400).map { "word \($0) " }) }
        let provider = try Provider.start()
        return try provider.client.stream(kind.path, kind.body, simulate: "tokens=60").events.all()
    }

    @Test("item 33: a plain caller that joins a stream's flight gets a document, and the reverse")
    func otherShape() throws {
        let rig = try NumberedRig()
        for (index, (first, second)) in [
            (Body.chatStream, Body.chat), (question("x"), question("x", #","stream":true"#)),
        ].enumerated() {
            rig.provider?.hold()
            let leader = try Self.send(rig.client, chatPath, first)
            #expect(eventually { rig.calls == index + 1 })
            let others = try (0..<4).map { try Self.send(rig.client, chatPath, $0 == 0 ? first : second) }
            try Self.awaitActive(rig.server, 5)
            rig.provider?.release()
            let answers = try ([leader] + others).map { try $0.readResponse() }
            for (number, answer) in answers.enumerated() {
                let isStream = (number < 2) == (index == 0)
                #expect(answer.status == 200)
                #expect(answer.cacheStatus.contains("collapsed") == (number > 0), "\(answer.cacheStatus)")
                let type = answer.header("Content-Type") ?? ""
                #expect(type.hasPrefix(isStream ? "text/event-stream" : "application/json"), "\(number): \(type)")
                if isStream {
                    #expect(answer.text.hasSuffix("data: [DONE]\n\n") && !answer.text.contains("total_tokens"))
                    #expect(answer.text.contains("\(index + 1)"))
                } else {
                    #expect(try answer.chatText() == "answer \(index + 1)")
                }
            }
            #expect(rig.calls == index + 1)
        }
        let rows = try awaited("the rows") {
            let rows = try rig.server.requests("cache=collapsed")
            return rows.count == 8 ? rows : nil
        }
        #expect(rows.allSatisfy { $0["saved"].string == "0.000004050" && $0["inputTokens"].int == 7 })
    }

    @Test("items 11 and 33: in one flight each stream has its own usage gate")
    func usageGates() throws {
        let rig = try NumberedRig()
        rig.provider?.hold()
        let bodies = [Body.chatStream, Body.chatStreamWithUsage, Body.chatStream, Body.chatStreamWithUsage]
        let connections = try bodies.map { try Self.send(rig.client, chatPath, $0) }
        try Self.awaitActive(rig.server, 4)
        rig.provider?.release()
        for (body, connection) in zip(bodies, connections) {
            let text = try connection.readResponse().text
            #expect(text.contains("total_tokens") == (body == Body.chatStreamWithUsage))
            #expect(text.hasSuffix("data: [DONE]\n\n"))
        }
        #expect(rig.calls == 1)
    }
}
