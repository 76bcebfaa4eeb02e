/// What an answer says about itself: the facts that decide whether it may be kept.
package struct AnswerSummary: Sendable, Equatable {
    /// All of it is there: a stream ended as it should, without an error; a document is whole.
    package var isComplete = false
    /// Why each choice ended, in the provider's words.
    package var finishReasons: [String] = []
    /// No content and no tool call.
    package var isEmpty = true
    /// A tool call whose arguments are no JSON object.
    package var hasInvalidToolArguments = false
    package var isRefusal = false
    /// The model that answered; nil when the answer does not tell.
    package var model: String?
    /// The whole prompt, what a provider's cache gave included.
    package var inputTokens = 0
    package var outputTokens = 0

    package init() {}
}
