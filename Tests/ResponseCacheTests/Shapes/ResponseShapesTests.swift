import Testing

@testable import ResponseCache

@Suite("shapes of responses")
struct ResponseShapesTests {
    static let message =
        #"{"id":"msg_1","type":"message","status":"completed","content":["#
        + #"{"type":"output_text","annotations":[{"type":"url_citation","url":"u"}],"#
        + #""logprobs":[],"text":"Hi there"},{"type":"refusal","refusal":"no more"}],"role":"assistant"}"#
    static let reasoning =
        #"{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"Hmm"}],"encrypted_content":"zzz="}"#
    static let call =
        #"{"id":"fc_1","type":"function_call","status":"completed","arguments":"{\"a\":1}","call_id":"call_1","name":"f"}"#

    static func document(_ output: [String], status: String = "completed", details: String = "null") -> String {
        #"{"id":"resp_1","object":"response","created_at":5,"status":"\#(status)","completed_at":6,"error":null,"incomplete_details":\#(details),"#
            + #""model":"m","output":[\#(output.joined(separator: ","))],"temperature":1.0,"usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7}}"#
    }

    @Test("the document is what the last event holds, byte for byte")
    func assemble() {
        let document = Self.document([Self.message])
        let recording = Shaped.named([
            #"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","output":[]}}"#,
            #"{"type":"response.output_text.delta","sequence_number":1,"delta":"Hi"}"#,
            #"{"type":"response.completed","sequence_number":2,"response":\#(document)}"#,
        ])
        #expect(Shaped.document(recording, .responses) == document)
        let cut = recording.replacing("response.completed", with: "response.almost")
        #expect(Shaped.document(cut, .responses) == nil && !Shaped.summary(cut, .events, .responses).isComplete)
        #expect(Shaped.replayed(recording, .responses, usage: false) == recording)
    }

    @Test("output that the last event leaves out is taken from its finished items")
    func missingOutput() {
        func done(_ index: Int, _ item: String) -> String {
            #"{"type":"response.output_item.done","output_index":\#(index),"item":\#(item)}"#
        }
        let recording = Shaped.named([
            done(1, Self.call), done(0, Self.reasoning),
            #"{"type":"response.completed","response":\#(Self.document([]))}"#,
        ])
        #expect(
            canonical(Shaped.document(recording, .responses)) == canonical(Self.document([Self.reasoning, Self.call])))
    }

    @Test("a rendered stream has every event in order, numbered")
    func render() throws {
        let other = #"{"type":"web_search_call","id":"ws_1","status":"completed"}"#
        let document = Self.document([Self.reasoning, Self.message, Self.call, other])
        let events = try #require(Shaped.events(document, .responses))
        let types = try Shaped.types(events).map { $0.dropFirst("response.".count) }
        #expect(
            types == [
                "created", "in_progress", "output_item.added", "reasoning_summary_part.added",
                "reasoning_summary_text.delta", "reasoning_summary_text.done", "reasoning_summary_part.done",
                "output_item.done", "output_item.added", "content_part.added", "output_text.annotation.added",
                "output_text.delta", "output_text.done", "content_part.done", "content_part.added", "refusal.delta",
                "refusal.done", "content_part.done", "output_item.done", "output_item.added",
                "function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
                "output_item.added", "output_item.done", "completed",
            ])
        let objects = try Shaped.objects(events)
        #expect(objects.map { $0["sequence_number"]?.count } == Array(0..<objects.count))
        let begun = try #require(objects.first?["response"])
        #expect(
            begun["status"]?.string == "in_progress" && begun["output"]?.elements?.isEmpty == true
                && begun["usage"]?.isNull == true)
        #expect(objects[20]["item_id"]?.string == "fc_1" && objects[21]["arguments"]?.string == #"{"a":1}"#)
        #expect(objects[19]["item"]?["arguments"]?.string == "" && objects[9]["part"]?["text"]?.string == "")
        #expect(events.contains("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\""))
        #expect(Shaped.document(events, .responses) == document)
    }

    @Test("an answer that ran out of tokens ends with its own event; one that failed has no stream")
    func endings() throws {
        let cut = Self.document([Self.message], status: "incomplete", details: #"{"reason":"max_output_tokens"}"#)
        let events = try #require(Shaped.events(cut, .responses))
        #expect(try Shaped.types(events).last == "response.incomplete")
        for (body, shape) in [(cut, AnswerShape.document), (events, .events)] {
            let summary = Shaped.summary(body, shape, .responses)
            #expect(summary.isComplete && summary.finishReasons == ["max_output_tokens"] && summary.isRefusal)
            #expect(summary.model == "m" && summary.inputTokens == 3 && summary.outputTokens == 4)
        }
        #expect(Shaped.events(Self.document([], status: "failed"), .responses) == nil)
        #expect(!Shaped.summary(Self.document([], status: "queued"), .document, .responses).isComplete)
    }
}
