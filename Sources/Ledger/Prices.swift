/// Prices of models: what settings say for exactly this name, else the built-in table (`PriceTable`).
package struct Prices: Sendable {
    private let overrides: [String: ModelPrice]

    package init(overrides: [String: ModelPrice] = [:]) { self.overrides = overrides }

    /// The price of a model; nil when nobody knows it. A setting's exact name wins, then the longest name of the table
    /// that begins the model's own, where `-`, `@` or `:` must follow: `gpt-4o-mini-2024-07-18` is a `gpt-4o-mini`.
    /// O(parts of the name).
    package func price(of model: String) -> ModelPrice? {
        if let price = overrides[model] { return price }
        guard model.utf8.count <= 256 else { return nil }
        var name = Substring(model)
        while !name.isEmpty {
            if let price = PriceTable.prices[String(name)] { return price }
            guard let end = name.utf8.lastIndex(where: { Self.separators.contains($0) }) else { return nil }
            name = name[..<end]
        }
        return nil
    }

    /// The cost of one request in nanodollars (10^-9 US dollars); nil when the model's price is unknown.
    package func cost(model: String, usage: TokenUsage) -> Int64? { price(of: model)?.cost(usage) }

    private static let separators = Array("-@:".utf8)
}
