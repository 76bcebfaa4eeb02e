import ArgumentParser

/// The verbs.
struct Weir: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir",
        abstract: "The performance layer of an AI platform in one file.",
        discussion: """
            Exit codes: 0 ok, 1 failure, 2 forced quit, 64 usage, 65 data corrupt, 69 provider unavailable, 70 internal,
            73 data folder locked, 74 I/O error, 75 try again, 77 permission, 78 bad settings.
            """,
        subcommands: [
            ServeCommand.self, DemoCommand.self, SimulateCommand.self, BenchCommand.self, ConfigCommand.self,
            KeysCommand.self, StatusCommand.self, InspectCommand.self, CacheCommand.self, MigrateCommand.self,
            VersionCommand.self, CompletionsCommand.self,
        ])

    static let release = "0.1.0"
}

/// `--json`: on every verb that reads.
struct JSONOption: ParsableArguments {
    @Flag(help: "Print JSON instead of text.")
    var json = false
}

/// Where a verb finds its server.
struct PlaceOptions: ParsableArguments {
    @Option(help: "Settings file. Default: $WEIR_CONFIG, then ./appliance.conf if it is there.")
    var config: String?

    @Option(help: "Data folder. Default: $WEIR_DATA, then ./data.")
    var data: String?
}
