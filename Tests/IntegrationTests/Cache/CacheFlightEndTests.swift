import Base
import Glibc
import Testing

/// Items 15, 16 and 33: what becomes of a flight when its leader, its followers or its provider go.
@Suite struct CacheFlightEndTests {
    private typealias Flight = CacheFlightTests

    /// Starts an answer, waits, and ends it. `ended` opens when the other side goes first.
    private func provider(_ events: [String], _ gate: Gate, _ gone: Gate = Gate()) throws -> ScriptedProvider {
        try ScriptedProvider.start { connection in
            while let request = try connection.readRequest() {
                guard request.body.text.contains(#""stream":true"#) else {
                    gate.wait()
                    try connection.send(plainAnswer(200, chatDocument("whole")))
                    continue
                }
                try connection.send(streamHead + chunk(events[0]))
                let ended = eventually { gate.wait(within: .zero) || connection.raw.isClosed }
                if !ended || connection.raw.isClosed { return gone.open() }
                try connection.send(events.dropFirst().map { chunk($0) }.joined() + lastChunk)
            }
        }
    }

    @Test(
        "items 15 and 33: the leader goes, the flight goes on, its answer is kept and billed once",
        arguments: [true, false])
    func leaderGoes(streams: Bool) throws {
        let (gate, events) = (Gate(), chatEvents(["one", "two"]))
        let scripted = try provider(events, gate)
        let server = try WeirServer.start(scripted.settings(), caches: true)
        let body = streams ? Body.chatStreamWithUsage : Body.chat
        var connections = [try Flight.send(server.client, chatPath, body)]
        #expect(eventually { scripted.requests.count == 1 })
        for count in 2...5 {
            connections.append(try Flight.send(server.client, chatPath, body))
            try Flight.awaitActive(server, count)
        }
        // The leader, and then the one who paid after it.
        for left in [4, 3] {
            connections.removeFirst().close()
            try Flight.awaitActive(server, left)
        }
        gate.open()
        for connection in connections {
            let answer = try connection.readResponse()
            #expect(answer.status == 200)
            #expect(answer.text == (streams ? events.joined() : chatDocument("whole")))
        }
        try server.awaitEntries("l1", 1)
        #expect(try server.client.post(chatPath, body).isHit)
        #expect(scripted.requests.count == 1)
        let rows = try awaited("the rows") {
            let rows = try server.requests()
            return rows.count == 6 ? rows : nil
        }
        #expect(rows.filter { $0["status"].int == 499 }.count == 2)
        let paid = rows.filter { ($0["cost"].string.flatMap { Double($0) } ?? 0) > 0 }
        #expect(paid.count == 1 && paid.first?["status"].int == 200, "\(paid)")
        #expect(paid.first?["cache"].string == "miss")
        #expect(rows.filter { $0["cache"].string == "collapsed" && $0["status"].int == 200 }.count == 2)
    }

    @Test("items 15 and 33: when all have gone the provider's work stops and nothing is kept")
    func allGo() throws {
        let (gate, gone, events) = (Gate(), Gate(), chatEvents(["one", "two"]))
        let scripted = try provider(events, gate, gone)
        let server = try WeirServer.start(scripted.settings(), caches: true)
        let connections = try (0..<3).map { _ in try Flight.send(server.client, chatPath, Body.chatStream) }
        try Flight.awaitActive(server, 3)
        for connection in connections { #expect(try connection.readResponseHead().status == 200) }
        for connection in connections.dropLast() { connection.close() }
        try Flight.awaitActive(server, 1)
        #expect(!gone.wait(within: .zero))
        connections.last?.reset()
        #expect(gone.wait(within: .seconds(2)))
        try Flight.awaitActive(server, 0)
        for layer in ["l1", "l2", "l3"] { #expect(try server.entries(layer) == 0) }
        gate.open()
        let (head, reader) = try server.client.stream(chatPath, Body.chatStreamWithUsage)
        #expect(head.cacheStatus == "weir; fwd=miss")
        #expect(try reader.all() == events)
        #expect(scripted.requests.count == 2)
    }

    @Test("items 15 and 28: a client that leaves in the middle of a plain answer leaves no part of it in the cache")
    func plainPart() throws {
        let (gate, gone) = (Gate(), Gate())
        let document = chatDocument("whole")
        let scripted = try ScriptedProvider.start { connection in
            while try connection.readRequest() != nil {
                let answer = plainAnswer(200, document)
                try connection.send(String(answer.dropLast(20)))
                if eventually({ gate.wait(within: .zero) || connection.raw.isClosed }), connection.raw.isClosed {
                    return gone.open()
                }
                try connection.send(String(answer.suffix(20)))
            }
        }
        let server = try WeirServer.start(scripted.settings(), caches: true)
        let connection = try Flight.send(server.client, chatPath, Body.chat)
        #expect(try connection.readResponseHead().status == 200)
        connection.close()
        #expect(gone.wait())
        try Flight.awaitActive(server, 0)
        #expect(try server.entries("l1") == 0)
        gate.open()
        let answer = try server.client.post(chatPath, Body.chat)
        #expect(!answer.isHit && answer.text == document)
        #expect(scripted.requests.count == 2)
    }

    @Test(
        "item 33: the provider's error reaches every follower, from one call, and is not kept",
        arguments: [500, 429, 400])
    func providerRefuses(status: Int) throws {
        let rig = try NumberedRig()
        rig.provider?.refusal.set(status)
        rig.provider?.hold()
        let bodies = [Body.chat, Body.chat, Body.chatStream, Body.chat, Body.chatStream]
        let connections = try bodies.map { body in
            let connection = try Flight.send(rig.client, chatPath, body)
            #expect(eventually { rig.calls == 1 })
            return connection
        }
        try Flight.awaitActive(rig.server, bodies.count)
        rig.provider?.release()
        for connection in connections {
            let answer = try connection.readResponse()
            #expect(answer.status == status)
            #expect(try answer.json()["error"]["code"].string == "no_\(status)", "\(answer.text)")
        }
        #expect(rig.calls == 1)
        rig.provider?.refusal.set(nil)
        #expect(try rig.text(Body.chat) == "answer 2")
    }

    @Test(
        "item 33: a provider that breaks the connection fails every follower of the one call", arguments: [false, true])
    func providerBreaks(inTheMiddle: Bool) throws {
        let gate = Gate()
        let events = chatEvents(["one", "two"])
        let scripted = try ScriptedProvider.start { connection in
            while try connection.readRequest() != nil {
                if inTheMiddle { try connection.send(streamHead + chunk(events[0])) }
                gate.wait()
                return connection.reset()
            }
        }
        let server = try WeirServer.start(scripted.settings(), caches: true)
        let connections = try (0..<6).map { _ in try Flight.send(server.client, chatPath, Body.chatStream) }
        try Flight.awaitActive(server, 6)
        gate.open()
        for connection in connections {
            let answer = try connection.readResponse()
            #expect(answer.status == (inTheMiddle ? 200 : 502))
            #expect(answer.text.contains("error") && !answer.text.contains("[DONE]"))
        }
        #expect(scripted.requests.count == 1)
        #expect(try server.entries("l1") == 0)
    }

    @Test("item 33: an answer that is not kept costs those who wanted another shape one more call, not one each")
    func discardedForOthers() throws {
        let gate = Gate()
        let scripted = try ScriptedProvider.start { connection in
            while let request = try connection.readRequest() {
                let isStream = request.body.text.contains(#""stream":true"#)
                if isStream { gate.wait() }
                try connection.send(
                    isStream
                        ? wholeStream(chatEvents(["cut"], finish: "length"))
                        : plainAnswer(200, chatDocument("cut", finish: "length")))
            }
        }
        let server = try WeirServer.start(scripted.settings(), caches: true)
        let leader = try Flight.send(server.client, chatPath, Body.chatStream)
        #expect(eventually { scripted.requests.count == 1 })
        let plain = try (0..<10).map { _ in try Flight.send(server.client, chatPath, Body.chat) }
        try Flight.awaitActive(server, 11)
        gate.open()
        #expect(try leader.readResponse().text.hasSuffix("data: [DONE]\n\n"))
        for connection in plain { #expect(try connection.readResponse().chatText() == "cut") }
        // They ask together; one that comes after that answer's end asks again, as anyone would.
        #expect((2...4).contains(scripted.requests.count), "\(scripted.requests.count)")
        #expect(try server.entries("l1") == 0)
    }

    @Test("items 17 and 33: large answers, one after the other on one kept connection, are whole and kept")
    func largeOnKeptConnection() throws {
        let rig = try Rig(caches: true)
        for number in 0..<20 {
            let answer = try rig.client.post(chatPath, question("q\(number)"), simulate: "big=400000")
            #expect(answer.status == 200 && answer.body.count == 400_000)
        }
        try rig.server.awaitEntries("l1", 20)
        for number in 0..<20 { #expect(try rig.client.post(chatPath, question("q\(number)")).isHit) }
        #expect(try rig.provider.calls().total == 20)
    }

    @Test("items 17 and 33: a slow client alone in its flight gets all of a long answer, and the next one a hit")
    func slowAlone() throws {
        let sent = Gate()
        let events = chatEvents((0..<320).map { _ in String(repeating: "x", count: 64 << 10) })
        let scripted = try ScriptedProvider.start { connection in
            while try connection.readRequest() != nil {
                try connection.send(wholeStream(events))
                sent.open()
            }
        }
        let server = try WeirServer.start(scripted.settings() + "[cache]\nentry-limit = \"64MiB\"\n", caches: true)
        let connection = try Connection(port: server.port, receiveBuffer: 32 << 10)
        try connection.sendRequest(
            "POST", chatPath, headers: server.client.headers(), body: Array(Body.chatStreamWithUsage.utf8))
        #expect(try connection.readResponseHead().status == 200)
        // Either all of it waits in the gateway now, or the provider is held back.
        sent.wait(within: .seconds(1))
        let text = try connection.readBody().text
        #expect(text.utf8.count == events.reduce(0) { $0 + $1.utf8.count })
        #expect(text.hasSuffix("data: [DONE]\n\n"))
    }

    @Test("item 33: an answer that outgrows entry-limit reaches those who follow, and others ask for themselves")
    func tooLarge() throws {
        let gate = Gate()
        let events = chatEvents((0..<40).map { "word \($0) " })
        let scripted = try ScriptedProvider.start { connection in
            while let request = try connection.readRequest() {
                guard request.body.text.contains(#""stream":true"#) else {
                    try connection.send(plainAnswer(200, chatDocument("short")))
                    continue
                }
                try connection.send(streamHead + chunk(events[0]))
                gate.wait()
                try connection.send(events.dropFirst().map { chunk($0) }.joined() + lastChunk)
            }
        }
        let server = try WeirServer.start(scripted.settings() + "[cache]\nentry-limit = \"2KiB\"\n", caches: true)
        let streams = try (0..<3).map { _ in try Flight.send(server.client, chatPath, Body.chatStreamWithUsage) }
        #expect(eventually { scripted.requests.count == 1 })
        let plain = try Flight.send(server.client, chatPath, Body.chat)
        try Flight.awaitActive(server, 4)
        gate.open()
        for connection in streams { #expect(try connection.readResponse().text == events.joined()) }
        #expect(try plain.readResponse().chatText() == "short")
        #expect(scripted.requests.count == 2)
    }
}

extension Connection {
    /// The other side has ended it. Whatever it said before is thrown away.
    var isClosed: Bool { waitForEnd(within: .zero) != .timedOut }
}
