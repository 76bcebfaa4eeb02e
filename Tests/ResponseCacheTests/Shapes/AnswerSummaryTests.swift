import NIOCore
import Testing

@testable import ResponseCache

@Suite("what an answer says about itself")
struct AnswerSummaryTests {
    struct Recording: Sendable, CustomTestStringConvertible {
        let family: AnswerFamily
        let data: [String]
        var testDescription: String { "\(family)" }
        var bytes: [UInt8] { Array(Shaped.stream(data).utf8) }

        func summary(_ bytes: [UInt8]) -> AnswerSummary {
            AnswerShapes.summary(ByteBuffer(bytes: bytes), shape: .events, family: family)
        }
    }

    static let recordings = [
        Recording(family: .chat, data: ChunkShapesTests.text),
        Recording(
            family: .responses,
            data: [
                #"{"type":"response.created","response":{}}"#,
                #"{"type":"response.completed","response":\#(ResponseShapesTests.document([ResponseShapesTests.message]))}"#,
            ]),
        Recording(family: .messages, data: MessageShapesTests.recorded),
    ]

    @Test("a whole recording is complete; cut anywhere before its last event it is not", arguments: recordings)
    func truncated(recording: Recording) throws {
        let bytes = recording.bytes
        #expect(recording.summary(bytes).isComplete)
        let last = try #require(EventStream(bytes).events.last)
        for length in 0...last.range.lowerBound {
            #expect(!recording.summary(Array(bytes[..<length])).isComplete, "cut after \(length) bytes")
        }
    }

    @Test("an error event, half a character, or broken JSON makes it incomplete", arguments: recordings)
    func broken(recording: Recording) {
        let error = #"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#
        for place in 0..<recording.data.count {
            var data = recording.data
            data.insert(error, at: place)
            #expect(!recording.summary(Array(Shaped.stream(data).utf8)).isComplete)
            data[place] = #"{"malformed": tru"#
            #expect(!recording.summary(Array(Shaped.stream(data).utf8)).isComplete)
        }
        for place in recording.bytes.indices where recording.bytes[place] == UInt8(ascii: "H") {
            var bytes = recording.bytes
            bytes.insert(contentsOf: [0xF0, 0x9F], at: place)
            #expect(!recording.summary(bytes).isComplete)
        }
    }

    @Test("a choice without a finish reason was cut off, [DONE] or not")
    func unfinished() {
        let chunk = #"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#
        #expect(!Shaped.summary(Shaped.stream([chunk, "[DONE]"]), .events, .chat).isComplete)
        let document = #"{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":null}]}"#
        #expect(!Shaped.summary(document, .document, .chat).isComplete)
    }

    @Test("empty answers, refusals and calls with broken arguments are told")
    func chat() {
        func summary(_ message: String) -> AnswerSummary {
            let document = #"{"model":"m","choices":[{"index":0,"message":\#(message),"finish_reason":"stop"}]}"#
            return Shaped.summary(document, .document, .chat)
        }
        func call(_ arguments: String) -> String {
            #"{"content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"\#(arguments)"}}]}"#
        }
        #expect(summary(#"{"content":""}"#).isEmpty && summary(#"{"content":null,"tool_calls":[]}"#).isEmpty)
        #expect(
            !summary(#"{"content":[{"type":"text","text":"a"}]}"#).isEmpty && summary(#"{"content":"a"}"#).model == "m")
        #expect(summary(#"{"content":null,"refusal":"no"}"#).isRefusal)
        #expect(!summary(call(#"{\"a\":[1]}"#)).hasInvalidToolArguments && !summary(call("{}")).isEmpty)
        for broken in ["", #"{\"a\":"#, "null", #"{\"a\":1}}"#] {
            #expect(summary(call(broken)).hasInvalidToolArguments)
        }
        let custom = #"{"tool_calls":[{"id":"a","type":"custom","custom":{"name":"f","input":"SELECT"}}]}"#
        #expect(!summary(custom).hasInvalidToolArguments && !summary(custom).isEmpty)
    }

    @Test("documents of embeddings and token counts")
    func others() {
        let vectors =
            #"{"object":"list","data":[{"embedding":[0.1],"index":0}],"model":"e","usage":{"prompt_tokens":4,"total_tokens":4}}"#
        let summary = Shaped.summary(vectors, .document, .embeddings)
        #expect(summary.isComplete && !summary.isEmpty && summary.model == "e" && summary.inputTokens == 4)
        #expect(Shaped.summary(#"{"input_tokens":12}"#, .document, .countTokens).inputTokens == 12)
        #expect(!Shaped.summary(#"{"error":{"message":"no"}}"#, .document, .countTokens).isComplete)
        #expect(!Shaped.summary(#"{"input_tokens":12"#, .document, .countTokens).isComplete)
        #expect(AnswerShapes.events(from: Shaped.answer(vectors, .document, .embeddings), includeUsage: true) == nil)
        #expect(
            AnswerShapes.document(from: Shaped.answer(vectors, .document, .embeddings)) == ByteBuffer(string: vectors))
    }
}
