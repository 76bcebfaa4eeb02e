/// Why an answer is not kept. The raw value stands in `Cache-Status` and as a metric's label.
package enum DiscardReason: String, Sendable, CaseIterable {
    case status, incomplete, refusal, unfinished, empty
    case invalidToolArguments = "invalid_tool_arguments"
}

/// What may be stored: the rules, in the order in which they are asked. An answer that passes all is kept.
package struct AnswerRule: Sendable {
    package let reason: DiscardReason
    /// For people (`weir inspect cache`).
    package let sentence: String
    let applies: @Sendable (_ status: Int, AnswerFamily, AnswerSummary) -> Bool

    /// An open list would keep what a provider invents tomorrow: `length`, `max_tokens`, `content_filter`, `refusal`
    /// and `pause_turn` are not the whole answer, and so is whatever is not here.
    private static let finished: Set = [
        "stop", "tool_calls", "function_call", "end_turn", "stop_sequence", "tool_use", "completed",
    ]

    package static let table = [
        AnswerRule(reason: .status, sentence: "its status is not 200") { status, _, _ in status != 200 },
        AnswerRule(reason: .incomplete, sentence: "it broke off, or an error stood in it") { !$2.isComplete },
        AnswerRule(reason: .refusal, sentence: "the model refused") { $2.isRefusal },
        AnswerRule(reason: .unfinished, sentence: "a choice ended otherwise than by its own end or a tool call") {
            guard $1 != .embeddings, $1 != .countTokens else { return false }
            return $2.finishReasons.isEmpty || !$2.finishReasons.allSatisfy(finished.contains)
        },
        AnswerRule(reason: .empty, sentence: "there is nothing in it") { $2.isEmpty },
        AnswerRule(reason: .invalidToolArguments, sentence: "a tool call's arguments are not JSON") {
            $2.hasInvalidToolArguments
        },
    ]

    /// Why the answer must not be kept; nil when it may be.
    package static func discard(_ answer: AnswerSummary, status: Int, family: AnswerFamily) -> DiscardReason? {
        table.first { $0.applies(status, family, answer) }?.reason
    }
}
