package import Base

/// A cache that keeps what is asked for often and is dear for its size: W-TinyLFU (Einziger, Friedman and Manes 2017)
/// weighted by bytes. New entries pass through a small window (least recently used leaves); those that leave it ask for
/// a place in the main part, which is in two: on probation, and protected (asked for again; at most 80 %). What would
/// have to go is compared with what wants to come in, by frequency times cost a byte. A pure state machine; not shared.
package struct TinyLFU<Value> {
    /// What a change let go.
    package struct Outcome {
        /// Entries that did not keep or get a place, unexpired: a lower layer may take them.
        package var evicted: [(key: CacheKey, value: Value)] = []
        /// Replaced and expired values, only so that they are released outside of any lock.
        package var dropped: [Value] = []
    }

    enum Segment: Int, CaseIterable { case window, probation, protected }

    struct Node {
        var key: CacheKey
        /// Nil in a free node.
        var value: Value?
        var weight = 0
        var cost = 0.0
        var segment = Segment.window
        /// The ghosts' time when it was last asked for.
        var used: UInt32
        /// When it came in: how many refusals ago it had been refused.
        var refused: UInt32?
    }

    var nodes: [Node] = []
    var free: [Int] = []
    var index: [CacheKey: Int] = [:]
    var order = NodeLists(lists: Segment.allCases.count)
    /// Bytes by segment.
    var held = [0, 0, 0]
    var wheel = TimerWheel()
    var sketch: FrequencySketch
    var ghosts = Ghosts()
    var random: SeededRandom
    private var climber = WindowClimber()
    private(set) var windowLimit = 0
    private(set) var protectedLimit = 0

    /// The most bytes that it holds.
    package private(set) var budget: Int
    var counters = MemoryStatistics()

    /// - Parameter seed: for the sketch and for the few random admissions that defeat a crafted flood.
    package init(budget: Int, seed: UInt64) {
        precondition(budget >= 0)
        self.budget = budget
        random = SeededRandom(seed: seed)
        sketch = FrequencySketch(seed: random.next())
        setLimits()
    }

    package var count: Int { index.count }
    package var bytes: Int { held[0] + held[1] + held[2] }

    package var statistics: MemoryStatistics {
        var statistics = counters
        statistics.entries = count
        statistics.bytes = bytes
        return statistics
    }

    /// The window's present part of the budget, 0.01 to 0.8.
    package var windowShare: Double { climber.share }

    /// The value, unless it is not here or has expired. Counts as a request either way. O(1), allocates nothing.
    package mutating func value(for key: CacheKey, now: MonotonicInstant) -> Value? {
        sketch.increment(key.words.1)
        guard let node = live(key, now) else {
            counters.misses += 1
            climber.missed(refused: ghosts.age(of: key.words.1), entries: sketch.capacity)
            climb()
            return nil
        }
        counters.hits += 1
        climber.hit(onProbation: nodes[node].segment == .probation)
        touch(node)
        climb()
        return nodes[node].value
    }

    /// Keeps the value until `expires`, if that is later than `now` and it earns a place; the key's older value goes in
    /// any case. Does not count as a request. O(1) and what is evicted.
    /// - Parameters:
    ///   - weight: bytes; less than 1 counts as 1.
    ///   - cost: what getting it again would cost, in one unit for all; less than 1 counts as 1.
    package mutating func store(
        _ key: CacheKey, _ value: Value, weight: Int, cost: Int, expires: MonotonicInstant, now: MonotonicInstant
    ) -> Outcome {
        var outcome = expire(now: now)
        let weight = max(1, weight)
        guard expires > now, weight <= budget else {
            if let old = remove(key) { outcome.dropped.append(old) }
            if expires > now {
                counters.rejected += 1
                outcome.evicted.append((key, value))
            }
            return outcome
        }
        let node: Int
        if let known = index[key] {
            node = known
            if let old = nodes[node].value { outcome.dropped.append(old) }
            held[nodes[node].segment.rawValue] += weight - nodes[node].weight
            nodes[node].value = value
            nodes[node].weight = weight
            touch(node)
        } else {
            node = insert(key, value, weight)
        }
        nodes[node].cost = Double(max(1, cost))
        wheel.schedule(node, at: expires)
        fit(&outcome)
        return outcome
    }

    /// Takes out what has expired, up to a second late (a read never sees an expired value). O(1) amortised.
    package mutating func expire(now: MonotonicInstant) -> Outcome {
        var outcome = Outcome()
        for node in wheel.advance(to: now) {
            counters.expirations += 1
            if let value = release(node) { outcome.dropped.append(value) }
        }
        return outcome
    }

    /// The value that was taken out; nil when there was none.
    package mutating func remove(_ key: CacheKey) -> Value? { index[key].flatMap { release($0) } }

    /// Takes out all that `matches` and returns it. O(n).
    package mutating func remove(where matches: (CacheKey, Value) throws -> Bool) rethrows -> [Value] {
        var removed: [Value] = []
        for node in nodes.indices {
            guard let value = nodes[node].value, try matches(nodes[node].key, value) else { continue }
            _ = release(node)
            removed.append(value)
        }
        return removed
    }

    /// Forgets every entry and frees their memory; counters stay.
    /// - Returns: what to release outside of any lock.
    package mutating func removeAll() -> TinyLFU {
        var empty = TinyLFU(budget: budget, seed: random.next())
        empty.counters = counters
        swap(&self, &empty)
        return empty
    }

    /// Changes the budget; a smaller one evicts at once.
    package mutating func resize(_ budget: Int) -> Outcome {
        precondition(budget >= 0)
        self.budget = budget
        setLimits()
        var outcome = Outcome()
        fit(&outcome)
        return outcome
    }

    // MARK: - Bookkeeping

    private mutating func setLimits() {
        windowLimit = max(1, Int(Double(budget) * climber.share))
        protectedLimit = max(0, budget - windowLimit) / 10 * 8
    }

    private mutating func climb() {
        guard bytes > budget / 2 else { return }  // a cache with room to spare teaches nothing
        let probation = Double(held[Segment.probation.rawValue]) / Double(budget)
        if climber.climb(entries: sketch.capacity, probation: probation) { setLimits() }
    }

    /// The key's node; an expired one is taken out.
    private mutating func live(_ key: CacheKey, _ now: MonotonicInstant) -> Int? {
        guard let node = index[key] else { return nil }
        if wheel.deadline(of: node) > now { return node }
        counters.expirations += 1
        _ = release(node)
        return nil
    }

    private mutating func insert(_ key: CacheKey, _ value: Value, _ weight: Int) -> Int {
        let new = Node(
            key: key, value: value, weight: weight, used: ghosts.time, refused: ghosts.age(of: key.words.1))
        let node: Int
        if let unused = free.popLast() {
            node = unused
            nodes[node] = new
        } else {
            node = nodes.count
            nodes.append(new)
            order.addNode()
            wheel.addNode()
        }
        index[key] = node
        sketch.grow(to: index.count)
        held[Segment.window.rawValue] += weight
        // What is larger than the window would push out all that is in it; it has to ask for a place at once.
        if weight > windowLimit {
            order.addToBack(node, of: Segment.window.rawValue)
        } else {
            order.addToFront(node, of: Segment.window.rawValue)
        }
        return node
    }

    /// The node was asked for: it is its segment's latest, and what was on probation becomes protected.
    private mutating func touch(_ node: Int) {
        nodes[node].used = ghosts.time
        let segment = nodes[node].segment
        let promoted = segment == .probation && nodes[node].weight <= protectedLimit
        move(node, to: promoted ? .protected : segment)
        while held[Segment.protected.rawValue] > protectedLimit,
            let oldest = order.last(of: Segment.protected.rawValue)
        {
            move(oldest, to: .probation)
        }
    }

    mutating func move(_ node: Int, to segment: Segment) {
        order.unlink(node)
        held[nodes[node].segment.rawValue] -= nodes[node].weight
        held[segment.rawValue] += nodes[node].weight
        nodes[node].segment = segment
        order.addToFront(node, of: segment.rawValue)
    }

    mutating func release(_ node: Int) -> Value? {
        let value = nodes[node].value
        precondition(value != nil, "the node is free already")
        order.unlink(node)
        wheel.cancel(node)
        index[nodes[node].key] = nil
        held[nodes[node].segment.rawValue] -= nodes[node].weight
        precondition(held[nodes[node].segment.rawValue] >= 0, "more bytes left than came")
        nodes[node].value = nil
        free.append(node)
        return value
    }
}

extension TinyLFU: Sendable where Value: Sendable {}
extension TinyLFU.Node: Sendable where Value: Sendable {}
extension TinyLFU.Outcome: Sendable where Value: Sendable {}
