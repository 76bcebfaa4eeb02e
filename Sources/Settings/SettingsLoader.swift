/// Settings with the origin of each, for `config show`, and with what is odd but not wrong.
package struct LoadedSettings: Sendable, Equatable {
    /// Checked and complete.
    package let settings: Settings
    /// By the setting's path, as in `server.listen` or `models."gpt-4.1".price-input`.
    package let origins: [String: Origin]
    /// One sentence each.
    package let warnings: [String]
}

/// Reads the settings: flag over environment over file over default.
package enum SettingsLoader {
    /// Variables that verbs read themselves.
    static let reservedVariables: Set<String> = ["WEIR_DATA", "WEIR_CONFIG", "WEIR_KEY"]

    /// - Parameters:
    ///   - file: the settings file by the name the operator gave; nil: there is none.
    ///   - flags: values by the flag's name without dashes; the table knows `listen`.
    ///   - environment: all of the process's variables.
    /// - Throws: every problem at once (a file that is no TOML is reported alone).
    package static func load(
        file: String?, flags: [String: String], environment: [String: String]
    ) throws(SettingsFailure) -> LoadedSettings {
        var document: TOMLDocument?
        if let file { document = try TOMLDocument.read(file) }
        return try resolve(document, flags: flags, environment: environment)
    }

    static func resolve(
        _ document: TOMLDocument?, flags: [String: String], environment: [String: String]
    ) throws(SettingsFailure) -> LoadedSettings {
        var resolver = SettingResolver(document: document, flags: flags, environment: environment)
        var settings = Settings()
        resolver.resolve(SettingTable.general, name: nil, into: &settings)
        settings.providers = resolver.providers()
        settings.models = resolver.models()
        resolver.checkReferences(settings)
        resolver.checkUnknownNames()
        resolver.checkUnknownFlags()
        resolver.checkUnknownVariables()
        guard resolver.problems.isEmpty else { throw SettingsFailure(problems: resolver.problems) }
        return LoadedSettings(settings: settings, origins: resolver.origins, warnings: resolver.warnings)
    }
}

extension Settings {
    /// The settings that differ and take effect at the next start only. The rest can be applied while running.
    package static func changesNeedingRestart(from old: Settings, to new: Settings) -> [String] {
        SettingTable.general.filter { !$0.isReloadable && $0.differs(old, new) }.map { tomlPath($0.path) }
    }
}
