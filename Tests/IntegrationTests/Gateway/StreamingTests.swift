import Base
import Testing

/// Items 9, 10 and 18: how a stream passes.
@Suite struct StreamingTests {
    @Test(
        "item 9: an event is out before the next one exists, with the headers that keep proxies from holding it",
        arguments: StreamKind.allCases)
    func firstEventAtOnce(kind: StreamKind) throws {
        let more = Gate()
        let events = ["message_start", "x"].map { "data: {\"type\":\"\($0)\",\"choices\":[]}\n\n" }
        let ending = "data: {\"type\":\"\(kind.terminal)\"}\n\ndata: [DONE]\n\n"
        let scripted = try ScriptedProvider.start { connection in
            while try connection.readRequest() != nil {
                try connection.send(streamHead + chunk(events[0]))
                more.wait()
                try connection.send(chunk(events[1]) + chunk(ending) + lastChunk)
            }
        }
        let server = try WeirServer.start(scripted.settings())
        let (head, stream) = try server.client.stream(kind.path, kind.body, headers: [("Accept-Encoding", "gzip, br")])
        var reader = stream
        #expect(head.status == 200)
        #expect(head.header("content-type") == "text/event-stream")
        #expect(head.header("x-accel-buffering") == "no")
        #expect(head.header("cache-control") == "no-cache")
        #expect(head.header("transfer-encoding") == "chunked")
        #expect(head.header("content-encoding") == nil)
        #expect(try reader.next() == events[0])
        more.open()
        #expect(try reader.next() == events[1])
        #expect(try reader.rest().count == 2)
        #expect(scripted.requests.first?.header("accept-encoding") == "identity")
    }

    @Test(
        "item 9: events are not gathered: each token is there while the simulator holds back the rest",
        arguments: StreamKind.allCases)
    func tokensAtOnce(kind: StreamKind) throws {
        let rig = try Rig()
        let (_, stream) = try rig.client.stream(kind.path, kind.body, simulate: "stall=3")
        var (reader, deltas) = (stream, 0)
        while deltas < 3, let event = try reader.next() {
            if ["_text.delta", "text_delta", #""delta":{"content""#].contains(where: event.contains) { deltas += 1 }
        }
        #expect(deltas == 3)
        #expect(throws: Connection.End.timedOut) { try reader.next(within: .milliseconds(50)) }
    }

    @Test("item 9: what a provider compresses unasked leaves decoded", arguments: StreamKind.allCases)
    func forcedGzip(kind: StreamKind) throws {
        let rig = try Rig()
        for body in [kind.plainBody, kind.body] {
            let plain = try rig.direct.post(kind.path, body)
            let answer = try rig.client.post(
                kind.path, body, headers: [("Accept-Encoding", "gzip")], simulate: "gzip=force")
            #expect(answer.status == 200)
            #expect(answer.header("content-encoding") == nil)
            #expect(answer.body == plain.body)
        }
    }

    private static let styles = [
        "crlf", "comments", "split", "missing-blank", "long-line=100000", "utf8", "bad-utf8", "malformed",
        "crlf,comments,split,utf8,tokens=8", "long-line=1000000", "drip", "tps=400",
    ]

    @Test("item 10: a stream comes through byte for byte, however it is written and cut", arguments: styles)
    func stylesPass(style: String) throws {
        let rig = try Rig()
        for kind in StreamKind.allCases {
            let direct = try rig.direct.post(kind.path, kind.body, simulate: style)
            let (head, stream) = try rig.client.stream(kind.path, kind.body, simulate: style)
            var reader = stream
            let events = try reader.rest()
            #expect(head.status == 200)
            #expect(reader.brokenEnd == nil)
            #expect(reader.bytes == direct.body, "\(kind): \(reader.bytes.count) bytes for \(direct.body.count)")
            #expect(events.contains { $0.contains(kind.terminal) })
            #expect(try rig.server.ledgerRow(head.requestID)["error"].isNull, "\(kind)")
        }
    }

    @Test("item 10: usage is counted and its chunk stripped in every style", arguments: styles)
    func stylesAreRead(style: String) throws {
        let rig = try Rig()
        let (head, stream) = try rig.client.stream("/v1/chat/completions", Body.chatStream, simulate: style)
        var reader = stream
        let events = try reader.rest()
        let spliced = try rig.provider.last().body.text
        let direct = try rig.direct.post("/v1/chat/completions", spliced, simulate: style)
        let usage = try #require(Self.events(direct.body).first { $0.contains("\"total_tokens\"") })
        #expect(!events.contains { $0.contains("\"total_tokens\"") })
        #expect(events.count == Self.events(direct.body).count - 1)
        let row = try rig.server.ledgerRow(head.requestID)
        let tokens = try JSON(try #require(eventData(usage)))["usage"]
        #expect(row["inputTokens"].int == tokens["prompt_tokens"].int)
        #expect(row["outputTokens"].int == tokens["completion_tokens"].int)
        #expect(row["usageEstimated"].bool == false)
    }

    private static func events(_ bytes: [UInt8]) -> [String] {
        bytes.text.replacing("\r\n", with: "\n").split(separator: "\n\n").map { String($0) + "\n\n" }
    }

    @Test("item 18: a stream that is silent for 15 s gets a comment or a ping, once its head is out and never before")
    func keepAlive() async throws {
        let (chat, messages, isSilent) = try await onThread { try Self.listenToSilence() }
        #expect(chat == ": keep-alive\n\n")
        #expect(messages == "event: ping\ndata: {\"type\": \"ping\"}\n\n")
        #expect(isSilent)
    }

    /// What two streams say after their first event, and whether one without any event stays silent.
    private static func listenToSilence() throws -> (chat: String?, messages: String?, isSilent: Bool) {
        let scripted = try ScriptedProvider.start { connection in
            guard let request = try connection.readRequest() else { return }
            try connection.send(streamHead)
            let first = chunk("data: {\"type\":\"first\",\"choices\":[{}]}\n\n")
            if !request.body.text.contains("early") { try connection.send(first) }
            _ = connection.waitForEnd(within: .seconds(40))
        }
        let server = try WeirServer.start(scripted.settings())
        // Started together, so that all three wait at the same time.
        var chat = try server.client.stream("/v1/chat/completions", Body.chatStream).events
        var messages = try server.client.stream("/v1/messages", Body.messagesStream).events
        let early = try server.client.connect()
        let body = Body.chatStream.replacing("hello", with: "early")
        try early.sendRequest("POST", "/v1/chat/completions", headers: server.client.headers(), body: Array(body.utf8))
        _ = try (chat.next(), messages.next())
        let said = try (chat.next(within: .seconds(20)), messages.next(within: .seconds(20)))
        do {
            _ = try early.read(exactly: 1, within: .milliseconds(200))
            return (said.0, said.1, false)
        } catch Connection.End.timedOut {
            return (said.0, said.1, true)
        }
    }
}
