import Testing

@testable import ResponseCache

@Suite("shapes of chat and legacy completions")
struct ChunkShapesTests {
    private static let head =
        #""id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m-1","#
        + #""service_tier":"default","system_fingerprint":"fp_1""#
    private static let usage = #"{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}"#
    private static let usageChunk = #"{\#(head),"choices":[],"usage":\#(usage)}"#

    private static func chunk(_ index: Int, _ delta: String, finish: String? = nil, more: String = "") -> String {
        let reason = finish.map { "\"\($0)\"" } ?? "null"
        return
            #"{\#(head),"choices":[{"index":\#(index),"delta":\#(delta)\#(more),"finish_reason":\#(reason)}],"usage":null}"#
    }

    private static let opening = #"{"role":"assistant","content":"","refusal":null}"#

    private static func document(_ choices: String, usage: String? = usage) -> String {
        #"{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m-1","service_tier":"default","#
            + #""system_fingerprint":"fp_1","choices":[\#(choices)]\#(usage.map { ",\"usage\":\($0)" } ?? "")}"#
    }

    static let text = [
        chunk(0, opening), chunk(0, #"{"content":"Hel"}"#), chunk(0, #"{"content":"lo \ud83d"}"#),
        chunk(0, #"{"content":"\ude00"}"#), chunk(0, "{}", finish: "stop"), usageChunk, "[DONE]",
    ]

    @Test("text comes together, escapes and all, whatever the framing", arguments: ["\n", "\r\n", "\r"])
    func text(end: String) {
        let expected = Self.document(
            #"{"index":0,"message":{"role":"assistant","content":"Hello 😀","refusal":null},"finish_reason":"stop"}"#)
        let recording = ": ping\(end)\(end)" + Shaped.stream(Self.text, end: end)
        #expect(canonical(Shaped.document(recording, .chat)) == canonical(expected))
        let folded = recording.replacing(",\"choices\"", with: ",\(end)data: \"choices\"")
        #expect(canonical(Shaped.document(folded, .chat)) == canonical(expected))
    }

    @Test("two calls in parallel, their pieces interleaved, in two choices")
    func parallelCalls() {
        func call(_ position: Int, _ arguments: String) -> String {
            #"{"tool_calls":[{"index":\#(position),"function":{"arguments":"\#(arguments)"}}]}"#
        }
        func begin(_ position: Int, _ id: String) -> String {
            let function = #"{"name":"f\#(position)","arguments":""}"#
            return
                #"{"role":"assistant","content":null,"tool_calls":[{"index":\#(position),"id":"\#(id)","type":"function","function":\#(function)}]}"#
        }
        var chunks: [String] = []
        for index in [1, 0] {
            chunks += [Self.chunk(index, begin(0, "a\(index)")), Self.chunk(index, begin(1, "b\(index)"))]
        }
        for index in [0, 1] {
            chunks += [Self.chunk(index, call(1, #"{\"x\":"#)), Self.chunk(index, call(0, #"{\"city\":\"Os"#))]
        }
        for index in [0, 1] { chunks += [Self.chunk(index, call(0, #"lo\"}"#)), Self.chunk(index, call(1, "1.0}"))] }
        for index in [0, 1] { chunks.append(Self.chunk(index, "{}", finish: "tool_calls")) }
        func choice(_ index: Int) -> String {
            let first =
                #"{"id":"a\#(index)","type":"function","function":{"name":"f0","arguments":"{\"city\":\"Oslo\"}"}}"#
            let second = #"{"id":"b\#(index)","type":"function","function":{"name":"f1","arguments":"{\"x\":1.0}"}}"#
            return
                #"{"index":\#(index),"message":{"role":"assistant","content":null,"tool_calls":[\#(first),\#(second)]},"finish_reason":"tool_calls"}"#
        }
        let document = Shaped.document(Shaped.stream(chunks + [Self.usageChunk, "[DONE]"]), .chat)
        let expected = canonical(Self.document(choice(0) + "," + choice(1)))
        #expect(canonical(document) == expected)
        let rendered = document.flatMap { Shaped.events($0, .chat) }
        #expect(canonical(rendered.flatMap { Shaped.document($0, .chat) }) == expected)
        #expect(!Shaped.summary(Shaped.stream(chunks + ["[DONE]"]), .events, .chat).hasInvalidToolArguments)
    }

    @Test("providers that give every call index 0, no index, or a whole call at once")
    func oddCalls() {
        let calls = [
            #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{"index":0,"id":"b","function":{"name":"g","arguments":"{"}}]}"#,
            #"{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}"#,
            #"{"tool_calls":[{"id":"c","function":{"name":"h","arguments":"{}"}}]}"#,
        ]
        let chunks = calls.map { Self.chunk(0, $0) } + [Self.chunk(0, "{}", finish: "tool_calls"), "[DONE]"]
        let expected =
            #"[{"id":"a","function":{"name":"f","arguments":"{}"}},"#
            + #"{"id":"b","function":{"name":"g","arguments":"{}"}},{"id":"c","function":{"name":"h","arguments":"{}"}}]"#
        let message =
            #"{"index":0,"message":{"role":"assistant","content":null,"tool_calls":\#(expected)},"finish_reason":"tool_calls"}"#
        #expect(
            canonical(Shaped.document(Shaped.stream(chunks), .chat)) == canonical(Self.document(message, usage: nil)))
    }

    @Test("what we have never heard of survives: members of deltas, choices and chunks, number spellings")
    func unknownMembers() {
        let chunks = [
            #"{"id":"","created":0,"model":"","object":"","choices":[],"prompt_filter_results":[{"score":1.50}]}"#,
            Self.chunk(0, #"{"role":"assistant","reasoning_content":"Let","mood":"calm","details":{"a":1}}"#),
            Self.chunk(
                0,
                #"{"reasoning_content":" me","details":{"b":2e0},"reasoning_details":[{"index":0,"type":"t","text":"x"}]}"#
            ),
            Self.chunk(
                0, #"{"content":"Yes","reasoning_details":[{"index":0,"text":"y"}]}"#,
                more: #","content_filter_results":{"hate":false}"#),
            Self.chunk(0, "{}", finish: "stop", more: #","stop_reason":128009"#), Self.usageChunk, "[DONE]",
        ]
        let message =
            #"{"role":"assistant","content":"Yes","reasoning_content":"Let me","mood":"calm","details":{"a":1,"b":2e0},"#
            + #""reasoning_details":[{"index":0,"type":"t","text":"xy"}]}"#
        let choice =
            #"{"index":0,"message":\#(message),"content_filter_results":{"hate":false},"stop_reason":128009,"finish_reason":"stop"}"#
        let expected = Self.document(choice).replacing(
            ",\"usage\"", with: #","prompt_filter_results":[{"score":1.50}],"usage""#)
        let document = Shaped.document(Shaped.stream(chunks), .chat)
        #expect(canonical(document) == canonical(expected))
        let rendered = document.flatMap { Shaped.events($0, .chat) }
        #expect(canonical(rendered.flatMap { Shaped.document($0, .chat) }) == canonical(expected))
    }

    @Test("log probabilities and a refusal")
    func logprobs() {
        func entry(_ token: String) -> String {
            #"{"token":"\#(token)","logprob":-0.10,"bytes":null,"top_logprobs":[]}"#
        }
        let chunks = [
            Self.chunk(0, Self.opening, more: #","logprobs":null"#),
            Self.chunk(0, #"{"refusal":"I "}"#, more: #","logprobs":{"content":null,"refusal":[\#(entry("I "))]}"#),
            Self.chunk(
                0, #"{"refusal":"won't"}"#, more: #","logprobs":{"content":null,"refusal":[\#(entry("won't"))]}"#),
            Self.chunk(0, "{}", finish: "stop", more: #","logprobs":null"#), "[DONE]",
        ]
        let expected = Self.document(
            #"{"index":0,"message":{"role":"assistant","content":"","refusal":"I won't"},"#
                + #""logprobs":{"content":null,"refusal":[\#(entry("I ")),\#(entry("won't"))]},"finish_reason":"stop"}"#,
            usage: nil)
        let document = Shaped.document(Shaped.stream(chunks), .chat)
        #expect(canonical(document) == canonical(expected))
        let rendered = document.flatMap { Shaped.events($0, .chat) }
        #expect(canonical(rendered.flatMap { Shaped.document($0, .chat) }) == canonical(expected))
        let summary = Shaped.summary(Shaped.stream(chunks), .events, .chat)
        #expect(summary.isRefusal && !summary.isEmpty && summary.isComplete)
    }

    @Test("a rendered stream opens with the role, calls open with their name, and [DONE] ends it")
    func framing() throws {
        let call = #"{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}"#
        let document = Self.document(
            #"{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[\#(call)],"refusal":null},"logprobs":null,"finish_reason":"tool_calls"}"#
        )
        let events = try #require(Shaped.events(document, .chat))
        let deltas = try Shaped.objects(events).compactMap { $0["choices"]?.elements?.first?["delta"] }.map {
            canonical($0)
        }
        #expect(
            deltas == [
                #"{"content":null,"refusal":null,"role":"assistant"}"#,
                #"{"tool_calls":[{"function":{"arguments":"","name":"f"},"id":"c1","index":0,"type":"function"}]}"#,
                #"{"tool_calls":[{"function":{"arguments":"{\"a\":1}"},"index":0}]}"#, "{}",
            ])
        #expect(events.hasSuffix("data: [DONE]\n\n"))
        #expect(
            try Shaped.objects(events).allSatisfy {
                $0["id"]?.string == "chatcmpl-1" && $0["created"]?.count == 1_700_000_000
            })
    }

    @Test("a document written over many lines becomes events of one line each")
    func prettyDocument() throws {
        let document =
            "{\n  \"id\": \"x\",\r\n  \"meta\": {\n \"a\": [1,\n2]},\n \"choices\": [\n"
            + "{\"index\": 0, \"message\": {\"content\": \"hi\\n\"},\n \"finish_reason\": \"stop\"}]\n}\n"
        let events = try #require(Shaped.events(document, .chat))
        #expect(
            try events.split(separator: "\n").allSatisfy { $0.hasPrefix("data: ") } && !Shaped.objects(events).isEmpty)
        #expect(Shaped.document(events, .chat)?.contains(#""content":"hi\n""#) == true)
    }

    @Test("usage is for those who ask: recorded or rendered")
    func usageGating() throws {
        let recording = Shaped.stream(Self.text)
        #expect(Shaped.replayed(recording, .chat, usage: true) == recording)
        #expect(
            Shaped.replayed(recording, .chat, usage: false)
                == recording.replacing("data: \(Self.usageChunk)\n\n", with: ""))
        let document = try #require(Shaped.document(recording, .chat))
        let asked = try #require(Shaped.events(document, .chat))
        #expect(try Shaped.objects(asked).last?["usage"]?["total_tokens"]?.count == 21)
        let unasked = try #require(Shaped.events(document, .chat, usage: false))
        #expect(try Shaped.objects(unasked).allSatisfy { $0["usage"] == nil })
    }

    @Test("a recording without usage, or with usage beside content, is replayed as it is; a last [DONE] is ended")
    func replay() {
        let shared = Self.chunk(0, "{}", finish: "stop").replacing("\"usage\":null", with: "\"usage\":\(Self.usage)")
        let recording = Shaped.stream([Self.chunk(0, Self.opening), shared]) + "data: [DONE]\n"
        for includeUsage in [true, false] {
            #expect(Shaped.replayed(recording, .chat, usage: includeUsage) == recording + "\n\n")
        }
        let summary = Shaped.summary(recording, .events, .chat)
        #expect(summary.isComplete && summary.inputTokens == 9 && summary.outputTokens == 12)
    }

    @Test("legacy completions with two choices and log probabilities")
    func legacy() throws {
        let head = #""id":"cmpl-1","object":"text_completion","created":7,"model":"m","choices":"#
        func chunk(_ index: Int, _ text: String, _ finish: String, _ logprobs: String = "null") -> String {
            #"{\#(head)[{"text":"\#(text)","index":\#(index),"logprobs":\#(logprobs),"finish_reason":\#(finish)}]}"#
        }
        let recording = Shaped.stream([
            chunk(0, "a", "null", #"{"tokens":["a"],"text_offset":[0]}"#), chunk(1, "x", "null"),
            chunk(0, "b", "null", #"{"tokens":["b"],"text_offset":[1]}"#), chunk(1, "", #""length""#),
            chunk(0, "", #""stop""#),
            #"{\#(head)[],"usage":{"prompt_tokens":2,"completion_tokens":3}}"#, "[DONE]",
        ])
        let first =
            #"{"text":"ab","index":0,"logprobs":{"tokens":["a","b"],"text_offset":[0,1]},"finish_reason":"stop"}"#
        let second = #"{"text":"x","index":1,"logprobs":null,"finish_reason":"length"}"#
        let expected = canonical(#"{\#(head)[\#(first),\#(second)],"usage":{"prompt_tokens":2,"completion_tokens":3}}"#)
        let document = try #require(Shaped.document(recording, .completions))
        #expect(canonical(document) == expected)
        #expect(
            canonical(Shaped.events(document, .completions).flatMap { Shaped.document($0, .completions) }) == expected)
        #expect(Shaped.summary(recording, .events, .completions).finishReasons == ["stop", "length"])
    }
}
