import Base

/// Why an answer has no second shape. The caller then treats the entry as a miss.
struct ShapeFailure: Failure {
    let code = "unusable_answer"
    let message: String

    static let notJSON = Self(message: "the answer holds something that is not JSON: ask the provider again")
    static let unfinished = Self(message: "the recorded stream does not end as it should: ask the provider again")
    static let providerError = Self(message: "the recorded stream holds an error: ask the provider again")
    static let unknownForm = Self(message: "the answer has a form that we do not know: ask the provider again")
    static let tooLarge = Self(message: "the answer has more parts than any honest one: ask the provider again")
}

/// Bounds of what one answer may consist of; an honest one stays far below.
enum ShapeLimits {
    /// A million tokens, one event each.
    static let eventsMax = 1 << 20
    /// `n` is at most 128, legacy completions have that for each of up to 16 prompts.
    static let choicesMax = 2_048
    /// Tool calls, content blocks, output items.
    static let partsMax = 1_024
    /// Entries of a list that only grows, as log probabilities do with each token.
    static let entriesMax = 1 << 20
    /// Members of one object that deltas are merged into.
    static let membersMax = 256
    static let mergeDepthMax = 16
    /// Text in one rendered event: some clients read lines into 64 KiB.
    static let pieceBytesMax = 16 << 10
}
