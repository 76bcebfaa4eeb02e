package import Base

/// What expires when, for the nodes of a cache: a hierarchical timer wheel (Varghese and Lauck 1987). Nearby deadlines
/// are in buckets of about a second, further ones in buckets of about a minute, an hour and a day, and come nearer as
/// their bucket's time comes. Everything is O(1) (amortised), and nothing happens early: a deadline is checked to the
/// nanosecond, its bucket only finds it.
package struct TimerWheel: Sendable {
    /// 2^30 ns = 1.07 s, 2^36 = 69 s, 2^42 = 73 min, 2^47 = 39 h, 2^49 = 6.5 days; the last holds all that is later.
    private static let shifts: [UInt64] = [30, 36, 42, 47, 49]
    private static let sizes: [UInt64] = [64, 64, 32, 4, 1]
    private static let starts = [0, 64, 128, 160, 164]
    private static let buckets = 165

    private var lists = NodeLists(lists: buckets)
    private var deadlines: [UInt64] = []
    /// The latest time that was seen: a clock that jumps back finds the wheel where it was.
    private var time: UInt64 = 0

    package init() {}

    /// Makes room for one node more: the next number.
    package mutating func addNode() {
        lists.addNode()
        deadlines.append(0)
    }

    /// Sets or moves the node's deadline. `.distantFuture` never comes.
    package mutating func schedule(_ node: Int, at deadline: MonotonicInstant) {
        lists.unlink(node)
        deadlines[node] = deadline.nanoseconds
        guard deadline < .distantFuture else { return }
        let due = max(deadline.nanoseconds, time), distance = due - time
        let level = (Self.shifts.dropFirst().firstIndex { distance >> $0 == 0 } ?? Self.shifts.count) - 1
        lists.addToBack(node, of: Self.bucket(level, due >> Self.shifts[level]))
    }

    /// Forgets the deadline of the node. O(1).
    package mutating func cancel(_ node: Int) { lists.unlink(node) }

    /// The node's deadline.
    package func deadline(of node: Int) -> MonotonicInstant { MonotonicInstant(nanoseconds: deadlines[node]) }

    /// By the latest time that the wheel was told.
    package func isDue(_ node: Int) -> Bool { deadlines[node] <= time }

    /// Whether the node waits for a deadline.
    package func isScheduled(_ node: Int) -> Bool { lists.isLinked(node) }

    /// Takes out the nodes whose deadline has come, up to a bucket's width late.
    package mutating func advance(to now: MonotonicInstant) -> [Int] {
        let before = time
        time = max(before, now.nanoseconds)
        guard time >> Self.shifts[0] > before >> Self.shifts[0] else { return [] }
        var expired: [Int] = []
        for level in Self.shifts.indices {
            let from = before >> Self.shifts[level], ticks = time >> Self.shifts[level] - from
            guard ticks > 0 else { break }
            for tick in 0..<min(ticks + 1, Self.sizes[level]) {
                empty(Self.bucket(level, from &+ tick), into: &expired)
            }
        }
        return expired
    }

    /// Expired nodes leave; the others go where their deadline now belongs, perhaps to this bucket's end again.
    private mutating func empty(_ bucket: Int, into expired: inout [Int]) {
        guard let last = lists.last(of: bucket) else { return }
        while let node = lists.first(of: bucket) {
            if deadlines[node] <= time {
                lists.unlink(node)
                expired.append(node)
            } else {
                schedule(node, at: deadline(of: node))
            }
            if node == last { return }
        }
    }

    private static func bucket(_ level: Int, _ tick: UInt64) -> Int { starts[level] + Int(tick % sizes[level]) }
}
