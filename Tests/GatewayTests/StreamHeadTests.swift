import Base
import Ledger
import NIOCore
import Testing
import Upstream

@testable import Gateway

@Suite("the head of a stream and what follows it")
struct StreamHeadTests {
    private func passage(_ headers: [(name: String, value: String)] = [], strips: Bool = false) -> AnswerPassage {
        var passage = AnswerPassage(route: .chatCompletions, stripsUsage: strips)
        passage.begin(
            ResponseHead(
                status: 200, headers: HeaderLines([("Content-Type", "text/event-stream")] + headers)))
        return passage
    }

    private static let chunk = #"data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}]}"#

    @Test(
        "a stream that dies inside its first event has sent nothing, so it is answered as a whole",
        arguments: [
            chunk, "data: {\"choi", ": hello",
        ])
    func tornFirstEvent(_ torn: String) {
        var passage = passage()
        guard case .nothing = passage.receive(buffer(torn)), case .wrap(502, _) = passage.end() else {
            Issue.record("\(torn) was answered otherwise")
            return
        }
        #expect(!passage.headWasSent && !passage.mayAddEvent, "nothing may follow a head that was never sent")
    }

    @Test("a last event without its empty line that ends the answer is the answer")
    func unterminatedEnd() {
        var passage = passage()
        let last = #"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"#
        _ = passage.receive(buffer(last))
        guard case .send(let head?, let pieces, true) = passage.end() else {
            Issue.record("it was not sent")
            return
        }
        #expect(head.status == 200 && joined(pieces) == last)
    }

    @Test("a stream's length is not promised: events may be taken out of it or put in")
    func contentLength() {
        var passage = passage([("Content-Length", "9999"), ("X-A", "1")], strips: true)
        guard case .send(let head?, _, false) = passage.receive(buffer(Self.chunk + "\n\n")) else {
            Issue.record("the head comes with the first event")
            return
        }
        #expect(head.headers["content-length"] == nil && head.headers["x-a"] == "1")
    }

    @Test("what follows an error in the same read is an event like any other")
    func afterAnError() {
        let error = #"data: {"error":{"type":"server_error"}}"# + "\n\n"
        let usage = #"data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"# + "\n\n"
        var relay = StreamRelay(.chatCompletions, stripsUsage: true)
        var sent = ""
        for text in [Self.chunk + "\n\n", error + usage + "data: [DONE]\n\n"] {
            if case .pieces(let pieces) = relay.receive(buffer(text)) { sent += joined(pieces) }
        }
        #expect(sent == Self.chunk + "\n\n" + error + "data: [DONE]\n\n")
        #expect(relay.inspector.reader.usage?.output == 2)
    }
}
