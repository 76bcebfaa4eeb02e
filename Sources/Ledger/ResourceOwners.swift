package import Base
package import SQLite
internal import Synchronization

/// Whose a provider-made id is.
package struct ResourceOwner: Hashable, Sendable {
    package let tenant: String
    package let provider: String
    /// `response`, `file`, `batch` …
    package let kind: String
    package let created: UnixTime
}

/// Which tenant made which of the providers' resources (responses, files, batches), so that nobody reaches another's
/// through a guessed id. In `weir.db`, with the recent ones in memory.
package final class ResourceOwners: Sendable {
    /// Owners kept in memory; others are read from the file.
    package static let rememberedMax = 16_384
    /// Ids that one listing returns at most, newest first.
    package static let listMax = 10_000
    /// A provider's longest id, with room to spare.
    package static let idBytesMax = 512

    static let migration = Migration(
        "resource owners",
        up: """
            CREATE TABLE resource_owners(
                id TEXT PRIMARY KEY, tenant TEXT NOT NULL, provider TEXT NOT NULL, kind TEXT NOT NULL,
                created INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX resource_owners_by_tenant ON resource_owners(tenant, kind, created)
            """,
        down: "DROP TABLE resource_owners")

    private let database: Database
    private let memory = Mutex(OwnerMemory(capacity: ResourceOwners.rememberedMax))
    private let lost = Atomic<Int>(0)

    package init(database: Database) { self.database = database }

    /// Notes the owner; found at once, durable soon. An id that another tenant owns stays with that tenant. Never
    /// blocks.
    /// - Returns: false when it could only be kept in memory (the writer is behind), or the id is absurdly long.
    @discardableResult
    package func remember(id: String, tenant: String, provider: String, kind: String) -> Bool {
        guard !id.isEmpty, id.utf8.count <= Self.idBytesMax else { return false }
        let owner = ResourceOwner(tenant: tenant, provider: provider, kind: kind, created: UnixTime.now())
        guard let change = memory.withLock({ $0.remember(id, owner) }) else { return true }
        return submit(id, change) { try Self.insert(id, owner, $0) }
    }

    /// Removes an id, as after the provider deleted it. Gone at once, durably soon. Never blocks.
    @discardableResult
    package func forget(id: String) -> Bool {
        let change = memory.withLock { $0.forget(id) }
        return submit(id, change) { connection in
            try connection.run("DELETE FROM resource_owners WHERE id = ?1", id)
            return nil
        }
    }

    /// The owner, when memory knows: no file, for an event loop. `.none` says nothing about the file.
    package func rememberedOwner(of id: String) -> ResourceOwner? {
        memory.withLock { $0.look(id) }?.owner
    }

    /// The owner; nil when nobody made it through Weir. Blocks when it is not in memory.
    package func owner(of id: String) throws -> ResourceOwner? {
        guard !id.isEmpty, id.utf8.count <= Self.idBytesMax else { return nil }
        if let known = memory.withLock({ $0.look(id) }) { return known.owner }
        guard let owner = try database.read({ try Self.select(id, $0) }) else { return nil }
        // A change since then counts for more than what the file said.
        return memory.withLock { memory in
            if let known = memory.look(id) { return known.owner }
            memory.keep(id, owner)
            return owner
        }
    }

    /// A tenant's ids of one kind, newest first, at most `listMax`; what was just remembered or forgotten is counted.
    /// Blocks.
    package func ids(tenant: String, kind: String) throws -> [String] {
        try database.write { _ in }  // the writer is first in, first out: what was submitted before is now committed
        return try database.read { connection in
            try connection.rows(
                """
                SELECT id FROM resource_owners WHERE tenant = ?1 AND kind = ?2 ORDER BY created DESC, id LIMIT ?3
                """, tenant, kind, Self.listMax
            ) { $0.text(0) }
        }
    }

    /// Drops owners of one kind made before, as providers drop the resources. Blocks; a slice a commit.
    /// - Returns: how many went.
    package func prune(kind: String, olderThan time: UnixTime) throws -> Int {
        let slice = 1_000
        var total = 0
        while true {
            let ids = try database.write { connection in
                try connection.rows(
                    """
                    DELETE FROM resource_owners WHERE id IN
                        (SELECT id FROM resource_owners WHERE kind = ?1 AND created < ?2 LIMIT ?3) RETURNING id
                    """, kind, time.microseconds, slice
                ) { $0.text(0) }
            }
            memory.withLock { memory in for id in ids { memory.drop(id) } }
            total += ids.count
            if ids.count < slice { return total }
        }
    }

    /// Changes that are in no file, because the writer was behind or failed.
    package var lostCount: Int { lost.load(ordering: .relaxed) }

    /// Hands a change to the writer; its result is the owner the file then names.
    private func submit(
        _ id: String, _ change: UInt64, _ job: @escaping @Sendable (Connection) throws -> ResourceOwner?
    ) -> Bool {
        let isTaken = database.submit(job) { [self] result in
            switch result {
            case .success(let owner): memory.withLock { $0.settle(id, change, owner) }
            case .failure: lose(id, change)
            }
        }
        if !isTaken { lose(id, change) }
        return isTaken
    }

    private func lose(_ id: String, _ change: UInt64) {
        lost.add(1, ordering: .relaxed)
        memory.withLock { $0.giveUp(id, change) }
    }

    private static func insert(
        _ id: String, _ owner: ResourceOwner, _ connection: Connection
    ) throws -> ResourceOwner? {
        try connection.run(
            """
            INSERT INTO resource_owners VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT(id) DO UPDATE SET provider = ?3, kind = ?4, created = ?5 WHERE tenant = ?2
            """, id, owner.tenant, owner.provider, owner.kind, owner.created.microseconds)
        return try select(id, connection)
    }

    private static func select(_ id: String, _ connection: Connection) throws -> ResourceOwner? {
        try connection.first("SELECT tenant, provider, kind, created FROM resource_owners WHERE id = ?1", id) { row in
            ResourceOwner(
                tenant: row.text(0), provider: row.text(1), kind: row.text(2),
                created: UnixTime(microseconds: row.integer(3)))
        }
    }
}
