internal import Base

/// The recent owners, and the changes that are not in the file yet. The oldest settled ones go first; unsettled ones
/// stay, bounded by what waits for the writer. A pure struct; every operation is O(1) amortised.
struct OwnerMemory {
    struct Known {
        /// Nil: forgotten, and nobody's until the file says so too.
        var owner: ResourceOwner?
        /// The unsettled change's number; 0 once the file agrees.
        var change: UInt64
    }

    private let capacity: Int
    private var known: [String: Known] = [:]
    /// Ids in the order they came, perhaps with some that are gone.
    private var order: [String] = []
    private var changes: UInt64 = 0

    init(capacity: Int) {
        precondition(capacity > 1)
        self.capacity = capacity
    }

    var count: Int { known.count }

    func look(_ id: String) -> Known? { known[id] }

    /// The number of the change to write, or nil when another tenant is known to own the id.
    mutating func remember(_ id: String, _ owner: ResourceOwner) -> UInt64? {
        if let present = known[id]?.owner, present.tenant != owner.tenant { return nil }
        return put(id, owner)
    }

    mutating func forget(_ id: String) -> UInt64 { put(id, nil) }

    /// The file now names `owner`. A later change of the same id is still on its way and counts for more.
    mutating func settle(_ id: String, _ change: UInt64, _ owner: ResourceOwner?) {
        precondition(change > 0, "changes count from 1")
        guard known[id]?.change == change else { return }
        known[id] = owner.map { Known(owner: $0, change: 0) }
    }

    /// The change will not reach the file: memory knows it until its turn to go comes.
    mutating func giveUp(_ id: String, _ change: UInt64) {
        if known[id]?.change == change { known[id]?.change = 0 }
    }

    /// Keeps what the file said.
    mutating func keep(_ id: String, _ owner: ResourceOwner) { set(id, Known(owner: owner, change: 0)) }

    /// Forgets what it knew of an id; unsettled changes stay.
    mutating func drop(_ id: String) {
        if known[id]?.change == 0 { known[id] = nil }
    }

    private mutating func put(_ id: String, _ owner: ResourceOwner?) -> UInt64 {
        changes += 1
        set(id, Known(owner: owner, change: changes))
        return changes
    }

    private mutating func set(_ id: String, _ entry: Known) {
        if known.updateValue(entry, forKey: id) == nil { order.append(id) }
        trim()
    }

    /// At capacity, the older half goes.
    private mutating func trim() {
        guard order.count >= capacity else { return }
        let old = order.prefix(capacity / 2)
        order.removeFirst(capacity / 2)
        for id in old {
            guard let entry = known[id] else { continue }
            if entry.change == 0 { known[id] = nil } else { order.append(id) }
        }
    }
}
