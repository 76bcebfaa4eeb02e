import Base
import Testing

/// Items 12 to 14: what the three kinds of stream hold passes verbatim and is understood.
@Suite struct StreamShapeTests {
    private static let tools =
        #""tools":[{"type":"function","function":{"name":"weather","parameters":"#
        + #"{"type":"object","properties":{"city":{"type":"string"}}}}},{"type":"function","function":{"#
        + #""name":"time","parameters":{}}}]"#
    private static let anthropicTools =
        #""tools":[{"name":"weather","input_schema":{"type":"object","#
        + #""properties":{"city":{"type":"string"}}}},{"name":"time","input_schema":{"type":"object"}}]"#

    /// The same request past the gateway and through it.
    private func compare(_ rig: Rig, _ path: String, _ body: String) throws -> (events: [String], row: JSON) {
        let direct = try rig.direct.stream(path, body).events.all()
        let (head, stream) = try rig.client.stream(path, body)
        let events = try stream.all()
        #expect(head.status == 200)
        #expect(events == direct)
        return (events, try rig.server.ledgerRow(head.requestID))
    }

    /// An event with its name, type and further members.
    private func named(_ name: String, _ members: String) -> String {
        "event: \(name)\ndata: {\"type\":\"\(name)\",\(members)}"
    }

    private func play(_ events: [String], _ path: String, _ body: String) throws -> (events: [String], row: JSON) {
        let scripted = try ScriptedProvider.start(
            answering: streamHead + events.map { chunk($0 + "\n\n") }.joined() + lastChunk)
        let server = try WeirServer.start(scripted.settings())
        let (head, stream) = try server.client.stream(path, body)
        let received = try stream.all()
        #expect(received == events.map { $0 + "\n\n" })
        return (received, try server.ledgerRow(head.requestID))
    }

    @Test("item 12: an Anthropic stream keeps its order from message_start to message_stop")
    func messagesOrder() throws {
        let (events, row) = try compare(Rig(), "/v1/messages", Body.messagesStream)
        let names = events.compactMap { $0.split(separator: "\n").first?.dropFirst("event: ".count) }
        #expect(names.first == "message_start")
        #expect(names.suffix(3) == ["content_block_stop", "message_delta", "message_stop"])
        let objects = try eventObjects(events)
        let delta = try #require(objects.last { $0["type"].string == "message_delta" })
        #expect(row["outputTokens"].int == delta["usage"]["output_tokens"].int)
        #expect(row["usageEstimated"].bool == false)
        #expect(row["modelAnswered"].string == "claude-sonnet-4-5")
    }

    @Test("item 12: tool_use blocks and their partial_json pass verbatim")
    func messagesTools() throws {
        let body =
            #"{"model":"claude-x","max_tokens":300,"stream":true,\#(Self.anthropicTools),"#
            + #""tool_choice":{"type":"any"},"messages":[{"role":"user","content":"weather in Paris?"}]}"#
        let (events, _) = try compare(Rig(), "/v1/messages", body)
        #expect(events.contains { $0.contains("tool_use") })
        #expect(events.contains { $0.contains("input_json_delta") })
    }

    @Test("item 12: thinking, signatures, unknown events pass; cache tokens that only message_delta tells are counted")
    func messagesOddities() throws {
        let events = [
            named(
                "message_start",
                #""message":{"id":"msg_1","model":"claude-y","usage":{"input_tokens":3,"#
                    + #""output_tokens":1}}"#),
            "event: ping\ndata: {\"type\": \"ping\"}",
            named("content_block_start", #""index":0,"content_block":{"type":"thinking","thinking":""}"#),
            named("content_block_delta", #""index":0,"delta":{"type":"thinking_delta","thinking":"h\u006dm"}"#),
            named("content_block_delta", #""index":0,"delta":{"type":"signature_delta","signature":"EqQB/+=="}"#),
            "event: from_the_future\nid: 7\nretry: 10\ndata: {\"type\":\"from_the_future\",\"x\":1e-9}",
            named(
                "message_delta",
                #""delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9,"#
                    + #""cache_read_input_tokens":100,"cache_creation_input_tokens":20}"#),
            "event: message_stop\ndata: {\"type\":\"message_stop\"}",
        ]
        let (_, row) = try play(events, "/v1/messages", Body.messagesStream)
        #expect(row["inputTokens"].int == 123)
        #expect(row["cachedInputTokens"].int == 100)
        #expect(row["outputTokens"].int == 9)
        #expect(row["error"].isNull)
    }

    @Test(
        "item 12: an error event in the middle passes as it came and ends the stream as failed",
        arguments: StreamKind.allCases)
    func errorInTheMiddle(kind: StreamKind) throws {
        let rig = try Rig()
        let direct = try rig.direct.stream(kind.path, kind.body, simulate: "error-mid=4").events.all()
        let (head, stream) = try rig.client.stream(kind.path, kind.body, simulate: "error-mid=4")
        let events = try stream.all()
        #expect(head.status == 200)
        #expect(events == direct)
        #expect(events.last?.contains("error") == true)
        #expect(!events.contains { $0.contains(kind.terminal) })
        #expect(try rig.server.ledgerRow(head.requestID)["error"].string == "stream_error")
    }

    @Test("item 13: tool-call deltas of several choices pass in their order")
    func toolCallDeltas() throws {
        let body =
            #"{"model":"gpt-4o","n":2,"stream":true,"stream_options":{"include_usage":true},\#(Self.tools),"#
            + #""tool_choice":"required","messages":[{"role":"user","content":"weather in Paris and Rome?"}]}"#
        let (events, row) = try compare(Rig(), "/v1/chat/completions", body)
        #expect(events.contains { $0.contains("\"tool_calls\"") })
        #expect(events.contains { $0.contains("\"finish_reason\":\"tool_calls\"") })
        #expect(row["outputTokens"].int ?? 0 > 0)
    }

    @Test("item 13: function_call, refusal, audio and logprobs deltas and interleaved choices pass verbatim")
    func oddDeltas() throws {
        let deltas = [
            #"{"index":1,"delta":{"role":"assistant","function_call":{"name":"f","arguments":""}}}"#,
            #"{"index":0,"delta":{"refusal":"I c\u0061n't"},"logprobs":{"content":[{"token":" a","#
                + #""logprob":-1.5e-3,"bytes":[32,97],"top_logprobs":[]}]}}"#,
            #"{"index":1,"delta":{"function_call":{"arguments":"{\"a\":\"\\n\""}}}"#,
            #"{"index":0,"delta":{"audio":{"id":"audio_1","data":"UklGRg==","transcript":"x","expires_at":1}}}"#,
            #"{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{}"}},{"index":0,"id":"c"}]}}"#,
            #"{"index":1,"delta":{},"finish_reason":"function_call"},{"index":0,"delta":{},"finish_reason":"stop"}"#,
        ]
        let events = deltas.map { #"data: {"id":"c","choices":[\#($0)],"usage":null}"# }
        let (_, row) = try play(events + ["data: [DONE]"], "/v1/chat/completions", Body.chatStreamWithUsage)
        #expect(row["error"].isNull)
        #expect(row["usageEstimated"].bool == true)
    }

    @Test("item 14: Responses events keep their sequence, end without [DONE], and their usage is counted")
    func responsesEvents() throws {
        let (events, row) = try compare(Rig(), "/v1/responses", Body.responsesStream)
        let objects = try eventObjects(events)
        #expect(objects.first?["type"].string == "response.created")
        #expect(objects.last?["type"].string == "response.completed")
        #expect(objects.map { $0["sequence_number"].int } == objects.indices.map { $0 })
        #expect(!events.contains { $0.contains("[DONE]") })
        #expect(row["outputTokens"].int == objects.last?["response"]["usage"]["output_tokens"].int)
        #expect(row["usageEstimated"].bool == false)
    }

    @Test("item 14: response.failed and response.incomplete are whole ends too", arguments: ["failed", "incomplete"])
    func otherEnds(end: String) throws {
        let events = [
            named("response.created", #""sequence_number":0,"response":{"id":"resp_1","model":"gpt-x"}"#),
            named("response.output_text.delta", #""sequence_number":1,"delta":"a""#),
            named(
                "response.\(end)",
                #""sequence_number":2,"response":{"id":"resp_1","model":"gpt-x","#
                    + #""usage":{"input_tokens":5,"output_tokens":6}}"#),
        ]
        let (_, row) = try play(events, "/v1/responses", Body.responsesStream)
        #expect(row["inputTokens"].int == 5)
        #expect(row["outputTokens"].int == 6)
        #expect(row["modelAnswered"].string == "gpt-x")
        #expect(row["error"].string != "connection_lost")
    }
}
