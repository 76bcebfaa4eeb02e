import Base
import SQLite
import Testing

@testable import Ledger

struct KeyStoreTests {
    private func open(_ folder: TemporaryFolder) throws -> (database: Database, keys: KeyStore) {
        let database = try MainDatabase.open(folder: folder.path)
        return (database, try KeyStore(database: database, ring: KeyRing()))
    }

    private func name(_ lookup: KeyLookup) -> String {
        switch lookup {
        case .known(let principal): principal.name
        case .revoked: "(revoked)"
        case .unknown: "(unknown)"
        }
    }

    @Test("A key works from its creation until it is revoked, and stays revoked after a restart")
    func lifeCycle() throws {
        let folder = try TemporaryFolder()
        var (database, keys) = try open(folder)
        #expect(try keys.isEmpty())
        let (key, secret) = try keys.create(name: "ci", scopes: [.ai, .queue("jobs", .put), .ai])
        #expect(key.id.hasPrefix("key_") && key.id.utf8.count == 20)
        #expect(secret.hasPrefix("weir-") && secret.utf8.count == 48)
        #expect(secret.utf8.dropFirst(5).allSatisfy { isValidName("a" + String(UnicodeScalar($0))) && $0 != 46 })
        guard case .known(let principal) = keys.ring.identify(secret) else {
            Issue.record("a new key is known")
            return
        }
        #expect(principal.keyID == key.id && principal.tenant == "ci" && principal.scopes.scopes.count == 2)
        #expect(try keys.list() == [key])
        #expect(try keys.list(tenant: "other") == [])
        #expect(try !keys.isEmpty())

        #expect(try keys.revoke(id: key.id))
        #expect(try !keys.revoke(id: key.id), "only once")
        #expect(try !keys.revoke(id: "key_0000000000000000"))
        #expect(name(keys.ring.identify(secret)) == "(revoked)")
        #expect(try keys.isEmpty())

        database.close()
        (database, keys) = try open(folder)
        #expect(name(keys.ring.identify(secret)) == "(revoked)")
        #expect(try keys.list().first?.revoked != nil)
        database.close()
    }

    @Test("What is not exactly the secret is unknown")
    func unknown() throws {
        let folder = try TemporaryFolder()
        let (database, keys) = try open(folder)
        let (key, secret) = try keys.create(name: "ci", scopes: [.ai])
        let wrong = [
            "", " ", secret + "x", String(secret.dropLast()), secret.uppercased(), key.id,
            String(repeating: "a", count: 100_000),
        ]
        for text in wrong { #expect(name(keys.ring.identify(text)) == "(unknown)") }
        #expect(name(keys.ring.identify(("Bearer " + secret).dropFirst(7))) == "ci")
        database.close()
    }

    @Test("Neither secret nor admin key is anywhere in the files")
    func secretsAreNotStored() throws {
        let folder = try TemporaryFolder()
        let (database, keys) = try open(folder)
        let admin = "canary-admin-0123456789"
        try keys.importAdminKey(secret: admin)
        let secrets = try (0..<20).map { try keys.create(name: "k\($0)", scopes: [.ai]).secret } + [admin]
        database.close()
        let contents = try folder.contents()
        #expect(contents.keys.sorted() == ["weir.db"])
        for (file, bytes) in contents {
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.contains("k19"), "the names are there")
            for secret in secrets { #expect(!text.contains(secret.dropFirst(5)), "a secret in \(file)") }
        }
    }

    @Test("The settings' admin key works while it is set, is never weak, and revives no revoked key")
    func adminKey() throws {
        let folder = try TemporaryFolder()
        let (database, keys) = try open(folder)
        let first = "an-admin-key-of-some-length", second = "another-admin-key-of-length"
        try keys.importAdminKey(secret: first)
        guard case .known(let principal) = keys.ring.identify(first) else {
            Issue.record("the admin key is known")
            return
        }
        #expect(principal.keyID == "admin-settings" && principal.allows(.metrics) && principal.allows(.admin))
        #expect(try !keys.isEmpty())
        try keys.importAdminKey(secret: second)
        #expect(name(keys.ring.identify(first)) == "(unknown)")
        _ = try keys.create(name: "ci", scopes: [.ai])
        #expect(name(keys.ring.identify(second)) == "admin", "a later change keeps it")
        let failure = #expect(throws: KeyFailure.self) { try keys.importAdminKey(secret: "short-secret") }
        #expect(failure == .weakAdminKey && failure?.exitCode == .badSettings)
        #expect(failure?.message.contains("short-secret") == false)
        let (key, secret) = try keys.create(name: "gone", scopes: [.admin])
        _ = try keys.revoke(id: key.id)
        try keys.importAdminKey(secret: secret)
        #expect(name(keys.ring.identify(secret)) == "(revoked)")
        try keys.importAdminKey(secret: nil)
        #expect(name(keys.ring.identify(second)) == "(unknown)")
        database.close()
    }

    @Test("Names, tenants and scopes are checked, and a refusal stores nothing")
    func validation() throws {
        let folder = try TemporaryFolder()
        let (database, keys) = try open(folder)
        #expect(throws: KeyFailure.invalidName("a b")) { try keys.create(name: "a b", scopes: [.ai]) }
        #expect(throws: KeyFailure.invalidName("")) { try keys.create(name: "", scopes: [.ai]) }
        #expect(throws: KeyFailure.invalidTenant("../x")) {
            try keys.create(name: "a", tenant: "../x", scopes: [.ai])
        }
        #expect(throws: KeyFailure.noScope) { try keys.create(name: "a", scopes: []) }
        let many = (0..<65).map { Scope.agent("a\($0)") }
        #expect(throws: KeyFailure.tooManyScopes(65)) { try keys.create(name: "a", scopes: many) }
        #expect(try keys.create(name: "a", scopes: Array(many.dropLast())).key.scopes.scopes.count == 64)
        #expect(try keys.list().count == 1)
        database.close()
    }

    @Test("A damaged weir.db stops the start with exit code 65 and stays as it is, byte for byte")
    func corruption() throws {
        let folder = try TemporaryFolder()
        let (database, keys) = try open(folder)
        for index in 0..<50 { _ = try keys.create(name: "k\(index)", scopes: [.ai]) }
        database.close()
        var bytes = try #require(try folder.contents()["weir.db"])
        for index in 100..<200 { bytes[index] ^= 0x55 }
        try folder.write(bytes, to: "weir.db")
        let failure = #expect(throws: SQLiteFailure.self) { try MainDatabase.open(folder: folder.path) }
        #expect(failure?.exitCode == .dataCorrupt)
        let after = try folder.contents()
        #expect(after.keys.sorted() == ["weir.db"])
        #expect(after["weir.db"] == bytes)
    }

    @Test("The schema of weir.db goes down to nothing and up again")
    func migrations() throws {
        let folder = try TemporaryFolder()
        let (database, keys) = try open(folder)
        let (key, _) = try keys.create(name: "ci", scopes: [.ai])
        database.close()
        let path = folder.file(MainDatabase.fileName)
        _ = try DatabaseFile.migrate(path, migrations: MainDatabase.migrations, to: 1)
        let (again, reopened) = try open(folder)
        #expect(try reopened.list() == [key], "keys are the first step")
        again.close()
        _ = try DatabaseFile.migrate(path, migrations: MainDatabase.migrations, to: 0)
        let (empty, fresh) = try open(folder)
        #expect(try fresh.list() == [])
        empty.close()
    }
}
