import Base
import Testing

/// Items 28 and 15: what a provider answered and is not kept.
@Suite struct CacheDiscardTests {
    struct Case: Sendable {
        let name: String
        let reason: String?
        let kind: Route
        /// The whole answer on the wire.
        let wire: String
        var streamed = false
        /// The connection closes after it.
        var closes = false
    }

    enum Route: String, Sendable {
        case chat = "/v1/chat/completions"
        case completions = "/v1/completions"
        case embeddings = "/v1/embeddings"
        case responses = "/v1/responses"
        case messages = "/v1/messages"

        func body(_ name: String, _ streamed: Bool) -> String {
            let stream = streamed ? #","stream":true"# : ""
            return switch self {
            case .chat: question(name, stream)
            case .completions: #"{"model":"gpt-4o-mini","prompt":"\#(name)"\#(stream)}"#
            case .embeddings: #"{"model":"text-embedding-3-small","input":"\#(name)"}"#
            case .responses: #"{"model":"gpt-4o-mini","input":"\#(name)","store":false\#(stream)}"#
            case .messages:
                #"{"model":"claude-a","max_tokens":9,"messages":[{"role":"user","content":"\#(name)"}]\#(stream)}"#
            }
        }
    }

    private static func document(_ name: String, _ reason: String, _ kind: Route, _ body: String, status: Int = 200)
        -> Case
    {
        Case(name: name, reason: reason, kind: kind, wire: plainAnswer(status, body))
    }

    private static func message(_ content: String, _ stop: String) -> String {
        #"{"id":"msg_1","type":"message","role":"assistant","model":"claude-a","content":[\#(content)],"stop_reason":"\#(stop)","#
            + #""stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":4}}"#
    }

    private static func response(_ status: String, _ output: String, _ more: String = "") -> String {
        #"{"id":"resp_1","object":"response","status":"\#(status)","model":"gpt-4o-mini","output":[\#(output)]\#(more),"#
            + #""usage":{"input_tokens":3,"output_tokens":4}}"#
    }

    private static let said =
        #"{"type":"message","id":"m","role":"assistant","content":[{"type":"output_text","text":"hi"}]}"#
    private static func call(_ arguments: String) -> String {
        #""content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":\#(arguments)}}]"#
    }

    private static let openAI: [Case] = [
        document("status-500", "status", .chat, #"{"error":{"message":"no"}}"#, status: 500),
        document("status-429", "status", .chat, #"{"error":{"message":"no"}}"#, status: 429),
        document("status-400", "status", .chat, #"{"error":{"message":"no"}}"#, status: 400),
        document("status-202", "status", .chat, chatDocument("hi"), status: 202),
        document("error-200", "incomplete", .chat, #"{"error":{"message":"no"}}"#),
        document("error-beside", "incomplete", .chat, #"{"error":{"code":1},"# + chatDocument("hi").dropFirst()),
        document("no-json", "incomplete", .chat, chatDocument("hi").dropLast(3).description),
        document("no-choices", "incomplete", .chat, #"{"id":"c","object":"chat.completion","choices":[]}"#),
        document("length", "unfinished", .chat, chatDocument("hi", finish: "length")),
        document("filter", "unfinished", .chat, chatDocument("hi", finish: "content_filter")),
        document("tomorrow", "unfinished", .chat, chatDocument("hi", finish: "a_reason_of_tomorrow")),
        document("empty", "empty", .chat, chatDocument("")),
        document("null", "empty", .chat, chatDocument("", message: #""content":null"#)),
        document("refusal", "refusal", .chat, chatDocument("", message: #""content":null,"refusal":"I cannot.""#)),
        document(
            "arguments", "invalid_tool_arguments", .chat,
            chatDocument("", finish: "tool_calls", message: call(#""{\"a\":""#))),
        document(
            "no-object", "invalid_tool_arguments", .chat,
            chatDocument("", finish: "tool_calls", message: call(#""[1]""#))),
        document(
            "text-length", "unfinished", .completions, #"{"choices":[{"text":"a","index":0,"finish_reason":"length"}]}"#
        ),
        document("text-empty", "empty", .completions, #"{"choices":[{"text":"","index":0,"finish_reason":"stop"}]}"#),
        document("no-vectors", "incomplete", .embeddings, #"{"object":"list","data":[],"model":"m"}"#),
        document(
            "incomplete", "unfinished", .responses,
            response("incomplete", said, #","incomplete_details":{"reason":"max_output_tokens"}"#)),
        document(
            "failed", "incomplete", .responses,
            response("failed", "", #","error":{"code":"server_error","message":"m"}"#)),
        document("nothing", "empty", .responses, response("completed", "")),
        document(
            "part-refusal", "refusal", .responses,
            response(
                "completed", said.replacing("output_text", with: "refusal").replacing("\"text\"", with: "\"refusal\""))),
        document(
            "bad-call", "invalid_tool_arguments", .responses,
            response("completed", #"{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\""}"#)),
    ]

    private static let anthropic: [Case] = [
        document("max", "unfinished", .messages, message(#"{"type":"text","text":"hi"}"#, "max_tokens")),
        document("paused", "unfinished", .messages, message(#"{"type":"text","text":"hi"}"#, "pause_turn")),
        document("refused", "refusal", .messages, message(#"{"type":"text","text":"no"}"#, "refusal")),
        document("blank", "empty", .messages, message("", "end_turn")),
        document(
            "input", "invalid_tool_arguments", .messages,
            message(#"{"type":"tool_use","id":"t","name":"f","input":"x"}"#, "tool_use")),
        document(
            "overloaded", "status", .messages, #"{"type":"error","error":{"type":"overloaded_error"}}"#, status: 529),
        document(
            "error-message", "incomplete", .messages,
            #"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#),
    ]

    private static func stream(
        _ name: String, _ reason: String?, _ kind: Route, _ events: [String], ends: Bool = true, closes: Bool = false
    ) -> Case {
        let wire = streamHead + events.map { chunk($0) }.joined() + (ends ? lastChunk : "")
        return Case(name: name, reason: reason, kind: kind, wire: wire, streamed: true, closes: closes)
    }

    private static func named(_ type: String, _ more: String) -> String {
        "event: \(type)\ndata: {\"type\":\"\(type)\"\(more)}\n\n"
    }

    private static let whole = chatEvents(["all", " of", " it"])
    private static let anthropicStart =
        named(
            "message_start",
            #","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-a","content":[],"stop_reason":null,"#
                + #""usage":{"input_tokens":3,"output_tokens":1}}"#)
        + named("content_block_start", #","index":0,"content_block":{"type":"text","text":""}"#)
        + named("content_block_delta", #","index":0,"delta":{"type":"text_delta","text":"hi"}"#)

    private static let streams: [Case] = [
        stream("cut", nil, .chat, Array(whole.dropLast(3)), ends: false, closes: true),
        stream("cut-late", nil, .chat, Array(whole.dropLast(1)), ends: false, closes: true),
        stream("no-done", "incomplete", .chat, Array(whole.dropLast(3))),
        stream("error-first", nil, .chat, [#"data: {"error":{"message":"no","code":"server_error"}}"# + "\n\n"]),
        stream(
            "error-mid", "incomplete", .chat,
            whole.prefix(3) + [#"data: {"error":{"message":"no"}}"# + "\n\n", "data: [DONE]\n\n"]),
        stream("bad-line", "incomplete", .chat, whole.prefix(3) + ["data: {\"cut\n\n"] + whole.dropFirst(3)),
        stream("length", "unfinished", .chat, chatEvents(["a"], finish: "length")),
        stream("filter", "unfinished", .chat, chatEvents(["a"], finish: "content_filter")),
        stream("empty", "empty", .chat, chatEvents([])),
        stream(
            "arguments", "invalid_tool_arguments", .chat,
            chatEvents(["PIECE"], finish: "tool_calls").map {
                $0.replacing(
                    #""content":"PIECE""#,
                    with: #""tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{\"a\":"}}]"#)
            }),
        stream("no-stop", "incomplete", .messages, [anthropicStart]),
        stream("cut-message", nil, .messages, [anthropicStart], ends: false, closes: true),
        stream(
            "error-event", "incomplete", .messages,
            [anthropicStart, named("error", #","error":{"type":"overloaded_error","message":"m"}"#)]),
        stream(
            "max", "unfinished", .messages,
            [
                anthropicStart, named("content_block_stop", #","index":0"#),
                named("message_delta", #","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":1}"#),
                named("message_stop", ""),
            ]),
        stream(
            "failed", "incomplete", .responses, [named("response.failed", #","response":\#(response("failed", ""))"#)]),
        stream(
            "incomplete", "unfinished", .responses,
            [named("response.incomplete", #","response":\#(response("incomplete", said))"#)]),
        stream(
            "unfinished", "incomplete", .responses,
            [named("response.created", #","response":\#(response("in_progress", ""))"#)]),
    ]

    /// Asks for each case until the provider has been asked twice for it: nothing may have come from the cache.
    private func play(_ cases: [Case]) throws {
        let scripted = try ScriptedProvider.start { connection in
            while let request = try connection.readRequest() {
                let text = request.body.text
                guard
                    let item = cases.first(where: { text.contains("\"\($0.name)\"") && request.uri == $0.kind.rawValue }
                    )
                else { return }
                try connection.send(item.wire)
                if item.closes { return }
            }
        }
        let server = try WeirServer.start(scripted.settings(), caches: true)
        for (index, item) in cases.enumerated() {
            let body = item.kind.body(item.name, item.streamed)
            let asked = try eventually {
                let answer = try server.client.post(item.kind.rawValue, body)
                #expect(!answer.isHit && !answer.cacheStatus.contains("stored"), "\(item.name): \(answer.cacheStatus)")
                if !item.streamed, let reason = item.reason {
                    #expect(answer.cacheStatus == "weir; fwd=miss; detail=\(reason)", "\(item.name)")
                }
                return scripted.requests.count >= 2 * (index + 1)
            }
            #expect(asked, "\(item.name)")
        }
        for layer in ["l1", "l2", "l3"] { #expect(try server.entries(layer) == 0, "\(layer)") }
        for reason in Set(cases.compactMap(\.reason)) {
            let expected = 2 * cases.filter { $0.reason == reason }.count
            func counted() throws -> Int {
                Int(try server.metric("weir_cache_discards_total", label: "reason=\"\(reason)\""))
            }
            _ = try eventually(within: .seconds(2)) { try counted() >= expected }
            #expect(try counted() == expected, "\(reason)")
        }
    }

    @Test("item 28: documents that failed, were cut short, filtered, refused or are empty are passed on and not kept")
    func documents() throws { try play(Self.openAI) }

    @Test("item 28: Anthropic's documents likewise")
    func anthropicDocuments() throws { try play(Self.anthropic) }

    @Test("items 16 and 28: streams that broke off, ended early or hold an error are not kept")
    func brokenStreams() throws { try play(Self.streams) }
}
