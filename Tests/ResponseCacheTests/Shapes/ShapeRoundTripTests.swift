import Base
import Testing

@testable import ResponseCache

/// Random documents, rendered as streams and put together again.
@Suite("documents survive the way through a stream")
struct ShapeRoundTripTests {
    @Test(
        "rendered and assembled, a random document is the same",
        arguments: [AnswerFamily.chat, .completions, .responses, .messages])
    func roundTrip(family: AnswerFamily) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var source = RandomAnswer(random: SeededRandom(seed: seed))
        for round in 0..<60 {
            let document = source.document(family)
            let events = try #require(Shaped.events(document, family))
            let again = Shaped.document(events, family)
            #expect(canonical(again) == canonical(document), "seed \(seed), round \(round)")
            let before = Shaped.summary(document, .document, family)
            #expect(Shaped.summary(events, .events, family) == before, "seed \(seed), round \(round)")
            #expect(before.isComplete && !before.hasInvalidToolArguments, "seed \(seed), round \(round)")
            if family == .chat || family == .completions {
                let plain = try #require(Shaped.events(document, family, usage: false))
                let replayed = try #require(Shaped.replayed(events, family, usage: false))
                let objects = try Shaped.objects(plain).map { canonical($0) }
                let dropped = try Shaped.objects(replayed).map { canonical($0.filtered { !$0.holds("usage") }) }
                #expect(objects == dropped, "seed \(seed), round \(round)")
            }
        }
    }

    @Test("damaged recordings and documents are refused or read, never a trap", arguments: AnswerFamily.allCases)
    func damage(family: AnswerFamily) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var source = RandomAnswer(random: SeededRandom(seed: seed))
        let marks = Array("{}[]\",:\\0-9\n\r\u{0}".utf8)
        for round in 0..<150 {
            let streamed: AnswerFamily = [.chat, .completions, .responses, .messages][round % 4]
            let document = source.document(streamed)
            for (text, shape) in [(document, AnswerShape.document), (Shaped.events(document, streamed) ?? "", .events)]
            {
                var bytes = Array(text.utf8.prefix(4_000))
                for _ in 0..<(1 + round % 3) {
                    let place = Int(source.random.next() % UInt64(bytes.count))
                    bytes[place] = marks[Int(source.random.next() % UInt64(marks.count))]
                }
                let answer = Shaped.answer(bytes, shape, family)
                let summary = AnswerShapes.summary(answer.body, shape: shape, family: family)
                let whole = AnswerShapes.document(from: answer)
                _ = AnswerShapes.events(from: answer, includeUsage: round % 2 == 0)
                let isServable = whole != nil || summary.hasInvalidToolArguments
                #expect(!summary.isComplete || isServable, "seed \(seed), round \(round)")
            }
        }
    }
}

private struct RandomAnswer {
    var random: SeededRandom

    private mutating func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    private mutating func flip() -> Bool { below(2) == 0 }
    private mutating func list(_ most: Int, _ make: (inout Self) -> String) -> String {
        (0..<below(most + 1)).map { _ in make(&self) }.joined(separator: ",")
    }

    /// A JSON string; now and then longer than one event may carry.
    private mutating func text() -> String {
        let units = [
            "a", "Z", " ", #"\""#, #"\\"#, #"\n"#, #"\u00e9"#, #"\ud83d\ude00"#, "é", "東", "🙂", "data: x", #"\/"#,
        ]
        let length = below(20) == 0 ? 9_000 : below(30) + 1
        return "\"" + (0..<length).map { _ in units[below(units.count)] }.joined() + "\""
    }

    private mutating func value(_ depth: Int = 0) -> String {
        switch below(depth > 2 ? 5 : 7) {
        case 0: return "true"
        case 1: return ["1.50", "-0", "2e3", "12345678901234567890"][below(4)]
        case 2: return text()
        case 3: return "null"
        case 4: return "[]"
        case 5: return "[ " + list(3) { $0.value(depth + 1) } + "]"
        default: return object(depth)
        }
    }

    private mutating func object(_ depth: Int = 0) -> String {
        "{" + (0..<below(4)).map { "\n\"k\($0)\" : \(value(depth + 1))" }.joined(separator: ",") + "}"
    }

    private mutating func quotedObject() -> String { JSONText.quote(object()) }

    /// Members that nobody knows.
    private mutating func more(_ name: String) -> String { flip() ? "" : ",\"\(name)\":[\(value())]" }

    mutating func document(_ family: AnswerFamily) -> String {
        switch family {
        case .chat: choices("chat.completion") { $0.chatChoice($1) }
        case .completions:
            choices("text_completion") {
                #"{"text":\#($0.text()),"index":\#($1),"logprobs":null,"finish_reason":"stop"\#($0.more("x"))}"#
            }
        case .responses: response()
        default: message()
        }
    }

    private mutating func choices(_ object: String, _ choice: (inout Self, Int) -> String) -> String {
        let choices = (0...below(3)).map { choice(&self, $0) }.joined(separator: ",")
        return
            #"{"id":"i","object":"\#(object)","created":17,"model":"m"\#(more("novel")),"#
            + #""choices":[\#(choices)],"usage":{"prompt_tokens":\#(below(99)),"completion_tokens":7}}"#
    }

    private mutating func chatChoice(_ index: Int) -> String {
        var message =
            #""role":"assistant","content":\#(flip() ? "null" : text()),"refusal":\#(below(5) > 0 ? "null" : text())"#
        if flip() { message += #","reasoning_content":\#(text())"# }
        if flip() {
            let calls = (0...below(3)).map {
                #"{"id":"c\#($0)","type":"function","function":{"name":"f","arguments":\#(quotedObject())}}"#
            }
            message += #","tool_calls":[\#(calls.joined(separator: ","))]"#
        }
        message += more("annotations")
        let entries = (0..<below(4)).map { _ in #"{"token":\#(text()),"logprob":-0.50}"# }
        let logprobs = flip() ? "null" : #"{"content":[\#(entries.joined(separator: ","))],"refusal":null}"#
        return
            #"{"index":\#(index),"message":{\#(message)},"logprobs":\#(logprobs),"finish_reason":"stop"\#(more("filter"))}"#
    }

    private mutating func part() -> String {
        #"{"type":"output_text","text":\#(text()),"annotations":[\#(list(2) { $0.object() })]}"#
    }

    private mutating func response() -> String {
        let items = (0...below(3)).map { index in
            switch below(4) {
            case 0:
                #"{"id":"r\#(index)","type":"reasoning","summary":[\#(list(2) { #"{"type":"summary_text","text":\#($0.text())}"# })]}"#
            case 1:
                #"{"id":"f\#(index)","type":"function_call","status":"completed","arguments":\#(quotedObject()),"call_id":"c","name":"f"}"#
            case 2: #"{"id":"o\#(index)","type":"novel_call","data":\#(value())}"#
            default:
                #"{"id":"m\#(index)","type":"message","status":"completed","role":"assistant","content":[\#(list(2) { $0.part() })]}"#
            }
        }
        return
            #"{"id":"r","object":"response","status":"completed","model":"m","output":[\#(items.joined(separator: ","))]\#(more("x")),"#
            + #""usage":\#(flip() ? "null" : #"{"input_tokens":1}"#)}"#
    }

    private mutating func message() -> String {
        let blocks = list(4) { source in
            switch source.below(4) {
            case 0: #"{"type":"thinking","thinking":\#(source.text()),"signature":"s="}"#
            case 1: #"{"type":"tool_use","id":"t","name":"f","input":\#(source.object())}"#
            case 2: #"{"type":"redacted_thinking","data":"d"}"#
            default:
                #"{"type":"text","text":\#(source.text())\#(source.flip() ? "" : #","citations":[{"a":1},{"b":2}]"#)}"#
            }
        }
        return
            #"{"id":"i","type":"message","role":"assistant","model":"m","content":[\#(blocks)],"#
            + #""stop_reason":"end_turn","stop_sequence":null\#(more("x")),"#
            + #""usage":{"input_tokens":3,"output_tokens":\#(below(50)),"cache_creation":{"a":1.0}}}"#
    }
}
