extension Settings {
    /// A model name that clients use: where its requests go and what it costs.
    package struct Model: Sendable, Equatable {
        /// What clients put into `model`.
        package var name: String
        /// Empty: the provider that claims the name in its `models`.
        package var targets: [Target] = []
        /// US dollars per million tokens; nil: the built-in price list decides.
        package var priceInput: Double?
        /// US dollars per million tokens.
        package var priceOutput: Double?
        /// US dollars per million tokens that the provider read from its own prompt cache.
        package var priceCachedInput: Double?
        /// Which of its answers are kept; nil: `cache.policy` says.
        package var cache: CachePolicy?

        /// A model without targets and prices of its own.
        package init(name: String) { self.name = name }
    }

    /// One provider that may answer for a model.
    package struct Target: Sendable, Equatable {
        /// Name of a provider that exists.
        package var provider: String
        /// The provider's own name for the model; nil: the same.
        package var model: String?
        /// Share of the requests among targets of the same priority.
        package var weight = 1
        /// 1 is asked first; higher numbers when the lower ones fail.
        package var priority = 1

        /// One equal share, asked first, under the same model name unless said otherwise.
        package init(provider: String, model: String? = nil, weight: Int = 1, priority: Int = 1) {
            self.provider = provider
            self.model = model
            self.weight = weight
            self.priority = priority
        }
    }
}
