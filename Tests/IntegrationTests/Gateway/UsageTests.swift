import Base
import Testing

/// Item 11: usage is always counted, and only who asked for it sees it in a stream.
@Suite struct UsageTests {
    @Test(
        "item 11: usage is asked for upstream, counted, and its chunk taken out when the client did not ask",
        arguments: ["/v1/chat/completions", "/v1/completions"])
    func injectedAndStripped(path: String) throws {
        let rig = try Rig()
        let body =
            #"{"model":"gpt-4o-mini","stream":true,"n":2,"prompt":"hi","#
            + #""messages":[{"role":"user","content":"hi"}]}"#
        let (head, stream) = try rig.client.stream(path, body, simulate: "tokens=7")
        var reader = stream
        let events = try reader.rest()
        let sent = try rig.provider.last().body.text
        #expect(sent == body.replacing("true,", with: #"true,"stream_options":{"include_usage":true},"#))
        let direct = try rig.direct.stream(path, sent, simulate: "tokens=7").events.all()
        #expect(events == direct.filter { !$0.contains("\"total_tokens\"") })
        #expect(events.count == direct.count - 1)
        #expect(events.last == "data: [DONE]\n\n")
        let row = try rig.server.ledgerRow(head.requestID)
        #expect(row["outputTokens"].int == 14)
        #expect(row["usageEstimated"].bool == false)
        #expect(row["cost"].string != nil)
    }

    @Test("item 11: a client that asks for usage gets it, and its body is not touched")
    func askedForIsKept() throws {
        let rig = try Rig()
        let (head, stream) = try rig.client.stream(
            "/v1/chat/completions", Body.chatStreamWithUsage, simulate: "tokens=5")
        var reader = stream
        let objects = try eventObjects(try reader.rest())
        #expect(try rig.provider.last().body.text == Body.chatStreamWithUsage)
        #expect(objects.last?["choices"].elements.isEmpty == true)
        #expect(objects.last?["usage"]["completion_tokens"].int == 5)
        #expect(try rig.server.ledgerRow(head.requestID)["outputTokens"].int == 5)
    }

    private static let spellings: [(written: String, sent: String)] = [
        (#""stream_options":{"include_usage":false}"#, #""stream_options":{"include_usage":true}"#),
        (#""stream_options":{}"#, #""stream_options":{"include_usage":true}"#),
        (#""stream_options": { } "#, #""stream_options": {"include_usage":true } "#),
        (#""stream_options":null"#, #""stream_options":{"include_usage":true}"#),
        (
            #""stream_options":{"include_obfuscation":false}"#,
            #""stream_options":{"include_usage":true,"include_obfuscation":false}"#
        ),
    ]

    @Test(
        "item 11: every way of not asking is changed into asking, as valid JSON, and stripped again",
        arguments: spellings.indices)
    func everySpelling(index: Int) throws {
        let rig = try Rig()
        let (written, sent) = Self.spellings[index]
        let body = #"{"model":"gpt-4o","stream":true,\#(written),"messages":[{"role":"user","content":"h"}]}"#
        let (head, stream) = try rig.client.stream("/v1/chat/completions", body)
        var reader = stream
        let objects = try eventObjects(try reader.rest())
        let upstream = try rig.provider.last().body
        #expect(try JSON(upstream)["stream_options"]["include_usage"].bool == true)
        #expect(upstream.text == body.replacing(written, with: sent))
        #expect(head.status == 200)
        #expect(!objects.isEmpty && objects.allSatisfy { !$0["choices"].elements.isEmpty })
        #expect(try rig.server.ledgerRow(head.requestID)["usageEstimated"].bool == false)
    }

    @Test("item 11: a request that does not stream is not given stream_options")
    func plainIsUntouched() throws {
        let rig = try Rig()
        for body in [Body.chat, Body.chat.replacing("}]}", with: #"}],"stream":false}"#)] {
            let answer = try rig.client.post("/v1/chat/completions", body)
            #expect(try rig.provider.last().body.text == body)
            let row = try rig.server.ledgerRow(answer.requestID)
            #expect(row["outputTokens"].int == (try answer.json())["usage"]["completion_tokens"].int)
            #expect(answer.header("X-Weir-Cost") == row["cost"].string)
        }
    }

    @Test("item 11: usage that comes in a chunk with a choice is counted, and the chunk stays")
    func usageBesideAChoice() throws {
        let rig = try Rig()
        let (head, stream) = try rig.client.stream(
            "/v1/chat/completions", Body.chatStream, simulate: "usage-delta,tokens=6")
        var reader = stream
        #expect(try reader.rest().contains { $0.contains("\"total_tokens\"") })
        let row = try rig.server.ledgerRow(head.requestID)
        #expect(row["outputTokens"].int == 6)
        #expect(row["usageEstimated"].bool == false)
    }

    @Test("item 11: without usage from the provider it is estimated and marked", arguments: StreamKind.allCases)
    func estimated(kind: StreamKind) throws {
        let rig = try Rig()
        for body in [kind.body, kind.plainBody] {
            let answer = try rig.client.post(kind.path, body, simulate: "no-usage,tokens=12")
            #expect(answer.status == 200)
            let row = try rig.server.ledgerRow(answer.requestID)
            #expect(row["usageEstimated"].bool == true)
            #expect(row["inputTokens"].int == body.utf8.count / 4)
            // One event is about a token: the opening and closing ones may count.
            let tokens = try #require(row["outputTokens"].int)
            if body == kind.body { #expect((12...14).contains(tokens), "\(tokens)") } else { #expect(tokens > 0) }
        }
    }

    @Test("item 11: chunks whose choices are missing or odd break nothing")
    func oddChunks() throws {
        let events = [
            #"data: {"choices":null}"#, #"data: {"choices":[],"usage":null}"#, #"data: {"id":"a"}"#,
            "data: [1]", "data:",
            #"data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}],"usage":{"prompt_tokens":1}}"#,
            #"data: {"choices":[{"delta":{}, "finish_reason" : "stop"}],"usage":{"completion_tokens":2}}"#,
            #"data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#, "data: [DONE]",
        ]
        let scripted = try ScriptedProvider.start(
            answering: streamHead + events.map { chunk($0 + "\n\n") }.joined() + lastChunk)
        let server = try WeirServer.start(scripted.settings())
        let (head, stream) = try server.client.stream("/v1/chat/completions", Body.chatStream)
        var reader = stream
        #expect(try reader.rest() == (events[..<7] + events[8...]).map { $0 + "\n\n" })
        let row = try server.ledgerRow(head.requestID)
        #expect(row["inputTokens"].int == 3)
        #expect(row["outputTokens"].int == 4)
    }
}

extension EventReader {
    /// All events of a stream that is read here only.
    func all() throws -> [String] {
        var copy = self
        return try copy.rest()
    }
}
