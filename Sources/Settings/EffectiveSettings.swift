internal import Base

/// One table of the file with its settings' values, in the order they are shown.
struct EffectiveTable {
    /// `["server"]`, `["providers", "openai"]`
    let path: [String]
    /// Nil values are not set.
    let values: [(key: String, value: RawValue?)]

    init<Root>(_ path: [String], _ settings: [Setting<Root>], _ root: Root) {
        self.path = path
        values = settings.map { ($0.key, $0.raw(root)) }
    }
}

extension Settings {
    /// All tables: the general ones in their order, one for each provider and model where their section stands.
    var tables: [EffectiveTable] {
        SettingTable.sections.flatMap { section in
            switch section.name {
            case "providers": providers.map { EffectiveTable(["providers", $0.name], SettingTable.provider, $0) }
            case "models": models.map { EffectiveTable(["models", $0.name], SettingTable.model, $0) }
            default: [EffectiveTable([section.name], SettingTable.general(in: section.name), self)]
            }
        }
    }
}

extension SettingTable {
    /// The settings of one table that exists once.
    static func general(in section: String) -> [Setting<Settings>] { general.filter { $0.path[0] == section } }
}

extension LoadedSettings {
    /// The effective values as TOML; secrets as `"***"`.
    /// - Parameter origin: adds to each line where its value comes from.
    package func show(origin: Bool) -> String {
        settings.tables.map { table in
            let lines = table.values.compactMap { key, value -> String? in
                guard let value else { return nil }
                let note = origin ? "  # \(origins[tomlPath(table.path + [key])] ?? .default)" : ""
                return "\(tomlKey(key)) = \(value.toml)\(note)"
            }
            return "[\(tomlPath(table.path))]\n" + lines.map { $0 + "\n" }.joined()
        }.joined(separator: "\n")
    }

    /// The same as one JSON object in the file's names; settings without a value are null.
    /// - Parameter origin: gives `{"value": …, "origin": "…"}` in place of each value.
    package func json(origin: Bool) -> String {
        let sections = SettingTable.sections.map { section in
            let tables = settings.tables.filter { $0.path[0] == section.name }
            let isNamed = section.name == "providers" || section.name == "models"
            let body =
                isNamed
                ? object(tables.map { ($0.path[1], members($0, origin)) })
                : tables.first.map { members($0, origin) } ?? "{}"
            return (section.name, body)
        }
        return object(sections)
    }

    private func members(_ table: EffectiveTable, _ origin: Bool) -> String {
        object(
            table.values.map { key, value in
                let json = value?.json ?? "null"
                guard origin else { return (key, json) }
                let place = (origins[tomlPath(table.path + [key])] ?? .default).description
                return (key, object([("value", json), ("origin", JSONText.quote(place))]))
            })
    }

    private func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\(JSONText.quote($0.0)):\($0.1)" }.joined(separator: ",") + "}"
    }
}
