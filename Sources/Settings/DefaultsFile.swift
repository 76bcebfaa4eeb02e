extension SettingTable {
    /// The shipped `appliance.conf`: every setting at its default, with what it is for. What is unset by default
    /// stands behind a `#`; remove it to set the value.
    package static func defaultsFile() -> String {
        var text = comment(
            "Settings of Weir (TOML), each at its default. A line that begins with # and no space is an "
                + "example; uncomment it to use it. Sizes: B KiB MiB GiB. Durations: ms s m h d. Secrets: \"env:NAME\" "
                + "or \"file:PATH\". A flag wins over the environment (WEIR_SERVER_LISTEN), which wins over this file. "
                + "`weir config check` reads it without starting anything; SIGHUP makes a running server read it "
                + "again.")
        for section in sections {
            text += "\n" + comment(section.doc)
            switch section.name {
            case "providers": text += providerExamples()
            case "models": text += example("[models.\"\(sampleModel.name)\"]", model, sampleModel)
            default:
                text += "[\(section.name)]\n"
                for setting in general(in: section.name) { text += entry(setting, Settings(), mark: "") }
            }
        }
        return text
    }

    private static func providerExamples() -> String {
        example("[providers.openai]", provider, Settings.Provider(name: "openai")) + """

            #[providers.anthropic]
            #key = "env:ANTHROPIC_API_KEY"

            # A server of your own, without a key.
            #[providers.local]
            #dialect = "openai"
            #base-url = "http://127.0.0.1:11434/v1"

            """
    }

    private static var sampleModel: Settings.Model {
        var model = Settings.Model(name: "gpt-4o-mini")
        model.targets = [
            Settings.Target(provider: "openai"),
            Settings.Target(provider: "local", model: "llama3.2", priority: 2),
        ]
        return model
    }

    private static func example<Root>(_ header: String, _ settings: [Setting<Root>], _ root: Root) -> String {
        "#\(header)\n" + settings.map { entry($0, root, mark: "#") }.joined()
    }

    private static func entry<Root>(_ setting: Setting<Root>, _ root: Root, mark: String) -> String {
        let doc = comment(setting.doc + (setting.isReloadable ? "" : " Takes effect at the next start."))
        if let value = setting.raw(root) { return doc + assignment(setting.key, value, mark: mark) }
        guard let example = setting.example else { preconditionFailure("\(setting.path) shows no example") }
        return doc + assignment(setting.key, example, mark: "#")
    }

    /// Long lists go over several lines.
    private static func assignment(_ key: String, _ value: RawValue, mark: String) -> String {
        let line = "\(mark)\(key) = \(value.toml)\n"
        guard line.count > columns, case .array(let elements) = value else { return line }
        let rows = wrap(elements.map { $0.toml + "," }, columns: columns - 1)
        return "\(mark)\(key) = [\n" + rows.map { "\(mark)\($0)\n" }.joined() + "\(mark)]\n"
    }

    private static let columns = 110

    private static func comment(_ text: String) -> String {
        wrap(text.split(separator: " ").map(String.init), columns: columns - 2).map { "# \($0)\n" }.joined()
    }

    /// Fills lines with words.
    static func wrap(_ words: [String], columns: Int) -> [String] {
        var lines: [String] = []
        for word in words {
            if let last = lines.last, last.count + 1 + word.count <= columns {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(word)
            }
        }
        return lines
    }
}
