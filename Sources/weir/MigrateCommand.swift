import ArgumentParser
import Base
import Ledger
import Operations
import SQLite

struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Change the format of weir.db; the server must not run.",
        discussion: "`weir serve` migrates up by itself; `down` prepares the folder for an older release.",
        subcommands: [Up.self, Down.self])

    struct Up: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "To the newest format, or to N.")
        @Argument(help: "The format's number.") var version: Int?
        @OptionGroup var place: PlaceOptions
        func run() throws { try migrate(place, to: version ?? MainDatabase.migrations.newest) }
    }

    struct Down: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "To format N. What N does not know is deleted.")
        @Argument(help: "The format's number.") var version: Int
        @OptionGroup var place: PlaceOptions
        func run() throws { try migrate(place, to: version) }
    }
}

private func migrate(_ place: PlaceOptions, to version: Int) throws {
    let folder = try DataFolder(place.dataFolder)
    guard (0...MainDatabase.migrations.newest).contains(version) else {
        throw ValidationError("formats go from 0 to \(MainDatabase.migrations.newest)")
    }
    let (from, to) = try DatabaseFile.migrate(
        "\(folder.path)/\(MainDatabase.fileName)", migrations: MainDatabase.migrations, to: version)
    say("\(MainDatabase.fileName): format \(from) -> \(to)")
}
