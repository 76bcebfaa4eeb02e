import ResponseCache

/// Low Inter-reference Recency Set (Jiang and Zhang, SIGMETRICS 2002): 1 % of the cache is for blocks of high
/// inter-reference recency (HIR), the stack remembers all that is younger than the oldest LIR block. Entries of one size.
struct LIRS: ReplayPolicy {
    private enum State { case unknown, low, high, gone }

    private var stack: NodeLists
    private var queue: NodeLists
    private var state: [State]
    private var lows = 0
    private var highs = 0
    private let capacity: Int
    private let lowCapacity: Int

    init(capacity: Int, keys: Int) {
        self.capacity = capacity
        lowCapacity = capacity - max(1, capacity / 100)
        stack = keyLists(1, keys: keys)
        queue = keyLists(1, keys: keys)
        state = Array(repeating: .unknown, count: keys)
    }

    mutating func access(_ key: Int, size: Int) -> Bool {
        switch state[key] {
        case .low:
            raise(key)
            prune()
            return true
        case .high:
            queue.unlink(key)
            if stack.isLinked(key) {
                highs -= 1
                promote(key)
            } else {
                queue.addToFront(key, of: 0)
                raise(key)
            }
            return true
        case .unknown, .gone:
            if lows + highs >= capacity { evict() }
            if lows < lowCapacity {
                state[key] = .low
                lows += 1
                raise(key)
            } else if stack.isLinked(key) {
                promote(key)
            } else {
                state[key] = .high
                highs += 1
                raise(key)
                queue.addToFront(key, of: 0)
            }
            return false
        }
    }

    /// The key becomes LIR; the stack's lowest takes its place among the HIR.
    private mutating func promote(_ key: Int) {
        state[key] = .low
        lows += 1
        raise(key)
        guard lows > lowCapacity, let lowest = stack.last(of: 0) else { return }
        stack.unlink(lowest)
        state[lowest] = .high
        lows -= 1
        highs += 1
        queue.addToFront(lowest, of: 0)
        prune()
    }

    private mutating func evict() {
        guard let victim = queue.last(of: 0) else { return }
        queue.unlink(victim)
        highs -= 1
        state[victim] = stack.isLinked(victim) ? .gone : .unknown
    }

    private mutating func raise(_ key: Int) {
        stack.unlink(key)
        stack.addToFront(key, of: 0)
    }

    /// The stack's lowest is always LIR.
    private mutating func prune() {
        while let lowest = stack.last(of: 0), state[lowest] != .low {
            stack.unlink(lowest)
            if state[lowest] == .gone { state[lowest] = .unknown }
        }
    }
}
