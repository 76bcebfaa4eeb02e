import ArgumentParser
import Base
import Ledger
import Operations
import SQLite

struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make, list and revoke keys.",
        discussion: """
            Scopes: ai, passthrough, queue:NAME:put|take, agent:NAME, knowledge:NAME:read|write, metrics, admin.
            A NAME may end in *.
            """,
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a key. Its secret is printed once.")
        @Argument(help: "What the key is for.") var name: String
        @Option(help: "Whose data it reaches. Default: its own name.") var tenant: String?
        @Option(help: "What it may do; repeat for more. Default: ai.") var scope: [String] = []
        @OptionGroup var place: PlaceOptions
        @OptionGroup var output: JSONOption

        func run() throws {
            let scopes = try (scope.isEmpty ? ["ai"] : scope).map { text in
                guard let scope = Scope(text) else {
                    throw ValidationError("'\(text)' is no scope; see weir keys --help")
                }
                return scope
            }
            let (id, secret) = try create(scopes)
            if output.json {
                say(JSONValue.object([("id", .string(id)), ("key", .string(secret))]).text)
            } else {
                say(secret)
                talk("key \(id) made; this is the only time its secret is shown")
            }
        }

        private func create(_ scopes: [Scope]) throws -> (id: String, secret: String) {
            switch try ServerAccess(place.dataFolder) {
            case .running(let server):
                let answer = try server.call(
                    "POST", "/keys",
                    body: .object([
                        ("name", .string(name)), ("tenant", .string(tenant ?? name)),
                        ("scopes", .array(scopes.map { .string($0.description) })),
                    ]))
                return (
                    JSONDocumentText.member("id", of: answer) ?? "", JSONDocumentText.member("key", of: answer) ?? ""
                )
            case .stopped(let folder):
                let (key, secret) = try KeyStore.using(folder.path) {
                    try $0.create(name: name, tenant: tenant, scopes: scopes)
                }
                return (key.id, secret)
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all keys, without their secrets.")
        @Option(help: "Only this tenant's.") var tenant: String?
        @OptionGroup var place: PlaceOptions
        @OptionGroup var output: JSONOption

        func run() throws {
            let keys: String
            switch try ServerAccess(place.dataFolder) {
            case .running(let server): keys = try server.call("GET", "/keys" + (tenant.map { "?tenant=\($0)" } ?? ""))
            case .stopped(let folder):
                let found = try KeyStore.using(folder.path) { try $0.list(tenant: tenant) }
                keys = JSONValue.object([("keys", .array(found.map(\.json)))]).text
            }
            say(
                output.json
                    ? keys
                    : try TextTable(
                        keys, list: "keys", columns: ["id", "name", "tenant", "scopes", "created", "revoked"]
                    ).text)
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revoke a key for good.")
        @Argument(help: "Its id, as `weir keys list` shows it.") var id: String
        @OptionGroup var place: PlaceOptions

        func run() throws {
            guard isValidName(id) else { throw ValidationError("that is no key id; see weir keys list") }
            switch try ServerAccess(place.dataFolder) {
            case .running(let server): _ = try server.call("DELETE", "/keys/\(id)")
            case .stopped(let folder):
                guard try KeyStore.using(folder.path, { try $0.revoke(id: id) }) else {
                    throw ControlSocket.Refusal(
                        code: "not_found", message: "there is no key \(id); see weir keys list", exitCode: .failure)
                }
            }
            talk("key \(id) is revoked")
        }
    }
}

extension KeyStore {
    /// Opens the keys of a folder that no server holds, for one piece of work.
    static func using<T>(_ folder: String, _ work: (KeyStore) throws -> T) throws -> T {
        let database = try MainDatabase.open(folder: folder)
        defer { database.close() }
        return try work(try KeyStore(database: database, ring: KeyRing()))
    }
}
