import Base
import NIOCore
import Testing

@testable import ResponseCache

@Suite("what may be stored")
struct AnswerRuleTests {
    private func answer(_ reasons: [String], _ change: (inout AnswerSummary) -> Void = { _ in }) -> AnswerSummary {
        var answer = AnswerSummary()
        (answer.isComplete, answer.isEmpty, answer.finishReasons) = (true, false, reasons)
        change(&answer)
        return answer
    }

    @Test(
        "an answer that came to its own end is kept",
        arguments: ["stop", "tool_calls", "end_turn", "stop_sequence", "tool_use", "completed"])
    func kept(_ reason: String) {
        #expect(AnswerRule.discard(answer([reason]), status: 200, family: .chat) == nil)
        #expect(AnswerRule.discard(answer([]), status: 200, family: .embeddings) == nil)
    }

    @Test(
        "what was cut short, filtered or refused is not",
        arguments: ["length", "max_tokens", "content_filter", "refusal", "pause_turn", "new", ""])
    func unfinished(_ reason: String) {
        #expect(AnswerRule.discard(answer(["stop", reason]), status: 200, family: .messages) == .unfinished)
    }

    @Test("every other rule of the table")
    func others() {
        func discard(_ status: Int = 200, _ change: (inout AnswerSummary) -> Void) -> DiscardReason? {
            AnswerRule.discard(answer(["stop"], change), status: status, family: .chat)
        }
        #expect(AnswerRule.discard(answer([]), status: 200, family: .chat) == .unfinished)
        #expect(discard(201) { _ in } == .status)
        #expect(discard { $0.isComplete = false } == .incomplete)
        #expect(discard { $0.isEmpty = true } == .empty)
        #expect(discard { $0.hasInvalidToolArguments = true } == .invalidToolArguments)
        #expect(discard { $0.isRefusal = true } == .refusal)
        #expect(Set(AnswerRule.table.map(\.reason)) == Set(DiscardReason.allCases))
    }
}
