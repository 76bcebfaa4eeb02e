extension SettingTable {
    /// Every environment variable with its type, its default and what it is for: the end of `weir serve --help`.
    package static func environmentHelp() -> String {
        let entries =
            general.map { entry($0, Settings()) }
            + provider.map { entry($0, nil) } + model.map { entry($0, nil) }
        return entries.joined() + """
            <NAME> is the provider's or model's name in upper case, with _ for everything but letters and digits.
            Lists are written a,b,c. The same settings stand in appliance.conf: see `weir config defaults`.

            """
    }

    private static func entry<Root>(_ setting: Setting<Root>, _ root: Root?) -> String {
        let value = root.flatMap { setting.raw($0)?.toml }
        let note = value.map { "\(setting.typeName), default \($0)" } ?? setting.typeName
        let doc = wrap(setting.doc.split(separator: " ").map(String.init), columns: 92)
        return "  \(setting.variable(for: nil))  (\(note))\n" + doc.map { "      \($0)\n" }.joined()
    }
}
