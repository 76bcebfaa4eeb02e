import Base
import Ledger
import Testing

@testable import Gateway

@Suite("what the events of a stream say")
struct StreamInspectorTests {
    private typealias Meaning = StreamInspector.Meaning

    private func read(_ route: AIRoute, _ events: [String]) -> (inspector: StreamInspector, meanings: [Meaning]) {
        var inspector = StreamInspector(route)
        let meanings = events.map { event in withBytes(event) { inspector.read($0) } }
        return (inspector, meanings)
    }

    @Test("a chat stream", arguments: [AIRoute.chatCompletions, .completions])
    func chat(_ route: AIRoute) {
        let (inspector, meanings) = read(
            route,
            [
                #"data: {"model":"m-1","choices":[{"delta":{"content":"a \"finish_reason\""},"finish_reason":null}]}"#,
                #"data: {"choices":[],"prompt_filter_results":[]}"#,
                ": comment\n\n", "event: x\n\n",
                #"data: {"model":"m-2","usage":null,"choices":[{"delta":{}, "finish_reason" : "stop"}]}"#,
                #"data: {"choices": [ ],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
                "data: [DONE]\n\n",
            ])
        #expect(meanings == [.content, .content, .filler, .filler, .content, .usageOnly, .terminal])
        #expect(inspector.model == "m-1")
        #expect(inspector.contentEvents == 2)
        #expect(inspector.sawFinish && inspector.sawTerminal && inspector.isComplete)
        #expect(inspector.reader.usage == TokenUsage(input: 3, output: 2))
    }

    @Test("a quoted finish reason inside content is none; a real one ends the stream without [DONE]")
    func finishReason() {
        let content = #"data: {"choices":[{"delta":{"content":"\"finish_reason\":\"stop\""},"finish_reason":null}]}"#
        #expect(!read(.chatCompletions, [content]).inspector.isComplete)
        let last = #"data: {"choices":[{"delta":{},"finish_reason":"length"}]}"#
        #expect(read(.chatCompletions, [content, last]).inspector.isComplete)
    }

    @Test("usage beside choices stays content")
    func usageWithChoices() {
        let (inspector, meanings) = read(
            .chatCompletions,
            [
                #"data: {"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#
            ])
        #expect(meanings == [.content])
        #expect(inspector.reader.usage == TokenUsage(input: 1, output: 1))
    }

    @Test("an error in a chat stream is kept as it came; a null error is none")
    func chatError() {
        let (inspector, meanings) = read(
            .chatCompletions,
            [
                #"data: {"error":null,"choices":[]}"#, #"data: {"error":{"message":"no"}}"#,
            ])
        #expect(meanings == [.content, .error])
        #expect(inspector.errorEvent == Array(#"{"error":{"message":"no"}}"#.utf8))
        #expect(!inspector.isComplete)
    }

    @Test("a message stream")
    func messages() {
        let start =
            #"data: {"type":"message_start","message":{"id":"msg_1","model":"claude","usage":"#
            + #"{"input_tokens":5,"cache_read_input_tokens":100,"output_tokens":1}}}"#
        let (inspector, meanings) = read(
            .messages,
            [
                "event: message_start\n" + start, #"data: {"type":"content_block_start","index":0}"#,
                "event: ping\ndata: {\"type\": \"ping\"}\n\n", #"data: {"type":"content_block_delta"}"#,
                #"data: {"type":"message_delta","usage":{"output_tokens":9}}"#, #"data: {"type":"message_stop"}"#,
            ])
        #expect(meanings == [.content, .content, .filler, .content, .content, .terminal])
        #expect(inspector.model == "claude")
        #expect(inspector.contentEvents == 1)
        #expect(inspector.isComplete)
        #expect(inspector.reader.usage == TokenUsage(input: 105, output: 9, cachedInput: 100))
    }

    @Test("an error in a message stream or a response stream", arguments: [AIRoute.messages, .responses])
    func typedError(_ route: AIRoute) {
        let (inspector, meanings) = read(route, ["event: error\ndata: {\"type\":\"error\",\"error\":{}}\n\n"])
        #expect(meanings == [.error])
        #expect(inspector.errorEvent == Array(#"{"type":"error","error":{}}"#.utf8))
    }

    @Test("a response stream", arguments: ["response.completed", "response.failed", "response.incomplete"])
    func responses(_ last: String) {
        let (inspector, meanings) = read(
            .responses,
            [
                #"data: {"type":"response.created","response":{"id":"resp_1","model":"gpt","usage":null}}"#,
                #"data: {"type":"response.output_text.delta","delta":"a"}"#,
                #"data: {"type":"response.output_text.done"}"#,
                #"data: {"type":"\#(last)","response":{"id":"resp_1","usage":{"input_tokens":4,"output_tokens":6,"#
                    + #""output_tokens_details":{"reasoning_tokens":2}}}}"#,
            ])
        #expect(meanings == [.content, .content, .content, .terminal])
        #expect(inspector.responseID == "resp_1")
        #expect(inspector.model == "gpt")
        #expect(inspector.contentEvents == 1)
        #expect(inspector.responseEvents == 4)
        #expect(inspector.reader.usage == TokenUsage(input: 4, output: 6, reasoning: 2))
    }

    @Test(
        "data that is no JSON object passes as content and completes nothing",
        arguments: AIRoute.allCases, ["data: ", "data: [", "data: 7", "data: {\"type\":", "data: [DONE] ", "data: {}"])
    func strange(_ route: AIRoute, _ event: String) {
        let (inspector, meanings) = read(route, [event])
        #expect(meanings == [.content])
        #expect(!inspector.isComplete && inspector.errorEvent == nil && inspector.reader.usage == nil)
    }
}
