import ArgumentParser
import Base
import Ledger
import Operations
import SQLite

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how the running server is doing.")
    @OptionGroup var place: PlaceOptions
    @OptionGroup var output: JSONOption

    /// Nothing runs on this folder.
    struct NotRunning: Failure {
        let code = "not_running"
        let folder: String
        var message: String { "no server runs on the data folder \(folder); start one with weir serve" }
    }

    func run() throws {
        guard case .running(let server) = try ServerAccess(place.dataFolder) else {
            throw NotRunning(folder: place.dataFolder)
        }
        let status = try server.call("GET", "/status")
        guard !output.json else { return say(status) }
        func value(_ name: String) -> String { JSONDocumentText.member(name, of: status) ?? "?" }
        say("weir \(value("version")) on \(value("listen")), up \(value("uptimeSeconds")) s")
        say(
            "memory \((Int(value("memoryBytes")) ?? 0) >> 20) MiB, \(value("openFiles")) files,"
                + " \(value("openConnections")) connections")
        say("")
        say(try TextTable(status, list: "providers", columns: ["name", "dialect", "keys"]).text)
        say("\nthe last 24 hours")
        say(
            try TextTable(
                status, list: "lastDay",
                columns: [
                    "model", "requests", "saved", "inputTokens", "outputTokens", "cachedInputTokens", "costDollars",
                    "savedDollars",
                ]
            ).text)
    }
}
