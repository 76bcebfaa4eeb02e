/// The most hits that any cache of this many entries could have had, one that may refuse entries included (Bélády 1966):
/// what is needed latest goes.
func beladyHits(_ trace: Trace, capacity: Int) -> Int {
    let end = trace.requests.count
    var nextUse = Array(repeating: end, count: end), seen = Array(repeating: end, count: trace.keyCount)
    for time in trace.requests.indices.reversed() {
        nextUse[time] = seen[trace.requests[time]]
        seen[trace.requests[time]] = time
    }
    // A key that is kept stands in the set as the time of its next use.
    var kept = TimeSet(limit: end), count = 0, hits = 0
    for time in trace.requests.indices {
        if kept.remove(time) {
            hits += 1
            count -= 1
        }
        guard nextUse[time] < end else { continue }
        kept.insert(nextUse[time])
        count += 1
        if count > capacity, let latest = kept.latest {
            _ = kept.remove(latest)
            count -= 1
        }
    }
    return hits
}

/// A set of small numbers with a fast maximum: a tree of bits, 64 ways.
private struct TimeSet {
    private var levels: [[UInt64]] = []

    init(limit: Int) {
        var size = limit
        repeat {
            size = size / 64 + 1
            levels.append(Array(repeating: 0, count: size))
        } while size > 1
    }

    mutating func insert(_ number: Int) {
        var number = number
        for level in levels.indices {
            levels[level][number / 64] |= 1 << UInt64(number % 64)
            number /= 64
        }
    }

    mutating func remove(_ number: Int) -> Bool {
        guard levels[0][number / 64] >> UInt64(number % 64) & 1 == 1 else { return false }
        var number = number
        for level in levels.indices {
            levels[level][number / 64] &= ~(1 << UInt64(number % 64))
            if levels[level][number / 64] != 0 { return true }
            number /= 64
        }
        return true
    }

    var latest: Int? {
        var number = 0
        for level in levels.reversed() {
            guard level[number] != 0 else { return nil }
            number = number * 64 + 63 - level[number].leadingZeroBitCount
        }
        return number
    }
}
