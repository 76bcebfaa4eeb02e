internal import CLMDB

/// One entry where a cursor stands. The bytes lie in the map: see `Transaction`.
package struct Item {
    package let key: UnsafeRawBufferPointer
    package let value: UnsafeRawBufferPointer
}

/// A place in one tree, lent by `Transaction.withCursor`. Each move is nil when there is no such entry.
package struct Cursor: ~Copyable {
    let handle: OpaquePointer
    let path: String

    /// The entry with the smallest key.
    package func first() throws(LMDBFailure) -> Item? { try move(MDB_FIRST) }

    /// The entry with the largest key.
    package func last() throws(LMDBFailure) -> Item? { try move(MDB_LAST) }

    /// The next entry; after `delete` the one that took the deleted one's place.
    package func next() throws(LMDBFailure) -> Item? { try move(MDB_NEXT) }

    /// The entry with exactly this key.
    package func seek(_ key: UnsafeRawBufferPointer) throws(LMDBFailure) -> Item? { try move(MDB_SET_KEY, key) }

    /// The first entry whose key is this one or larger.
    package func seek(from key: UnsafeRawBufferPointer) throws(LMDBFailure) -> Item? { try move(MDB_SET_RANGE, key) }

    /// Deletes the entry where the cursor stands.
    package func delete() throws(LMDBFailure) {
        let result = mdb_cursor_del(handle, 0)
        guard result == MDB_SUCCESS else { throw LMDBFailure(result, path, "delete") }
    }

    private func move(_ operation: MDB_cursor_op, _ key: UnsafeRawBufferPointer? = nil) throws(LMDBFailure) -> Item? {
        var keyValue = key.map { MDB_val($0) } ?? MDB_val(), value = MDB_val()
        let result = mdb_cursor_get(handle, &keyValue, &value, operation)
        if result == MDB_NOTFOUND { return nil }
        guard result == MDB_SUCCESS else { throw LMDBFailure(result, path, "read on") }
        return Item(key: UnsafeRawBufferPointer(keyValue), value: UnsafeRawBufferPointer(value))
    }
}
