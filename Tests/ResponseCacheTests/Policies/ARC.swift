import ResponseCache

/// Adaptive Replacement Cache (Megiddo and Modha, FAST 2003); entries of one size.
struct ARC: ReplayPolicy {
    private enum List: Int { case recent, frequent, recentGhost, frequentGhost }

    private var lists: NodeLists
    private var member: [List?]
    private var counts = [0, 0, 0, 0]
    private var target = 0
    private let capacity: Int

    init(capacity: Int, keys: Int) {
        self.capacity = capacity
        lists = keyLists(4, keys: keys)
        member = Array(repeating: nil, count: keys)
    }

    mutating func access(_ key: Int, size: Int) -> Bool {
        switch member[key] {
        case .recent, .frequent:
            put(key, .frequent)
            return true
        case .recentGhost:
            target = min(capacity, target + max(1, count(.frequentGhost) / max(1, count(.recentGhost))))
            replace(inFrequentGhost: false)
            put(key, .frequent)
        case .frequentGhost:
            target = max(0, target - max(1, count(.recentGhost) / max(1, count(.frequentGhost))))
            replace(inFrequentGhost: true)
            put(key, .frequent)
        case nil:
            makeRoom()
            put(key, .recent)
        }
        return false
    }

    private mutating func makeRoom() {
        let total = counts.reduce(0, +)
        if count(.recent) + count(.recentGhost) == capacity {
            if count(.recent) < capacity {
                dropLast(.recentGhost)
                replace(inFrequentGhost: false)
            } else {
                dropLast(.recent)
            }
        } else if total >= capacity {
            if total == 2 * capacity { dropLast(.frequentGhost) }
            replace(inFrequentGhost: false)
        }
    }

    private mutating func replace(inFrequentGhost: Bool) {
        let recent = count(.recent)
        if recent > 0, recent > target || (inFrequentGhost && recent == target) {
            if let victim = lists.last(of: List.recent.rawValue) { put(victim, .recentGhost) }
        } else if let victim = lists.last(of: List.frequent.rawValue) {
            put(victim, .frequentGhost)
        }
    }

    private func count(_ list: List) -> Int { counts[list.rawValue] }

    private mutating func put(_ key: Int, _ list: List?) {
        if let old = member[key] {
            counts[old.rawValue] -= 1
            lists.unlink(key)
        }
        member[key] = list
        guard let list else { return }
        counts[list.rawValue] += 1
        lists.addToFront(key, of: list.rawValue)
    }

    private mutating func dropLast(_ list: List) {
        if let victim = lists.last(of: list.rawValue) { put(victim, nil) }
    }
}
