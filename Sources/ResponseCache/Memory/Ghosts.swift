/// What was refused a place lately, and how long ago, counted in refusals. A lossy table: a slot remembers the last
/// thing that fell on it. 8 to 16 bytes an entry of the cache.
struct Ghosts: Sendable {
    /// The hash's upper half, then the time.
    private var slots = [UInt64](repeating: 0, count: 64)
    /// Refusals so far; what is older than 2^32 may look young, which costs one wrong guess.
    private(set) var time: UInt32 = 0

    mutating func add(_ hash: UInt64, entries: Int) {
        while slots.count < entries { slots = Array(repeating: 0, count: slots.count * 2) }
        slots[slot(hash)] = (hash >> 32) << 32 | UInt64(time)
        time &+= 1
    }

    /// Refusals since this one was refused; nil when that is forgotten.
    func age(of hash: UInt64) -> UInt32? {
        let found = slots[slot(hash)]
        return found >> 32 == hash >> 32 ? time &- UInt32(truncatingIfNeeded: found) : nil
    }

    private func slot(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (slots.count - 1) }
}
