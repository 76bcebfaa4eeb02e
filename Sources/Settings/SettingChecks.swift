// Names that lead nowhere: providers that do not exist, keys that nobody reads.
extension SettingResolver {
    /// Targets and `passthrough` name providers. The default of `passthrough` may lead nowhere, also when it is
    /// written out as in the shipped file.
    mutating func checkReferences(_ settings: Settings) {
        let known = settings.providers.map(\.name)
        for model in settings.models {
            for target in model.targets where !known.contains(target.provider) {
                report(["models", model.name, "targets"], unknownProvider(target.provider, known))
            }
        }
        let passthrough = settings.gateway.passthrough
        if let name = passthrough, passthrough != Settings().gateway.passthrough, !known.contains(name) {
            report(["gateway", "passthrough"], unknownProvider(name, known))
        }
    }

    private func unknownProvider(_ name: String, _ known: [String]) -> String {
        let shown = RawValue.string(name).shown
        if known.isEmpty { return "no provider \(shown): there is none at all" }
        if let near = nearestName(to: name, among: known) { return "no provider \(shown); did you mean \"\(near)\"?" }
        return "no provider \(shown); there are \(known.prefix(10).joined(separator: ", "))"
    }

    /// Every key of the file must be in the table.
    mutating func checkUnknownNames() {
        guard let root = document?.root else { return }
        let sections = SettingTable.sections.map(\.name)
        for (section, value) in root.sorted(by: { $0.key < $1.key }) {
            guard sections.contains(section) else { reportUnknown([section], among: sections); continue }
            guard case .table(let members) = value else {
                report([section], "expected a table [\(section)], got \(value.shown)")
                continue
            }
            switch section {
            case "providers": checkNamed(section, members, SettingTable.provider.map(\.key))
            case "models": checkNamed(section, members, SettingTable.model.map(\.key))
            default: check([section], members, SettingTable.general.filter { $0.path[0] == section }.map(\.key))
            }
        }
    }

    private mutating func checkNamed(_ section: String, _ tables: [String: RawValue], _ known: [String]) {
        for (name, value) in tables.sorted(by: { $0.key < $1.key }) {
            if case .table(let members) = value {
                check([section, name], members, known)
            } else {
                let hint = known.contains(name) ? "; \(name) belongs into [\(section).NAME]" : ""
                report([section, name], "expected a table [\(tomlPath([section, name]))]\(hint)")
            }
        }
    }

    private mutating func check(_ path: [String], _ members: [String: RawValue], _ known: [String]) {
        for name in members.keys.sorted() where !known.contains(name) { reportUnknown(path + [name], among: known) }
    }

    private mutating func reportUnknown(_ path: [String], among siblings: [String]) {
        let (parent, name) = (Array(path.dropLast()), path[path.count - 1])
        if parent.count == 2, case .table = document?.value(at: path) {
            let whole = tomlPath([parent[0], "\(parent[1]).\(name)"])
            report(path, "no such setting; a name with a dot stands in quotes, as in [\(whole)]")
            return
        }
        let elsewhere = SettingTable.general.first { $0.key == name }?.path
        let near = nearestName(to: name, among: siblings).map { parent + [$0] }
        if let suggestion = elsewhere ?? near {
            report(path, "no such setting; did you mean \"\(tomlPath(suggestion))\"?")
        } else {
            report(path, "no such setting; there are \(siblings.joined(separator: ", "))")
        }
    }

    /// A flag that no setting has is a mistake of the caller's.
    mutating func checkUnknownFlags() {
        for flag in flags.keys.sorted() where !knownFlags.contains(flag) { report(.flag(flag), "no such flag") }
    }

    /// A variable that nothing reads may be meant for another version: worth a word, no reason to stop.
    mutating func checkUnknownVariables() {
        let referenced = document.map { RawValue.table($0.root).referencedVariables } ?? []
        let known = SettingsLoader.reservedVariables.union(referenced)
        for name in environment.keys.sorted() where name.hasPrefix("WEIR_") {
            if variables[name] != nil || known.contains(name) { continue }
            var warning = "\(name) is set but no setting reads it"
            if let near = nearestName(to: name, among: variables.keys.sorted(), atMost: 4) {
                warning += "; did you mean \(near)?"
            } else if name.hasPrefix("WEIR_PROVIDERS_") || name.hasPrefix("WEIR_MODELS_") {
                warning += "; the settings file has no provider or model of that name"
            }
            warnings.append(warning)
        }
    }
}

extension RawValue {
    /// The variables that `env:NAME` texts inside name.
    fileprivate var referencedVariables: Set<String> {
        switch self {
        case .string(let text) where text.hasPrefix("env:"): [String(text.dropFirst("env:".count))]
        case .array(let elements): elements.reduce(into: []) { $0.formUnion($1.referencedVariables) }
        case .table(let members): members.values.reduce(into: []) { $0.formUnion($1.referencedVariables) }
        default: []
        }
    }
}
