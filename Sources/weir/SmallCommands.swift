import ArgumentParser
import Base
import Settings

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version and those of the libraries inside.")
    @OptionGroup var output: JSONOption

    func run() throws {
        if output.json {
            say(JSONValue.object(Versions.all.map { ($0.0, .string($0.1)) }).text)
        } else {
            for (name, version) in Versions.all { say("\(name) \(version)") }
        }
    }
}

struct CompletionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions", abstract: "Print a completion script.")
    @Argument(help: "bash, zsh or fish.") var shell: String

    func run() throws {
        guard let shell = CompletionShell(rawValue: shell) else {
            throw ValidationError("the shell must be bash, zsh or fish")
        }
        say(Weir.completionScript(for: shell))
    }
}

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check, show or print settings.",
        subcommands: [Check.self, Show.self, Defaults.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a settings file; status 78 and all problems at once when it is bad.")
        @Argument(help: "The file. Default: the one `weir serve` would read.") var file: String?

        func run() throws {
            var place = PlaceOptions()
            place.config = file
            let loaded = try place.load()
            for warning in loaded.warnings { talk("weir: warning: \(warning)") }
            say("\(place.settingsFile ?? "the defaults"): ok")
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the settings in force, secrets masked.")
        @OptionGroup var place: PlaceOptions
        @OptionGroup var output: JSONOption
        @Flag(help: "Say where each value comes from.") var origin = false

        func run() throws {
            let loaded = try place.load()
            say(output.json ? loaded.json(origin: origin) : loaded.show(origin: origin))
        }
    }

    struct Defaults: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print appliance.conf with every setting at its default.",
            discussion: SettingTable.environmentHelp())

        func run() { writeText(SettingTable.defaultsFile(), to: 1) }
    }
}
