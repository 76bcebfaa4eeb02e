internal import Base

// The tables whose names the operator chooses: `[providers.NAME]` and `[models.NAME]`.
extension SettingResolver {
    /// Every provider that the file declares or the environment implies, sorted by name.
    mutating func providers() -> [Settings.Provider] {
        let declared = names(in: "providers")
        var all = Set(declared)
        for known in WellKnownProvider.allCases {
            let isSet = SettingTable.provider.contains { environment[$0.variable(for: known.rawValue)] != nil }
            let isImplied = declared.isEmpty && environment[known.keyVariable].map { !$0.isEmpty } == true
            if isSet || isImplied { all.insert(known.rawValue) }
        }
        return all.sorted().compactMap { provider($0) }
    }

    /// Every model that the file declares, sorted by name.
    mutating func models() -> [Settings.Model] {
        names(in: "models").sorted().compactMap { name in
            guard isModelName(name) else {
                report(["models", name], "a model's name is 1 to 200 visible characters without spaces and *")
                return nil
            }
            var model = Settings.Model(name: name)
            resolve(SettingTable.model, name: name, into: &model)
            return model
        }
    }

    private func names(in section: String) -> [String] {
        guard case .table(let tables) = document?.root[section] else { return [] }
        return tables.filter { if case .table = $0.value { true } else { false } }.map(\.key)
    }

    private mutating func provider(_ name: String) -> Settings.Provider? {
        guard isValidName(name) else {
            report(["providers", name], "a provider's name is 1 to 128 of A-Z a-z 0-9 . _ -, a letter or digit first")
            return nil
        }
        var provider = Settings.Provider(name: name)
        let skipped = chooseKeys(name)
        let before = problems.count
        resolve(SettingTable.provider, name: name, skipping: skipped, into: &provider)
        shareOrigin(of: name, skipped: skipped)
        if problems.count == before { check(provider) }
        return provider
    }

    /// `key` and `keys` set the same field: which of them does not count.
    private mutating func chooseKeys(_ name: String) -> Set<String> {
        guard let single = SettingTable.provider.first(where: { $0.key == "key" }),
            let several = SettingTable.provider.first(where: { $0.key == "keys" })
        else { preconditionFailure("the table has both") }
        guard let (_, keysOrigin) = source(several, name) else { return ["keys"] }
        guard let (_, keyOrigin) = source(single, name, conventional: false) else { return ["key"] }
        if case .environment = keyOrigin, case .file = keysOrigin { return ["keys"] }
        if case .environment = keysOrigin, case .file = keyOrigin { return ["key"] }
        setOrigin(several.path(for: name), keysOrigin)
        report(several.path(for: name), "key and keys are both set: keep one")
        return ["key", "keys"]
    }

    /// The keys have one origin, whichever of the two settings they came by.
    private mutating func shareOrigin(of name: String, skipped: Set<String>) {
        guard skipped.count == 1, let other = skipped.first else { return }
        let used = other == "key" ? "keys" : "key"
        guard let origin = origins[tomlPath(["providers", name, used])] else { return }
        setOrigin(["providers", name, other], origin)
    }

    /// What no single setting can tell.
    private mutating func check(_ provider: Settings.Provider) {
        let path = ["providers", provider.name]
        if origins[tomlPath(path + ["dialect"])] == .default && WellKnownProvider(rawValue: provider.name) == nil {
            report(path + ["dialect"], #"is required: "openai" or "anthropic""#)
        }
        if provider.baseURL.isEmpty {
            report(path + ["base-url"], #"is required, such as "http://127.0.0.1:11434/v1""#)
        }
        if provider.dialect == .anthropic && provider.baseURL.hasSuffix("/v1") {
            report(path + ["base-url"], #"leave out "/v1": for dialect anthropic it is added to every request"#)
        }
        let carrier = provider.authHeaderName
        if !provider.keys.isEmpty && provider.headers.contains(where: { $0.name.lowercased() == carrier }) {
            report(path + ["headers"], "\(carrier) already carries the key: keep one of them")
        }
    }
}
