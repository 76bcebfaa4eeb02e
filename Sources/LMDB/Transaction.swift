internal import Base
internal import CLMDB

/// One named tree of an environment.
package struct Database: Sendable {
    let handle: MDB_dbi
}

/// One view of the environment, lent for the length of a closure by `withRead` or `withWrite`; it never changes thread.
/// Bytes it hands out lie in the map: they are valid until the closure ends or the next write in it.
/// Keys have 1 to 511 bytes and sort as bytes do.
package struct Transaction: ~Copyable {
    let handle: OpaquePointer
    let environment: Environment
    package let isWritable: Bool

    /// The key's value; nil when there is none. O(log n).
    package func get(_ key: UnsafeRawBufferPointer, in database: Database) throws(LMDBFailure)
        -> UnsafeRawBufferPointer?
    {
        var keyValue = MDB_val(key), value = MDB_val()
        let result = mdb_get(handle, database.handle, &keyValue, &value)
        if result == MDB_NOTFOUND { return nil }
        try check(result, "read")
        return UnsafeRawBufferPointer(value)
    }

    /// Sets the key's value.
    /// - Parameter appending: the key is larger than all others: faster, and fills pages to the end.
    package func put(
        _ value: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer, in database: Database, appending: Bool = false
    ) throws(LMDBFailure) {
        precondition(isWritable, "a read transaction cannot write")
        var keyValue = MDB_val(key), value = MDB_val(value)
        try check(mdb_put(handle, database.handle, &keyValue, &value, appending ? UInt32(MDB_APPEND) : 0), "write")
    }

    /// Makes room for a value of `count` bytes and returns it; every byte must be written before anything else is done.
    package func putReserve(
        _ count: Int, for key: UnsafeRawBufferPointer, in database: Database, appending: Bool = false
    ) throws(LMDBFailure) -> UnsafeMutableRawBufferPointer {
        precondition(isWritable, "a read transaction cannot write")
        var keyValue = MDB_val(key), value = MDB_val(mv_size: count, mv_data: nil)
        let flags = UInt32(MDB_RESERVE) | (appending ? UInt32(MDB_APPEND) : 0)
        try check(mdb_put(handle, database.handle, &keyValue, &value, flags), "write")
        return UnsafeMutableRawBufferPointer(start: value.mv_data, count: value.mv_size)
    }

    /// False when there was nothing under the key.
    package func delete(_ key: UnsafeRawBufferPointer, in database: Database) throws(LMDBFailure) -> Bool {
        precondition(isWritable, "a read transaction cannot write")
        var keyValue = MDB_val(key)
        let result = mdb_del(handle, database.handle, &keyValue, nil)
        if result == MDB_NOTFOUND { return false }
        try check(result, "delete")
        return true
    }

    /// Deletes every entry of one tree. O(pages), in one long transaction: empty large trees in slices instead.
    package func drop(_ database: Database) throws(LMDBFailure) {
        precondition(isWritable, "a read transaction cannot write")
        try check(mdb_drop(handle, database.handle, 0), "empty a database")
    }

    /// Entries of one tree. O(1).
    package func count(of database: Database) throws(LMDBFailure) -> Int {
        try statistics(database.handle).ms_entries
    }

    /// Pages that hold something, heads and free list included; what a quota is measured by, as the file itself never
    /// shrinks. O(trees).
    package func pagesInUse() throws(LMDBFailure) -> Int {
        var pages = 2
        for tree in [0, 1] + environment.databases.map(\.handle) {
            let found = try statistics(tree)
            pages += found.ms_branch_pages + found.ms_leaf_pages + found.ms_overflow_pages
        }
        return pages
    }

    /// Lends a cursor over one tree.
    package func withCursor<R>(_ database: Database, _ body: (borrowing Cursor) throws -> R) throws -> R {
        var cursor: OpaquePointer?
        try check(mdb_cursor_open(handle, database.handle, &cursor), "open a cursor")
        guard let cursor else { preconditionFailure("LMDB opened nothing") }
        defer { mdb_cursor_close(cursor) }
        return try body(Cursor(handle: cursor, path: environment.path))
    }

    private func statistics(_ database: MDB_dbi) throws(LMDBFailure) -> MDB_stat {
        var found = MDB_stat()
        try check(mdb_stat(handle, database, &found), "count")
        return found
    }

    private func check(_ result: Int32, _ doing: String) throws(LMDBFailure) {
        guard result == MDB_SUCCESS else { throw LMDBFailure(result, environment.path, doing) }
    }
}

extension MDB_val {
    init(_ bytes: UnsafeRawBufferPointer) {
        self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }
}

extension UnsafeRawBufferPointer {
    init(_ value: MDB_val) { self.init(start: value.mv_data, count: value.mv_size) }
}
