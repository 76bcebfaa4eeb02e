import Testing

@testable import ResponseCache

@Suite("shapes of messages")
struct MessageShapesTests {
    private static func start(_ index: Int, _ block: String) -> String {
        #"{"type":"content_block_start","index":\#(index),"content_block":\#(block)}"#
    }
    private static func delta(_ index: Int, _ delta: String) -> String {
        #"{"type":"content_block_delta","index":\#(index),"delta":\#(delta)}"#
    }
    private static func stop(_ index: Int) -> String { #"{"type":"content_block_stop","index":\#(index)}"# }

    private static func head(_ content: String, _ stop: String, _ usage: String) -> String {
        #"{"model":"m","id":"msg_1","type":"message","role":"assistant","content":\#(content),"stop_reason":\#(stop),"stop_sequence":null,"usage":\#(usage)}"#
    }

    private static let startUsage =
        #"{"input_tokens":5,"cache_read_input_tokens":2,"output_tokens":1,"service_tier":"standard"}"#
    static let open =
        #"{"type":"message_start","message":\#(head("[]", "null", startUsage))}"#
    static let end = [
        #"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":5,"output_tokens":40}}"#,
        #"{"type":"message_stop"}"#,
    ]

    static let recorded =
        [
            open, start(0, #"{"type":"thinking","thinking":"","signature":""}"#), #"{"type":"ping"}"#,
            delta(0, #"{"type":"thinking_delta","thinking":"I wo"}"#),
            delta(0, #"{"type":"thinking_delta","thinking":"nder"}"#),
            delta(0, #"{"type":"signature_delta","signature":"sig=="}"#), stop(0),
            start(1, #"{"type":"redacted_thinking","data":"xyz"}"#), stop(1),
            start(2, #"{"type":"text","text":"","mood":1.0}"#), delta(2, #"{"type":"text_delta","text":"Look"}"#),
            delta(2, #"{"type":"citations_delta","citation":{"type":"char_location","start_char_index":0}}"#),
            delta(2, #"{"type":"text_delta","text":"!\n"}"#), stop(2),
            start(3, #"{"type":"tool_use","id":"t1","name":"f","input":{}}"#),
            delta(3, #"{"type":"input_json_delta","partial_json":""}"#),
            delta(3, #"{"type":"input_json_delta","partial_json":"{\"city\": \"Z\\u00fcr"}"#),
            delta(3, #"{"type":"input_json_delta","partial_json":"ich\", \"n\": 1.0}"}"#), stop(3),
            start(4, #"{"type":"tool_use","id":"t2","name":"g","input":{}}"#), stop(4),
        ] + end

    static let content =
        #"[{"type":"thinking","thinking":"I wonder","signature":"sig=="},{"type":"redacted_thinking","data":"xyz"},"#
        + #"{"type":"text","text":"Look!\n","mood":1.0,"citations":[{"type":"char_location","start_char_index":0}]},"#
        + #"{"type":"tool_use","id":"t1","name":"f","input":{"city": "Z\u00fcrich", "n": 1.0}},{"type":"tool_use","id":"t2","name":"g","input":{}}]"#
    static let document = head(
        content, #""tool_use""#,
        #"{"input_tokens":5,"cache_read_input_tokens":2,"output_tokens":40,"service_tier":"standard"}"#)

    @Test("thinking, text with citations, and tools come together; input keeps its spelling")
    func assemble() {
        let document = Shaped.document(Shaped.named(Self.recorded), .messages)
        #expect(canonical(document) == canonical(Self.document))
        #expect(document?.contains(#""input":{"city":"Z\u00fcrich","n":1.0}"#) == true)
        let summary = Shaped.summary(Shaped.named(Self.recorded), .events, .messages)
        #expect(summary.isComplete && !summary.isEmpty && summary.finishReasons == ["tool_use"])
        #expect(summary.inputTokens == 7 && summary.outputTokens == 40 && summary.model == "m")
    }

    @Test("a rendered stream has every event in order and comes together again")
    func render() throws {
        let events = try #require(Shaped.events(Self.document, .messages))
        #expect(canonical(Shaped.document(events, .messages)) == canonical(Self.document))
        let types = try Shaped.types(events).map { $0.replacing("content_block_", with: "") }
        #expect(
            types == [
                "message_start", "start", "delta", "delta", "stop", "start", "stop", "start", "delta", "delta", "stop",
                "start", "delta", "delta", "stop", "start", "delta", "stop", "message_delta", "message_stop",
            ])
        let objects = try Shaped.objects(events)
        #expect(
            objects[0]["message"]?["usage"]?["input_tokens"]?.count == 5
                && objects[0]["message"]?["stop_reason"]?.isNull == true)
        #expect(
            objects[11]["content_block"].map { canonical($0) }
                == #"{"id":"t1","input":{},"name":"f","type":"tool_use"}"#)
        #expect(objects[13]["delta"]?["partial_json"]?.string == #"{"city": "Z\u00fcrich", "n": 1.0}"#)
        #expect(
            objects[18]["usage"]?["output_tokens"]?.count == 40
                && objects[18]["delta"]?["stop_reason"]?.string == "tool_use")
        #expect(events.hasPrefix("event: message_start\ndata: {\"type\":\"message_start\""))
    }

    @Test("tool input that is no JSON object is told, and has no document")
    func brokenInput() {
        let broken = Shaped.named(Self.recorded.map { $0.replacing(#"\"n\": 1.0}"#, with: #"\"n\": 1.0"#) })
        #expect(Shaped.summary(broken, .events, .messages).hasInvalidToolArguments)
        #expect(Shaped.summary(broken, .events, .messages).isComplete)
        #expect(Shaped.document(broken, .messages) == nil)
    }

    @Test("what message_delta says beside the stop reason is kept")
    func messageDelta() {
        let end = [
            #"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal"}},"#
                + #""usage":{"output_tokens":2,"server_tool_use":{"web_search_requests":1}},"context_management":{"applied_edits":[]}}"#,
            #"{"type":"message_stop"}"#,
        ]
        let document = Shaped.document(Shaped.named([Self.open] + end), .messages)
        #expect(document?.contains(#""stop_details":{"type":"refusal"}"#) == true)
        #expect(document?.contains(#""context_management":{"applied_edits":[]}"#) == true)
        #expect(document?.contains(#""server_tool_use":{"web_search_requests":1}"#) == true)
        let rendered = document.flatMap { Shaped.events($0, .messages) }
        #expect(canonical(rendered.flatMap { Shaped.document($0, .messages) }) == canonical(document))
        let summary = document.map { Shaped.summary($0, .document, .messages) }
        #expect(summary?.isRefusal == true && summary?.isEmpty == true)
    }

    @Test("a delta of a sort that we do not know has no document")
    func unknownDelta() {
        let odd = Self.recorded.map { $0.replacing("citations_delta", with: "novel_delta") }
        #expect(Shaped.document(Shaped.named(odd), .messages) == nil)
    }
}
