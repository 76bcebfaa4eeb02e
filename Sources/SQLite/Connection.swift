internal import Base
internal import CSQLite

/// One open handle on a database file. Not Sendable: it stays on one thread at a time (SQLite's multi-thread mode,
/// NOMUTEX). Closed when the last reference goes.
package final class Connection {
    /// How the file is opened. There are no defaults: each caller says what it promises.
    package struct Options: Sendable {
        /// `create` makes the file when it is missing; the others refuse.
        package enum Access: Sendable { case create, readWrite, readOnly }
        /// A new file gets this journal; an existing one keeps its own until the writer turns the WAL on.
        package enum Journal: Sendable { case wal, rollback }

        package var access: Access
        package var journal: Journal
        package var durability: Durability
        /// How long a lock of another connection is waited for.
        package var busyTimeout: Duration

        package init(access: Access, journal: Journal, durability: Durability, busyTimeout: Duration) {
            self.access = access
            self.journal = journal
            self.durability = durability
            self.busyTimeout = busyTimeout
        }
    }

    /// Statements kept prepared; no module here has more.
    package static let statementsMax = 64

    package let path: String
    let handle: OpaquePointer
    private var cache = StatementCache(capacity: Connection.statementsMax)
    let deadline = ReadDeadline()

    /// - Throws: `SQLiteFailure`; a damaged header shows here or at the first read.
    package init(path: String, options: Options) throws(SQLiteFailure) {
        precondition(Self.libraryIsReady, "SQLite was built without threads")
        var opened: OpaquePointer?
        let result = sqlite3_open_v2(path, &opened, Self.flags(options.access), nil)
        guard result == SQLITE_OK, let opened else {
            let detail = opened.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(result))
            sqlite3_close(opened)
            throw SQLiteFailure(extended: result, detail: detail, path: path)
        }
        self.path = path
        handle = opened
        try configure(options)
    }

    deinit {
        cache.finalizeAll()
        deadline.detach(from: handle)
        let result = sqlite3_close(handle)
        precondition(result == SQLITE_OK, "a statement or backup outlives its connection")
    }

    /// Prepared statements in the cache now.
    package var cachedStatementCount: Int { cache.count }

    /// Lends the prepared statement of this text, from the cache when it is there. SQL is a literal: nothing that
    /// comes from outside can become part of it.
    package func withStatement<Result>(
        _ sql: StaticString, _ body: (borrowing Statement) throws -> Result
    ) throws -> Result {
        let key = StatementCache.Key(sql)
        if let cached = cache.borrow(key) {
            defer { cache.giveBack(key) }
            return try lend(cached, body)
        }
        let prepared = try prepare(sql)
        if cache.insertLent(prepared, key) {
            defer { cache.giveBack(key) }
            return try lend(prepared, body)
        }
        defer { sqlite3_finalize(prepared) }
        return try lend(prepared, body)
    }

    /// Whether a transaction is open (BEGIN without its COMMIT).
    package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Rows that the last INSERT, UPDATE or DELETE changed.
    package var changedRows: Int { Int(sqlite3_changes64(handle)) }

    func failure(_ result: Int32, sql: String?) -> SQLiteFailure {
        let detail = String(cString: sqlite3_errmsg(handle))
        return SQLiteFailure(extended: result, detail: detail, sql: sql, path: path)
    }

    private func lend<Result>(
        _ pointer: OpaquePointer, _ body: (borrowing Statement) throws -> Result
    ) rethrows -> Result {
        let statement = Statement(handle: pointer, connection: self)
        defer { statement.reset() }
        return try body(statement)
    }

    func prepare(_ sql: StaticString) throws(SQLiteFailure) -> OpaquePointer {
        var prepared: OpaquePointer?
        let result = sql.utf8Start.withMemoryRebound(to: CChar.self, capacity: sql.utf8CodeUnitCount) {
            sqlite3_prepare_v3(
                handle, $0, Int32(sql.utf8CodeUnitCount), UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        }
        guard result == SQLITE_OK else { throw failure(result, sql: sql.description) }
        guard let prepared else { preconditionFailure("SQL without a statement") }
        return prepared
    }

    private static let libraryIsReady: Bool = {
        _ = weir_sqlite_no_memory_statistics()
        return sqlite3_threadsafe() != 0
    }()

    private static func flags(_ access: Options.Access) -> Int32 {
        let common = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE
        return switch access {
        case .create: common | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        case .readWrite: common | SQLITE_OPEN_READWRITE
        case .readOnly: common | SQLITE_OPEN_READONLY
        }
    }
}

/// What a finished commit has survived.
package enum Durability: Sendable {
    /// The file was synced: a power cut loses nothing that was promised.
    case full
    /// A killed process loses nothing, a power cut perhaps the last commits; the file stays consistent.
    case normal
}
