/// List prices of the current OpenAI and Anthropic models, standard tier, in US dollars for a million tokens, as
/// published in November 2026 (2026-11). Providers change them: a price in the settings always wins over this table,
/// and the cost of what is not here is unknown, never zero. Batch, flex and priority tiers and tools that cost by the
/// call are not in it.
enum PriceTable {
    static let prices: [String: ModelPrice] = openAI.merging(anthropic) { first, _ in first }

    private static let openAI: [String: ModelPrice] = [
        "gpt-6.1-sol": gpt6(2, 10, cached: 0.10),
        "gpt-6.1-terra": gpt6(1, 5, cached: 0.05),
        "gpt-6-astra": gpt6(10, 50, cached: 1),
        "gpt-6-sol": gpt6(2, 10, cached: 0.20),
        "gpt-6-luna": gpt6(0.10, 0.50, cached: 0.01),
        "gpt-5.6": gpt6(4, 20, cached: 0.40),
        "gpt-5.6-sol": gpt6(4, 20, cached: 0.40),
        "gpt-5.6-terra": gpt6(2, 12, cached: 0.20),
        "gpt-5.6-luna": gpt6(0.20, 1.20, cached: 0.02),
        "gpt-5.5": gpt(5, 30, cached: 0.50, long),
        "gpt-5.5-pro": gpt(30, 180, cached: 3, long),
        "gpt-5.4": gpt(2.50, 15, cached: 0.25, long),
        "gpt-5.4-pro": gpt(30, 180, cached: 3, long),
        "gpt-5.4-mini": gpt(0.75, 4.50, cached: 0.075),
        "gpt-5.4-nano": gpt(0.20, 1.25, cached: 0.02),
        "gpt-5.3-chat": gpt(1.75, 14, cached: 0.175),
        "gpt-5.3-codex": gpt(1.75, 14, cached: 0.175),
        "gpt-5.2": gpt(1.75, 14, cached: 0.175),
        "gpt-5.2-pro": gpt(21, 168),
        "gpt-5.1": gpt(1.25, 10, cached: 0.125),
        "gpt-5.1-codex-mini": gpt(0.25, 2, cached: 0.025),
        "gpt-5": gpt(1.25, 10, cached: 0.125),
        "gpt-5-pro": gpt(15, 120),
        "gpt-5-mini": gpt(0.25, 2, cached: 0.025),
        "gpt-5-nano": gpt(0.05, 0.40, cached: 0.005),
        "gpt-4.1": gpt(2, 8, cached: 0.50),
        "gpt-4.1-mini": gpt(0.40, 1.60, cached: 0.10),
        "gpt-4.1-nano": gpt(0.10, 0.40, cached: 0.025),
        "gpt-4o": gpt(2.50, 10, cached: 1.25),
        "gpt-4o-2024-05-13": gpt(5, 15),
        "gpt-4o-mini": gpt(0.15, 0.60, cached: 0.075),
        "gpt-4-turbo": gpt(10, 30),
        "gpt-4": gpt(30, 60),
        "gpt-3.5-turbo": gpt(0.50, 1.50),
        "gpt-3.5-turbo-instruct": gpt(1.50, 2),
        "o4-mini": gpt(1.10, 4.40, cached: 0.275),
        "o4-mini-deep-research": gpt(2, 8, cached: 0.50),
        "o3": gpt(2, 8, cached: 0.50),
        "o3-pro": gpt(20, 80),
        "o3-mini": gpt(1.10, 4.40, cached: 0.55),
        "o3-deep-research": gpt(10, 40, cached: 2.50),
        "o1": gpt(15, 60, cached: 7.50),
        "o1-pro": gpt(150, 600),
        "text-embedding-3-small": gpt(0.02, 0),
        "text-embedding-3-large": gpt(0.13, 0),
        "text-embedding-ada-002": gpt(0.10, 0),
    ]

    private static let anthropic: [String: ModelPrice] = [
        "claude-fable-5-1": claude(10, 50, cached: 0.25),
        "claude-fable-5": claude(10, 50, cached: 1),
        "claude-mythos-5-1": claude(10, 50, cached: 0.25),
        "claude-mythos-5": claude(10, 50, cached: 1),
        "claude-opus-5-5": claude(4, 20, cached: 0.20),
        "claude-opus-5": claude(5, 25, cached: 0.50),
        "claude-opus-4-8": claude(5, 25, cached: 0.50),
        "claude-opus-4-7": claude(5, 25, cached: 0.50),
        "claude-opus-4-6": claude(5, 25, cached: 0.50),
        "claude-opus-4-5": claude(5, 25, cached: 0.50),
        "claude-opus-4": claude(15, 75, cached: 1.50),
        "claude-sonnet-5-5": claude(2, 10, cached: 0.10),
        "claude-sonnet-5": claude(2, 10, cached: 0.20),
        "claude-sonnet-4-6": claude(3, 15, cached: 0.30),
        "claude-sonnet-4": claude(3, 15, cached: 0.30, .init(above: 200_000, inputFactor: 2, outputFactor: 1.5)),
        "claude-haiku-5-5": claude(0.10, 0.50, cached: 0.01, .init(above: 100_000, inputFactor: 5, outputFactor: 5)),
        "claude-haiku-4-5": claude(1, 5, cached: 0.10),
        "claude-3-7-sonnet": claude(3, 15, cached: 0.30),
        "claude-3-5-sonnet": claude(3, 15, cached: 0.30),
        "claude-3-5-haiku": claude(0.80, 4, cached: 0.08),
        "claude-3-opus": claude(15, 75, cached: 1.50),
        "claude-3-haiku": claude(0.25, 1.25, cached: 0.03),
    ]

    private static let long = ModelPrice.LongPrompt(above: 272_000, inputFactor: 2, outputFactor: 1.5)

    /// Writing to OpenAI's cache costs what a prompt token costs.
    private static func gpt(
        _ input: Double, _ output: Double, cached: Double? = nil, _ longPrompt: ModelPrice.LongPrompt? = nil
    ) -> ModelPrice {
        ModelPrice(input: input, output: output, cachedInput: cached, longPrompt: longPrompt)
    }

    /// From GPT-5.6 on, writing to the cache costs a quarter more, and prompts past 272,000 tokens cost more.
    private static func gpt6(_ input: Double, _ output: Double, cached: Double) -> ModelPrice {
        ModelPrice(
            input: input, output: output, cachedInput: cached, cacheWrite5m: input * 1.25,
            cacheWrite1h: input * 1.25, longPrompt: long)
    }

    /// Writing to Anthropic's cache costs 1.25 times a prompt token for five minutes, twice for an hour.
    private static func claude(
        _ input: Double, _ output: Double, cached: Double, _ longPrompt: ModelPrice.LongPrompt? = nil
    ) -> ModelPrice {
        ModelPrice(
            input: input, output: output, cachedInput: cached, cacheWrite5m: input * 1.25, cacheWrite1h: input * 2,
            longPrompt: longPrompt)
    }
}
