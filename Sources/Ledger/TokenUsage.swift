/// What one request used, as its provider reported it.
package struct TokenUsage: Hashable, Sendable {
    /// All tokens of the prompt, those read from and written to the provider's prompt cache included.
    package var input: Int
    /// All tokens of the answer, reasoning included.
    package var output: Int
    /// Prompt tokens that the provider's cache held: part of `input`.
    package var cachedInput: Int
    /// Prompt tokens written to the provider's cache for five minutes: part of `input`.
    package var cacheWrite5m: Int
    /// The same for an hour.
    package var cacheWrite1h: Int
    /// Answer tokens spent on reasoning: part of `output`.
    package var reasoning: Int

    package init(
        input: Int = 0, output: Int = 0, cachedInput: Int = 0, cacheWrite5m: Int = 0, cacheWrite1h: Int = 0,
        reasoning: Int = 0
    ) {
        self.input = input
        self.output = output
        self.cachedInput = cachedInput
        self.cacheWrite5m = cacheWrite5m
        self.cacheWrite1h = cacheWrite1h
        self.reasoning = reasoning
    }
}
