import Base
import Settings
import Testing

/// The checkout's own file: three folders above this one's.
private let shippedFile = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/appliance.conf"

@Test("the shipped appliance.conf is what the table generates")
func shippedFileIsGenerated() throws {
    let shipped = try SmallFile.text(shippedFile)
    #expect(shipped == SettingTable.defaultsFile(), "write it anew with: weir config defaults > appliance.conf")
}

@Test("loading the shipped file gives exactly the defaults")
func shippedFileIsDefaults() throws {
    let loaded = try load(SettingTable.defaultsFile())
    #expect(loaded.settings == Settings())
    #expect(loaded.settings == (try load()).settings)
    #expect(loaded.warnings.isEmpty)
}

@Test("every example of the shipped file can be used as it stands")
func shippedExamplesAreValid() throws {
    let lines = SettingTable.defaultsFile().split(separator: "\n", omittingEmptySubsequences: false).map { line in
        let isExample = line.hasPrefix("#") && !line.hasPrefix("# ")
        // `keys` stands instead of `key`, and the file of authorities is not on this machine.
        if line.hasPrefix("#keys") || line.hasPrefix("#ca-file") { return "" }
        return String(isExample ? line.dropFirst() : line)
    }
    let keys = ["OPENAI_API_KEY": "sk-openai", "ANTHROPIC_API_KEY": "sk-anthropic", "ADMIN_KEY": "sk-admin"]
    let settings = try load(lines.joined(separator: "\n"), environment: keys).settings
    #expect(settings.providers.map(\.name) == ["anthropic", "local", "openai"])
    #expect(settings.auth.adminKey == Secret("sk-admin"))
    #expect(settings.gateway.proxy == "http://proxy.internal:3128")
    var openai = Settings.Provider(name: "openai")
    openai.keys = [Secret("sk-openai")]
    openai.authHeader = "authorization"
    #expect(settings.providers.last == openai, "the example of a provider shows the defaults")
    #expect(settings.models.first?.targets.map(\.provider) == ["openai", "local"])
    #expect(settings.models.first?.priceCachedInput == 0.075)
    #expect(settings.models.first?.cache == .strict)
}

@Test("the shipped file keeps its lines short and explains every setting")
func shippedFileIsReadable() {
    let lines = SettingTable.defaultsFile().split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.allSatisfy { $0.count <= 110 })
    for (previous, line) in zip(lines, lines.dropFirst()) where line.contains(" = ") && !line.hasPrefix("# ") {
        let explained = previous.hasPrefix("# ") || previous.hasPrefix("#[") || previous.hasPrefix("#dialect")
        #expect(explained, "\(line) has no comment above it")
    }
}

@Test("the environment's help names every variable once")
func environmentHelpIsComplete() {
    let help = SettingTable.environmentHelp()
    let names = help.split(separator: "\n").compactMap { line in
        line.hasPrefix("  WEIR_") ? line.dropFirst(2).split(separator: " ").first.map(String.init) : nil
    }
    #expect(Set(names).count == names.count)
    #expect(names.contains("WEIR_SERVER_LISTEN"))
    #expect(names.contains("WEIR_PROVIDERS_<NAME>_BASE_URL"))
    #expect(names.contains("WEIR_MODELS_<NAME>_PRICE_CACHED_INPUT"))
    #expect(help.contains("default \"127.0.0.1:7411\""))
}
