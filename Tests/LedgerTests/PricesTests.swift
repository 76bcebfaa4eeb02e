import Testing

@testable import Ledger

struct PricesTests {
    private let prices = Prices()

    @Test("A dated version costs what its model costs, and the longest name wins")
    func prefixes() {
        #expect(prices.price(of: "gpt-4o-2024-08-06") == prices.price(of: "gpt-4o"))
        #expect(prices.price(of: "gpt-4o-mini-2024-07-18") == prices.price(of: "gpt-4o-mini"))
        #expect(prices.price(of: "gpt-4o-mini") != prices.price(of: "gpt-4o"))
        #expect(prices.price(of: "gpt-4o-2024-05-13")?.input == 5, "a dated name of its own wins")
        #expect(prices.price(of: "claude-sonnet-4-6@20260217")?.input == 3)
        #expect(prices.price(of: "gpt-4.1:beta")?.output == 8)
        #expect(prices.price(of: "claude-opus-4-1-20250805")?.input == 15)
        #expect(prices.price(of: "claude-opus-4-5-20251101")?.input == 5)
    }

    @Test(
        "A name that only begins alike is unknown, never free",
        arguments: ["", "-", "gpt", "gpt-4ox", "gpt-4omni-mini", "gpt-5.9", "llama-3", "claude", "GPT-4o", "o"])
    func unknown(_ model: String) {
        #expect(prices.cost(model: model, usage: TokenUsage(input: 10, output: 10)) == nil)
    }

    @Test("Settings win for their exact name and for no other")
    func overrides() {
        let own = Prices(overrides: [
            "gpt-4o": ModelPrice(input: 1, output: 2), "house": ModelPrice(input: 3, output: 4),
        ])
        #expect(own.price(of: "gpt-4o")?.input == 1)
        #expect(own.price(of: "gpt-4o-2024-08-06")?.input == 2.5)
        #expect(own.price(of: "house-2")?.input == nil)
        #expect(own.cost(model: "house", usage: TokenUsage(input: 1, output: 1)) == 7_000)
    }

    @Test("Costs add up to the nanodollar")
    func exact() {
        // 600 x 0.15 + 400 x 0.075 + 200 x 0.60 dollars a million.
        let mini = TokenUsage(input: 1_000, output: 200, cachedInput: 400, reasoning: 100)
        #expect(prices.cost(model: "gpt-4o-mini", usage: mini) == 240_000)
        // 100 x 3 + 200 x 0.30 + 300 x 3.75 + 400 x 6 + 500 x 15.
        let claude = TokenUsage(input: 1_000, output: 500, cachedInput: 200, cacheWrite5m: 300, cacheWrite1h: 400)
        #expect(prices.cost(model: "claude-sonnet-4-6", usage: claude) == 11_385_000)
        // One token at 0.005 dollars a million is 5 nanodollars.
        #expect(prices.cost(model: "gpt-5-nano", usage: TokenUsage(input: 1, cachedInput: 1)) == 5)
        #expect(prices.cost(model: "gpt-5", usage: TokenUsage()) == 0)
    }

    @Test("Long prompts pay the dearer rate for the whole request")
    func longPrompt() {
        #expect(prices.cost(model: "claude-haiku-5-5", usage: TokenUsage(input: 100_000, output: 10)) == 10_005_000)
        #expect(prices.cost(model: "claude-haiku-5-5", usage: TokenUsage(input: 100_001, output: 10)) == 50_025_500)
        #expect(prices.cost(model: "gpt-5.5", usage: TokenUsage(input: 300_000, output: 10)) == 3_000_450_000)
    }

    @Test("Nonsense from outside neither overflows nor goes negative")
    func nonsense() {
        let huge = TokenUsage(input: .max, output: .max)
        #expect(prices.cost(model: "o1-pro", usage: huge) == .max)
        #expect(prices.cost(model: "gpt-4o", usage: TokenUsage(input: 5, output: -5, cachedInput: 9)) == 11_250)
        let odd = ModelPrice(input: -1, output: .infinity, cachedInput: .nan)
        #expect(odd.cost(TokenUsage(input: 10, output: 10, cachedInput: 2)) == 0)
    }

    @Test("The table's discounts are the published ones")
    func discounts() {
        for (model, share) in [("gpt-4o", 0.5), ("gpt-4o-mini", 0.5), ("gpt-4.1", 0.25), ("gpt-5", 0.1), ("o3", 0.25)] {
            let price = prices.price(of: model)
            #expect(price.map { $0.cachedInput / $0.input } == share, "\(model)")
        }
        for (model, price) in PriceTable.prices where model.hasPrefix("claude-") {
            #expect(price.cacheWrite5m == price.input * 1.25 && price.cacheWrite1h == price.input * 2, "\(model)")
            #expect(price.cachedInput < price.input && price.output > price.input, "\(model)")
        }
    }

    @Test("What the provider's prompt cache saved is the difference to a prompt without it, never below nothing")
    func promptCacheSaving() {
        let usage = TokenUsage(input: 1_000, output: 9, cachedInput: 400, cacheWrite5m: 100)
        #expect(ModelPrice(input: 2, output: 8, cachedInput: 0.5).promptCacheSaving(usage) == 400 * 1_500)
        #expect(ModelPrice(input: 2, output: 8).promptCacheSaving(usage) == 0)
        #expect(ModelPrice(input: 2, output: 8, cachedInput: 3).promptCacheSaving(usage) == 0)
    }
}
