/// What a million tokens of one model cost, in US dollars.
package struct ModelPrice: Hashable, Sendable {
    package var input: Double
    package var output: Double
    /// Prompt tokens read from the provider's cache.
    package var cachedInput: Double
    /// Prompt tokens written to the provider's cache for five minutes (or its only duration).
    package var cacheWrite5m: Double
    /// The same for an hour.
    package var cacheWrite1h: Double
    /// The dearer rate of long prompts; nil when there is one rate for all.
    package var longPrompt: LongPrompt?

    /// Prompts of more than `above` tokens pay these multiples, for every token of the request.
    package struct LongPrompt: Hashable, Sendable {
        package var above: Int
        package var inputFactor: Double
        package var outputFactor: Double

        package init(above: Int, inputFactor: Double, outputFactor: Double) {
            self.above = above
            self.inputFactor = inputFactor
            self.outputFactor = outputFactor
        }
    }

    /// What is left out costs what a prompt token costs.
    package init(
        input: Double, output: Double, cachedInput: Double? = nil, cacheWrite5m: Double? = nil,
        cacheWrite1h: Double? = nil, longPrompt: LongPrompt? = nil
    ) {
        self.input = input
        self.output = output
        self.cachedInput = cachedInput ?? input
        self.cacheWrite5m = cacheWrite5m ?? input
        self.cacheWrite1h = cacheWrite1h ?? cacheWrite5m ?? input
        self.longPrompt = longPrompt
    }

    /// The cost in nanodollars (10^-9 US dollars), rounded to the nearest. Prices become whole picodollars a token
    /// first; the rest is exact.
    package func cost(_ usage: TokenUsage) -> Int64 {
        let isLong = longPrompt.map { usage.input > $0.above } ?? false
        let inputFactor = isLong ? longPrompt?.inputFactor ?? 1 : 1
        let outputFactor = isLong ? longPrompt?.outputFactor ?? 1 : 1
        let special = max(0, usage.cachedInput) + max(0, usage.cacheWrite5m) + max(0, usage.cacheWrite1h)
        let parts = [
            (max(0, usage.input - special), input * inputFactor),
            (usage.cachedInput, cachedInput * inputFactor),
            (usage.cacheWrite5m, cacheWrite5m * inputFactor),
            (usage.cacheWrite1h, cacheWrite1h * inputFactor),
            (usage.output, output * outputFactor),
        ]
        let picodollars = parts.reduce(Int128(0)) { sum, part in
            sum + Int128(max(0, part.0)) * Int128(Self.picodollarsPerToken(part.1))
        }
        return Int64(clamping: (picodollars + 500) / 1_000)
    }

    /// What the provider's lower price for cached prompt tokens saved, in nanodollars; 0 when it is no lower.
    package func promptCacheSaving(_ usage: TokenUsage) -> Int64 {
        var uncached = usage
        uncached.cachedInput = 0
        return max(0, cost(uncached) - cost(usage))
    }

    /// A dollar for a million tokens is a million picodollars for each. Nonsense (negative, infinite) counts as free.
    private static func picodollarsPerToken(_ dollarsPerMillion: Double) -> Int64 {
        guard dollarsPerMillion.isFinite, dollarsPerMillion > 0 else { return 0 }
        return Int64(min(dollarsPerMillion, 1_000_000_000) * 1_000_000 + 0.5)
    }
}
