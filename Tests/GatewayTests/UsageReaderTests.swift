import Base
import Ledger
import Testing

@testable import Gateway

@Suite("usage, errors and refusals of providers")
struct UsageReaderTests {
    private func usage(_ texts: String...) -> TokenUsage? {
        var reader = UsageReader()
        for text in texts { reader.add(Array(text.utf8)) }
        return reader.usage
    }

    @Test("chat completions")
    func chat() {
        let text =
            #"{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30,"prompt_tokens_details":"#
            + #"{"cached_tokens":4,"audio_tokens":9},"completion_tokens_details":{"reasoning_tokens":7}}"#
        #expect(usage(text) == TokenUsage(input: 10, output: 20, cachedInput: 4, reasoning: 7))
    }

    @Test("responses")
    func responses() {
        let text =
            #"{"input_tokens":10,"input_tokens_details":{"cached_tokens":4},"output_tokens":20,"#
            + #""output_tokens_details":{"reasoning_tokens":7},"total_tokens":30}"#
        #expect(usage(text) == TokenUsage(input: 10, output: 20, cachedInput: 4, reasoning: 7))
    }

    @Test("embeddings have no output")
    func embeddings() { #expect(usage(#"{"prompt_tokens":8,"total_tokens":8}"#) == TokenUsage(input: 8)) }

    @Test("messages count what the cache held and took beside the input; here it is part of it")
    func messages() {
        let text =
            #"{"input_tokens":10,"cache_creation_input_tokens":30,"cache_read_input_tokens":100,"#
            + #""cache_creation":{"ephemeral_5m_input_tokens":20,"ephemeral_1h_input_tokens":10},"output_tokens":5}"#
        let expected = TokenUsage(input: 140, output: 5, cachedInput: 100, cacheWrite5m: 20, cacheWrite1h: 10)
        #expect(usage(text) == expected)
    }

    @Test("a message stream's later counts take the place of earlier ones, and what they leave out stays")
    func streamed() {
        let start = #"{"input_tokens":10,"cache_read_input_tokens":100,"output_tokens":1}"#
        #expect(usage(start, #"{"output_tokens":50}"#) == TokenUsage(input: 110, output: 50, cachedInput: 100))
    }

    @Test(
        "what tells no count is no usage",
        arguments: [
            "{}", "", "null", #"{"":3}"#, "[1]", #"{"total_tokens":3}"#, #"{"prompt_tokens":"3"}"#,
            #"{"prompt_tokens":-3}"#,
            #"{"prompt_tokens":null}"#, #"{"prompt_tokens":{"prompt_tokens":3}}"#, #"{"input_tokens":1e3}"#,
            #"{"input_tokens":99999999999999999999}"#,
        ])
    func none(_ text: String) { #expect(usage(text) == nil) }

    @Test("a provider that claims more hours of cache than cache does not make tokens negative")
    func hostile() {
        let text =
            #"{"input_tokens":1,"cache_creation_input_tokens":3,"#
            + #""cache_creation":{"ephemeral_1h_input_tokens":9}}"#
        #expect(usage(text)?.cacheWrite5m == 0)
    }

    @Test(
        "the status that an error event stands for",
        arguments: [
            (#"{"error":{"type":"rate_limit_error"}}"#, 429), (#"{"error":{"code":"insufficient_quota"}}"#, 429),
            (#"{"type":"error","error":{"type":"overloaded_error"}}"#, 529), (#"{"error":{"code":503}}"#, 503),
            (#"{"error":{"code":"404"}}"#, 404), (#"{"error":{"status":418,"type":"overloaded_error"}}"#, 418),
            (#"{"error":{"type":"authentication_error"}}"#, 401), (#"{"error":{"type":"permission_error"}}"#, 403),
            (#"{"error":{"type":"invalid_request_error","code":"context_length_exceeded"}}"#, 400),
            (#"{"type":"error","code":"server_error","message":"x","param":null}"#, 500),
            (#"{"error":{"type":"api_error"}}"#, 500), (#"{"error":{"type":"timeout_error"}}"#, 504),
            (#"{"error":"busy"}"#, 502), (#"{"error":{"code":200}}"#, 502),
            (#"{"error":{"code":99999999999999999999}}"#, 502),
            (#"{"error":{"message":"rate_limit"}}"#, 502), ("{}", 502), ("", 502), ("{\"error\":", 502),
        ])
    func statusOfError(_ text: String, _ status: Int) { #expect(StreamError.status(of: Array(text.utf8)) == status) }

    @Test(
        "why a provider says no, and whether its key rests",
        arguments: [
            (401, "", .key, true), (403, "", .key, true), (402, "", .quota, true), (404, "", .notFound, false),
            (429, "", .rateLimited, true), (429, #"{"code":"insufficient_quota"}"#, .quota, true),
            (429, "Your credit balance is too low", .quota, true), (503, "", .overloaded, false),
            (529, "", .overloaded, false), (500, "", .provider, false), (500, "Overloaded", .overloaded, false),
            (502, "", .provider, false), (400, "", .invalidRequest, false), (413, "", .invalidRequest, false),
            (400, "This model's maximum context length is 8192", .contextLength, false),
            (400, "prompt is too long: 210000 tokens", .contextLength, false),
            (400, #"{"code":"content_policy_violation"}"#, .contentPolicy, false),
            (400, "Content_Filter", .contentPolicy, false),
        ] as [(Int, String, RefusalCause, Bool)])
    func refusal(_ status: Int, _ body: String, _ cause: RefusalCause, _ restsKey: Bool) {
        let found = RefusalCause(status: status, body: body.utf8)
        #expect(found == cause)
        #expect(found.restsKey == restsKey)
    }
}
