// The settings of `[providers.NAME]` and `[models.NAME]`.
extension SettingTable {
    static let provider: [Setting<Settings.Provider>] = providerAccess + providerLimits

    private static let providerAccess: [Setting<Settings.Provider>] = [
        Setting(
            "providers.*.dialect", \.dialect, .choice,
            "Which API it speaks. Needed unless its name is openai or anthropic."),
        Setting(
            "providers.*.base-url", \.baseURL, .baseURL,
            "Where it is. With /v1 for dialect openai, without it for dialect anthropic."),
        Setting(
            "providers.*.key", \.keys, ValueType.secret.single, secret: true, example: .string("env:OPENAI_API_KEY"),
            conventional: { name in name.flatMap(WellKnownProvider.init).map { [$0.keyVariable] } ?? [] },
            "\"env:NAME\" or \"file:PATH\"; written out only in a file of mode 0600. For openai and anthropic it is "
                + "OPENAI_API_KEY or ANTHROPIC_API_KEY unless set; for others none."),
        Setting(
            "providers.*.keys", \.keys, ValueType.secret.several, secret: true,
            example: .array([.string("env:FIRST_KEY"), .string("env:SECOND_KEY")]),
            "Several keys, used in turn, instead of key. An empty list: no key at all."),
        Setting(
            "providers.*.auth-header", \.authHeader, ValueType.headerName.optional, example: .string("authorization"),
            "The header that carries the key: \"authorization\" as Bearer, any other bare. Unless set: authorization "
                + "for dialect openai, x-api-key for dialect anthropic."),
        Setting(
            "providers.*.headers", \.headers, .headers,
            "Headers sent with every request, as { \"X-Team\" = \"search\", \"X-Token\" = \"env:TOKEN\" }."),
        Setting(
            "providers.*.models", \.models, ValueType.modelPattern.list(),
            "Names of models that go to it when [models] does not say otherwise; `*` at the end stands for any rest."),
    ]

    private static let providerLimits: [Setting<Settings.Provider>] = [
        Setting(
            "providers.*.max-connections", \.maxConnections, .integer(1...10_000),
            "Connections to it at the same time."),
        Setting(
            "providers.*.connect-timeout", \.connectTimeout, .duration(), "For name look-up, TCP and TLS together."),
        Setting(
            "providers.*.first-byte-timeout", \.firstByteTimeout, .duration(),
            "How long it may think before its answer begins."),
        Setting(
            "providers.*.idle-timeout", \.idleTimeout, .duration(), "The longest pause inside its answer."),
        Setting(
            "providers.*.total-timeout", \.totalTimeout, .duration(), "The longest that one request may take."),
        Setting(
            "providers.*.waiting-limit", \.waitingLimit, .integer(0...1_000_000),
            "Requests that may wait for a connection; further ones get 503."),
        Setting(
            "providers.*.waiting-timeout", \.waitingTimeout, .duration(), "How long a request may wait for one."),
        Setting(
            "providers.*.http-version", \.httpVersion, .choice, "HTTP/1.1, or HTTP/2 where it is offered."),
        Setting(
            "providers.*.ca-file", \.caFile, ValueType.readableFile.optional,
            example: .string("/etc/ssl/certs/corporate.pem"),
            "Authorities (PEM) that may sign its certificate. Unless set: the system's."),
        Setting(
            "providers.*.key-cooldown-max", \.keyCooldownMax, .duration(),
            "The longest that a key rests after status 429."),
    ]

    static let model: [Setting<Settings.Model>] = [
        Setting(
            "models.*.targets", \.targets, ValueType.target.list(atMost: 32),
            "Providers that may answer, by name or as a table with the model's name there. The lowest priority number "
                + "is asked first; weight shares the load among equals. Empty: the provider that claims the name."),
        Setting(
            "models.*.price-input", \.priceInput, ValueType.price.optional, example: .number(0.15),
            "US dollars per million input tokens."),
        Setting(
            "models.*.price-output", \.priceOutput, ValueType.price.optional, example: .number(0.6),
            "US dollars per million output tokens."),
        Setting(
            "models.*.price-cached-input", \.priceCachedInput, ValueType.price.optional, example: .number(0.075),
            "US dollars per million input tokens that the provider had in its own cache."),
        Setting(
            "models.*.cache", \.cache, ValueType.choice.optional, example: .string("strict"),
            "Which of its answers are kept: \"standard\", \"strict\", \"all\" or \"off\". Unless set: cache.policy."),
    ]
}

extension ValueType where Value == Secret {
    /// One secret for a list of keys. Shown when there is exactly one, so that `key` and `keys` never both are.
    fileprivate var single: ValueType<[Secret]> {
        let (parse, raw) = (parse, raw)
        return ValueType<[Secret]>(
            name,
            parse: { value, context throws(ValueProblem) in [try parse(value, context)] },
            raw: { keys in keys.count == 1 ? keys.first.flatMap(raw) : nil })
    }

    fileprivate var several: ValueType<[Secret]> {
        let list = list(atMost: 100)
        return ValueType<[Secret]>(
            list.name, parse: list.parse,
            raw: { keys in
                keys.count > 1 ? list.raw(keys) : nil
            })
    }
}
