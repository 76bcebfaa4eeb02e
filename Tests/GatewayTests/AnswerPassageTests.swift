import Base
import Ledger
import NIOCore
import Testing
import Upstream

@testable import Gateway

/// A passage behind a reference, so that expectations can drive it.
@dynamicMemberLookup
private final class Walk {
    var passage: AnswerPassage

    init(_ passage: AnswerPassage) { self.passage = passage }

    subscript<T>(dynamicMember path: KeyPath<AnswerPassage, T>) -> T { passage[keyPath: path] }
}

@Suite("the passage of an answer")
struct AnswerPassageTests {
    /// An action in one line.
    private func describe(_ action: AnswerPassage.Action) -> String {
        switch action {
        case .nothing: "nothing"
        case .send(let head, let pieces, let isWhole):
            "send \(head.map { "\($0.status) " } ?? "")[\(joined(pieces))]\(isWhole ? " whole" : "")"
        case .wrap(let status, let message): "wrap \(status) \(message)"
        case .replace(let status, let body): "replace \(status) \(String(decoding: body, as: UTF8.self))"
        case .list(let head, let body): "list \(head.status) \(String(decoding: body, as: UTF8.self))"
        case .breakOff: "break off"
        }
    }

    private func passage(
        _ route: AIRoute?, _ status: Int, _ type: String, lists: Bool = false, encoding: String? = nil
    ) -> Walk {
        var passage = AnswerPassage(route: route, stripsUsage: false, listsObjects: lists)
        var headers = HeaderLines([("content-type", type)])
        if let encoding { headers.add("content-encoding", encoding) }
        passage.begin(ResponseHead(status: status, headers: headers))
        return Walk(passage)
    }

    /// Feeds the chunks, each a batch of its own when `batches`, then the end unless `ends` is false.
    private func run(
        _ walk: Walk, _ chunks: [String], batches: Bool = false, ends: Bool = true
    ) -> [String] {
        var actions: [String] = []
        for chunk in chunks {
            actions.append(describe(walk.passage.receive(buffer(chunk))))
            if batches { actions.append(describe(walk.passage.batchEnded())) }
        }
        if ends { actions.append(describe(walk.passage.end())) }
        return actions.filter { $0 != "nothing" && $0 != "send []" }
    }

    private static let answer = #"{"id":"resp_1","model":"m","usage":{"input_tokens":3,"output_tokens":2}}"#

    @Test("a short answer leaves whole, with what it used")
    func short() {
        let passage = self.passage(.responses, 200, "application/json")
        #expect(
            run(passage, [String(Self.answer.prefix(9)), String(Self.answer.dropFirst(9))])
                == ["send 200 [\(Self.answer)] whole"])
        #expect(passage.usage == TokenUsage(input: 3, output: 2))
        #expect(passage.model == "m" && passage.objectID == "resp_1")
        #expect(passage.passage.refusalCode(status: 200) == nil && !passage.isStream && !passage.isCutShort)
    }

    @Test("a longer one leaves batch by batch")
    func batches() {
        let passage = self.passage(nil, 200, "application/octet-stream")
        #expect(run(passage, ["ab", "cd"], batches: true) == ["send 200 [ab]", "send [cd]", "send [] whole"])
    }

    @Test("an error in JSON passes as it came, and its cause is named")
    func jsonError() {
        let body = #"{"error":{"code":"insufficient_quota"}}"#
        let passage = self.passage(.chatCompletions, 429, "application/json; charset=utf-8")
        #expect(run(passage, [body]) == ["send 429 [\(body)] whole"])
        #expect(passage.passage.refusalCode(status: 429) == "quota_exhausted")
        #expect(passage.objectID == nil)
    }

    @Test("an error page is wrapped on an AI route and passes elsewhere")
    func errorPage() {
        let page = "<html>\n<h1>Bad\u{7} Gateway</h1>" + String(repeating: "x", count: 9_000)
        let wrapped = self.passage(.messages, 502, "text/html")
        let actions = run(wrapped, [page], batches: true)
        #expect(actions.count == 1)
        #expect(actions.first?.hasPrefix("wrap 502 answered 502, not in JSON: html h1 Bad Gateway /h1 xxx") == true)
        #expect((actions.first?.count ?? 0) < 200)
        let empty = self.passage(.messages, 503, "")
        #expect(run(empty, []) == ["wrap 503 answered 503 without a body"])
        let passed = self.passage(nil, 502, "text/html")
        #expect(run(passed, ["<p>"]) == ["send 502 [<p>] whole"])
    }

    private static let event = #"data: {"choices":[{"delta":{"content":"a"}}]}"# + "\n\n"

    @Test("a stream leaves event by event and ends whole")
    func stream() {
        let passage = self.passage(.chatCompletions, 200, "Text/Event-Stream; charset=utf-8")
        #expect(
            run(passage, ["da", String(Self.event.dropFirst(2)), "data: [DONE]\n\n"], batches: true)
                == ["send 200 [\(Self.event)]", "send [data: [DONE]\n\n]", "send [] whole"])
        #expect(passage.isStream && !passage.isCutShort && !passage.endedInError && passage.estimatedOutput == 1)
    }

    @Test("a stream that ends before its end is broken off, or wrapped when nothing has left")
    func cutShort() {
        let begun = self.passage(.chatCompletions, 200, "text/event-stream")
        #expect(run(begun, [Self.event]) == ["send 200 [\(Self.event)]", "break off"])
        #expect(begun.isCutShort && begun.mayAddEvent)
        let empty = self.passage(.chatCompletions, 200, "text/event-stream")
        #expect(run(empty, []) == ["wrap 502 ended its stream before it began"])
        #expect(!empty.mayAddEvent)
    }

    @Test("a stream that begins with an error is answered with its status; a later error passes")
    func streamError() {
        let error = #"{"error":{"type":"rate_limit_error"}}"#
        let first = self.passage(.chatCompletions, 200, "text/event-stream")
        #expect(run(first, ["data: \(error)\n\n"], ends: false) == ["replace 429 \(error)"])
        let later = self.passage(.chatCompletions, 200, "text/event-stream")
        #expect(
            run(later, [Self.event, "data: \(error)\n\n"])
                == ["send 200 [\(Self.event)]", "send [data: \(error)\n\n]", "send [] whole"])
        #expect(later.endedInError)
    }

    @Test("a stream with an event beyond the limit ends whole: it passed unread")
    func hugeEvent() {
        let passage = self.passage(.responses, 200, "text/event-stream")
        _ = passage.passage.receive(buffer("data: {\"type\":\"response.created\"}\n\n"))
        _ = passage.passage.receive(ByteBuffer(repeating: 0x78, count: Limits.eventBytesMax + 1))
        #expect(describe(passage.passage.receive(buffer("\n\n"))) == "send [\n\n]")
        #expect(describe(passage.passage.end()) == "send [] whole")
        #expect(!passage.mayAddEvent)
    }

    @Test("a list is held whole, and one beyond the limit is broken off; its error passes")
    func list() {
        let passage = self.passage(nil, 200, "application/json", lists: true)
        #expect(run(passage, ["{", "}"], batches: true) == ["list 200 {}"])
        let long = self.passage(nil, 200, "application/json", lists: true)
        let bytes = ByteBuffer(repeating: 0x20, count: Limits.objectListBytesMax)
        #expect(describe(long.passage.receive(bytes)) == "nothing")
        #expect(describe(long.passage.receive(buffer(" "))) == "break off")
        let refused = self.passage(nil, 401, "application/json", lists: true)
        #expect(run(refused, ["{}"]) == ["send 401 [{}] whole"])
    }

    @Test("only an answer that is read is decoded; a body without a head is broken off")
    func decoding() {
        #expect(passage(.chatCompletions, 200, "application/json", encoding: "gzip").isDecoded)
        #expect(!passage(.chatCompletions, 200, "application/json").isDecoded)
        #expect(!passage(nil, 200, "application/json", encoding: "gzip").isDecoded)
        let headless = Walk(AnswerPassage(route: nil, stripsUsage: false))
        #expect(run(headless, ["x"]) == ["break off", "break off"])
    }
}
