import Base
import NIOCore
import Settings
import Testing

@testable import Gateway

/// Lines of `weir cache import`.
@Suite struct PastAnswerTests {
    private func refusal(_ line: String) -> String? {
        do throws(AnswerImport.Refusal) {
            _ = try PastAnswer(buffer(line))
            return nil
        } catch { return error.code }
    }

    @Test("a line gives the bytes of request and answer as they were, and what else it knows")
    func whole() throws {
        let past = try PastAnswer(
            buffer(
                #" {"route":"/v1/chat/completions","request":{"model" : "m", "n":1e0},"response":{"a":"\u00e9"},"#
                    + #""headers":{"X-Weir-Tags":"a","OpenAI-Project":"p"},"query":"beta=true","provider":"x","#
                    + #""model":"m-1","created":1700000000.5,"latency":3} "#))
        #expect(past.route == .chatCompletions && !past.isEvents)
        #expect(String(buffer: past.request) == #"{"model" : "m", "n":1e0}"#)
        #expect(String(buffer: past.body) == #"{"a":"\u00e9"}"#)
        #expect(past.headers["x-weir-tags"] == "a" && past.headers["openai-project"] == "p")
        #expect(past.headers.fields.count == 2 && past.query == "beta=true")
        #expect(past.provider == "x" && past.model == "m-1")
        #expect(past.created == UnixTime(microseconds: 1_700_000_000_500_000))
    }

    @Test("events are a text; Anthropic's routes carry the version that all clients send, or their own")
    func events() throws {
        let line = #"{"route":"/v1/messages","request":{},"events":"event: a\ndata: {}\n\n""#
        let past = try PastAnswer(buffer(line + "}"))
        #expect(past.isEvents && String(buffer: past.body) == "event: a\ndata: {}\n\n")
        #expect(past.headers.fields.map(\.value) == ["2023-06-01"] && past.created == nil)
        let own = try PastAnswer(buffer(line + #","headers":{"Anthropic-Version":"2024-01-01"}}"#))
        #expect(own.headers.fields.map(\.value) == ["2024-01-01"])
    }

    @Test(
        "a bad line says what is wrong with it",
        arguments: [
            ("", "invalid_json"), ("[]", "invalid_json"), (#"{"route":"/v1/chat/completions","#, "invalid_json"),
            ("{}", "unknown_route"), (#"{"route":"/v1/files"}"#, "unknown_route"), (#"{"route":7}"#, "unknown_route"),
            (#"{"route":"/v1/embeddings","response":{}}"#, "invalid_line"),
            (#"{"route":"/v1/embeddings","request":"{}","response":{}}"#, "invalid_line"),
            (#"{"route":"/v1/embeddings","request":{}}"#, "invalid_line"),
            (#"{"route":"/v1/embeddings","request":{},"response":{},"events":""}"#, "invalid_line"),
            (#"{"route":"/v1/embeddings","request":{},"response":[]}"#, "invalid_line"),
            (#"{"route":"/v1/embeddings","request":{},"response":{},"headers":{"a":1}}"#, "invalid_line"),
            (#"{"route":"/v1/embeddings","request":{},"response":{},"created":"x"}"#, "invalid_line"),
            (#"{"route":"/v1/embeddings","request":{},"response":{},"created":-1}"#, "invalid_line"),
            (#"{"route":"/v1/embeddings","request":{},"response":{},"created":1e300}"#, "invalid_line"),
        ])
    func bad(_ line: String, _ code: String) {
        #expect(refusal(line) == code)
    }
}
