internal import Base
package import SQLite
internal import Synchronization

/// The keys in `weir.db`. Changes are rare and blocking; every change is in the `ring` before the call returns.
package final class KeyStore: Sendable {
    /// Keys a data folder holds, revoked ones included: all of them are in memory.
    package static let keysMax = 100_000
    /// Lengths of an admin key from the settings.
    package static let adminSecretBytes = 16...KeyRing.presentedBytesMax
    /// The id of the admin key from the settings; it is in no file of ours.
    package static let adminKeyID = "admin-settings"

    static let migration = Migration(
        "keys",
        up: """
            CREATE TABLE keys(
                id TEXT PRIMARY KEY, name TEXT NOT NULL, tenant TEXT NOT NULL, scopes TEXT NOT NULL,
                digest BLOB NOT NULL UNIQUE, created INTEGER NOT NULL, revoked INTEGER
            ) STRICT
            """,
        down: "DROP TABLE keys")

    /// What requests are checked against.
    package let ring: KeyRing
    private let database: Database
    /// Held over a change and the reload after it, so that an older list never replaces a newer one.
    private let admin = Mutex<KeyDigest?>(nil)

    /// Reads the keys into the ring. Blocks.
    /// - Throws: `SQLiteFailure`, `KeyFailure.unreadable`.
    package init(database: Database, ring: KeyRing) throws {
        self.database = database
        self.ring = ring
        try admin.withLock { try reload(admin: $0) }
    }

    /// Makes a key; durable and valid when it returns. The secret is shown this once and kept nowhere. Blocks.
    /// - Parameters:
    ///   - tenant: whose data it reaches; its own name by default.
    ///   - scopes: 1 to `ScopeSet.countMax`, repetitions dropped.
    /// - Throws: `KeyFailure`, `SQLiteFailure`, `DatabaseFailure`.
    package func create(
        name: String, tenant: String? = nil, scopes: [Scope]
    ) throws -> (key: StoredKey, secret: String) {
        let tenant = tenant ?? name
        let scopes = ScopeSet(scopes)
        guard isValidName(name) else { throw KeyFailure.invalidName(name) }
        guard isValidName(tenant) else { throw KeyFailure.invalidTenant(tenant) }
        guard !scopes.scopes.isEmpty else { throw KeyFailure.noScope }
        guard scopes.scopes.count <= ScopeSet.countMax else { throw KeyFailure.tooManyScopes(scopes.scopes.count) }
        let secret = Self.newSecret()
        let key = StoredKey(
            id: "key_" + hexadecimal(secureRandomBytes(8)), name: name, tenant: tenant, scopes: scopes,
            created: UnixTime.now(), revoked: nil)
        let digest = KeyDigest(of: secret)
        try admin.withLock { admin in
            try database.write { try Self.insert(key, digest, $0) }
            try reload(admin: admin)
        }
        return (key, secret)
    }

    /// All keys, revoked ones too, oldest first; of one tenant or all. Blocks.
    package func list(tenant: String? = nil) throws -> [StoredKey] {
        try database.read { try Self.all($0) }.map(\.key).filter { tenant == nil || $0.tenant == tenant }
    }

    /// Ends a key for good; durable and in force when it returns. Blocks.
    /// - Returns: false when there is no such key, or it was revoked before.
    package func revoke(id: String) throws -> Bool {
        let now = UnixTime.now()
        return try admin.withLock { admin in
            let isChanged = try database.write { connection in
                try connection.run(
                    "UPDATE keys SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL", id, now.microseconds)
                return connection.changedRows == 1
            }
            try reload(admin: admin)
            return isChanged
        }
    }

    /// Takes the admin key of the settings into the ring, in place of the one before; nil takes it out. It is written
    /// nowhere. A key that was created and revoked here stays revoked, whatever the settings say. Blocks.
    /// - Throws: `KeyFailure.weakAdminKey`.
    package func importAdminKey(secret: String?) throws {
        if let secret {
            guard Self.adminSecretBytes.contains(secret.utf8.count) else { throw KeyFailure.weakAdminKey }
        }
        let digest = secret.map { KeyDigest(of: $0) }
        try admin.withLock { admin in
            admin = digest
            try reload(admin: digest)
        }
    }

    /// No key works: none was made that is not revoked, and the settings have none. Blocks.
    package func isEmpty() throws -> Bool {
        guard admin.withLock({ $0 == nil }) else { return false }
        return try database.read { try $0.first("SELECT 1 FROM keys WHERE revoked IS NULL") { _ in true } } == nil
    }

    private func reload(admin: KeyDigest?) throws {
        var entries = try database.read { try Self.all($0) }.map { key, digest in
            KeyRing.Entry(
                digest: digest,
                principal: key.revoked == nil
                    ? Principal(keyID: key.id, name: key.name, tenant: key.tenant, scopes: key.scopes) : nil)
        }
        if let admin {
            let principal = Principal(
                keyID: Self.adminKeyID, name: "admin", tenant: "admin", scopes: ScopeSet([.admin]))
            entries.append(KeyRing.Entry(digest: admin, principal: principal))
        }
        ring.replace(entries)
    }

    /// `weir-` and 32 random bytes as base64url: 256 bits that nobody guesses, so a plain hash is enough.
    private static func newSecret() -> String {
        let text = base64(secureRandomBytes(32)).filter { $0 != "=" }
        precondition(text.utf8.count == 43)
        return "weir-" + text.map { $0 == "+" ? "-" : $0 == "/" ? "_" : String($0) }.joined()
    }

    private static func insert(_ key: StoredKey, _ digest: KeyDigest, _ connection: Connection) throws {
        let count = try connection.first("SELECT count(*) FROM keys") { $0.integer(0) } ?? 0
        guard count < keysMax else { throw KeyFailure.tooManyKeys }
        try connection.run(
            "INSERT INTO keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL)", key.id, key.name, key.tenant,
            key.scopes.scopes.map(\.description).joined(separator: " "), digest.bytes, key.created.microseconds)
    }

    private static func all(_ connection: Connection) throws -> [(key: StoredKey, digest: KeyDigest)] {
        try connection.rows(
            """
            SELECT id, name, tenant, scopes, digest, created, revoked FROM keys ORDER BY created, id LIMIT ?1
            """, keysMax, row: read)
    }

    private static func read(_ row: borrowing Statement) throws -> (key: StoredKey, digest: KeyDigest) {
        let words = row.text(3).split(separator: " ")
        let scopes = words.compactMap { Scope(String($0)) }
        guard scopes.count == words.count, let digest = KeyDigest(stored: row.bytes(4)) else {
            throw KeyFailure.unreadable(id: row.text(0))
        }
        let key = StoredKey(
            id: row.text(0), name: row.text(1), tenant: row.text(2), scopes: ScopeSet(scopes),
            created: UnixTime(microseconds: row.integer(5)),
            revoked: row.optionalInteger(6).map(UnixTime.init(microseconds:)))
        return (key, digest)
    }
}
