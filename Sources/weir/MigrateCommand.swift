import ArgumentParser
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "migrate")
    func run() throws {}
}
