internal import CSQLite

/// Prepared statements of one connection by their text, the longest unused thrown out first. Confined with its
/// connection. Lookup is O(1); the rare eviction looks at all `capacity` entries.
struct StatementCache {
    /// SQL is always a literal, so its address says which it is: no text is hashed on a hot path.
    struct Key: Hashable {
        let address: UInt
        let length: Int

        init(_ sql: StaticString) {
            precondition(sql.hasPointerRepresentation, "SQL is longer than one character")
            address = UInt(bitPattern: sql.utf8Start)
            length = sql.utf8CodeUnitCount
        }
    }

    private struct Entry {
        let handle: OpaquePointer
        var lastUse: UInt64
        /// Lent out now: a nested use of the same text gets a statement of its own, and eviction spares this one.
        var isLent: Bool
    }

    let capacity: Int
    private var entries: [Key: Entry] = [:]
    private var clock: UInt64 = 0

    init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    var count: Int { entries.count }

    /// A cached statement that nobody uses; marks it as lent.
    mutating func borrow(_ key: Key) -> OpaquePointer? {
        guard let index = entries.index(forKey: key), !entries.values[index].isLent else { return nil }
        clock += 1
        entries.values[index].lastUse = clock
        entries.values[index].isLent = true
        return entries.values[index].handle
    }

    /// Takes a new statement in, lent at once. False when its text has an entry already or every entry is lent:
    /// the caller then finalizes it after use.
    mutating func insertLent(_ handle: OpaquePointer, _ key: Key) -> Bool {
        guard entries[key] == nil else { return false }
        if entries.count >= capacity {
            guard let oldest = entries.filter({ !$0.value.isLent }).min(by: { $0.value.lastUse < $1.value.lastUse })
            else { return false }
            sqlite3_finalize(oldest.value.handle)
            entries.removeValue(forKey: oldest.key)
        }
        clock += 1
        entries[key] = Entry(handle: handle, lastUse: clock, isLent: true)
        precondition(entries.count <= capacity)
        return true
    }

    /// Ends the loan of `borrow` or `insertLent`.
    mutating func giveBack(_ key: Key) {
        guard let index = entries.index(forKey: key) else { preconditionFailure("a statement nobody lent") }
        precondition(entries.values[index].isLent, "a statement nobody lent")
        entries.values[index].isLent = false
    }

    mutating func finalizeAll() {
        for entry in entries.values {
            precondition(!entry.isLent, "a statement outlives its connection")
            sqlite3_finalize(entry.handle)
        }
        entries.removeAll()
    }
}
