import Base

extension TinyLFU {
    /// No admission looks at more victims than this: the lock is not held for long, and what would push out a thousand
    /// entries is seldom worth it.
    private static var mostVictims: Int { 1_000 }

    /// Brings everything within its limits: what the window cannot hold asks for a place in the main part, and what is
    /// still too much leaves.
    mutating func fit(_ outcome: inout Outcome) {
        while held[Segment.window.rawValue] > windowLimit, let candidate = order.last(of: Segment.window.rawValue) {
            if bytes <= budget || displaceVictims(for: candidate, &outcome) {
                move(candidate, to: .probation)
            } else {
                ghosts.add(nodes[candidate].key.words.1, entries: sketch.capacity)
                evict(candidate, &outcome, wasRefused: true)
            }
        }
        while bytes > budget {
            guard let victim = firstVictim ?? order.last(of: Segment.window.rawValue) else { break }
            evict(victim, &outcome, wasRefused: false)
        }
        precondition(bytes <= budget, "the cache is over its budget")
    }

    /// True when the candidate is worth more than what has to make room for it, which is then gone.
    private mutating func displaceVictims(for candidate: Int, _ outcome: inout Outcome) -> Bool {
        let excess = bytes - budget
        guard let first = firstVictim else { return false }
        var weight = 0, cost = 0.0, worth = 0.0, count = 0
        var next: Int? = first
        while weight < excess, count < Self.mostVictims, let node = next {
            weight += nodes[node].weight
            cost += nodes[node].cost
            worth += Double(frequency(node)) * nodes[node].cost
            count += 1
            next = victimAfter(node)
        }
        guard weight >= excess else { return false }
        // By the byte, without dividing: equal entries compare exactly by frequency. The request that brought the
        // candidate does not count, or in a loop each newcomer would be one ahead of what it displaces.
        let size = Double(nodes[candidate].weight)
        let candidateCost = nodes[candidate].cost * Double(weight)
        let requests = frequency(candidate)
        let isWorthMore = Double(requests - 1) * candidateCost > worth * size
        let isBack = requests >= 3 && candidateCost >= cost * size && isBack(candidate, before: first)
        guard isWorthMore || isBack || isLucky(requests) else {
            // A dear victim does not stand before cheaper ones behind it.
            if candidateCost < cost * size, nodes[first].segment == .probation { move(first, to: .probation) }
            return false
        }
        for _ in 0..<count {
            guard let victim = firstVictim else { break }
            evict(victim, &outcome, wasRefused: false)
        }
        return true
    }

    /// Refused, and soon asked for again, while the victim was not for much longer: however often the victim was asked
    /// for once, its time is over (the rule of LIRS: Jiang and Zhang 2002). Without it, a cache that has seen its
    /// requests change would wait for the counts to age.
    private func isBack(_ candidate: Int, before victim: Int) -> Bool {
        guard let refused = nodes[candidate].refused, refused < sketch.capacity else { return false }
        return ghosts.time &- nodes[victim].used > 4 * UInt64(refused)
    }

    /// One in 128 of the often asked for comes in regardless: whoever found keys that share all counters with a victim
    /// could otherwise keep the victim in for ever.
    private mutating func isLucky(_ requests: Int) -> Bool { requests >= 6 && random.next() & 127 == 0 }

    private func frequency(_ node: Int) -> Int { sketch.estimate(nodes[node].key.words.1) }

    private var firstVictim: Int? {
        order.last(of: Segment.probation.rawValue) ?? order.last(of: Segment.protected.rawValue)
    }

    private func victimAfter(_ node: Int) -> Int? {
        if let next = order.preceding(node) { return next }
        return nodes[node].segment == .probation ? order.last(of: Segment.protected.rawValue) : nil
    }

    private mutating func evict(_ node: Int, _ outcome: inout Outcome, wasRefused: Bool) {
        let key = nodes[node].key, isDue = wheel.isDue(node)
        guard let value = release(node) else { return }
        if isDue {
            counters.expirations += 1
            outcome.dropped.append(value)
        } else {
            if wasRefused { counters.rejected += 1 } else { counters.evictions += 1 }
            outcome.evicted.append((key, value))
        }
    }

    /// What is wrong with the books; nil when they are right. O(n), for tests.
    package func verify() -> String? {
        var seen = 0
        for segment in Segment.allCases {
            let members = order.nodes(of: segment.rawValue)
            guard members.allSatisfy({ nodes[$0].segment == segment && nodes[$0].value != nil }) else {
                return "a free or foreign node is in \(segment)"
            }
            guard members.allSatisfy({ index[nodes[$0].key] == $0 }) else { return "the index has lost an entry" }
            let sum = members.reduce(0) { $0 + nodes[$1].weight }
            guard sum == held[segment.rawValue] else { return "\(segment): \(sum) bytes, \(held) in the books" }
            seen += members.count
        }
        guard seen == index.count, seen + free.count == nodes.count else { return "nodes are lost" }
        guard free.allSatisfy({ nodes[$0].value == nil && !wheel.isScheduled($0) }) else {
            return "a free node is in use"
        }
        return bytes <= budget ? nil : "\(bytes) bytes, \(budget) allowed"
    }
}
