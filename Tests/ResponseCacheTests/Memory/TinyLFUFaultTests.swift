import Base
import ResponseCache
import Testing

/// Knows exactly what the cache must hold, from what it says it let go.
private struct Ledger {
    struct Entry {
        var id: Int
        var weight: Int
        var expires: MonotonicInstant
    }

    var entries: [Int: Entry] = [:]
    var bytes = 0
    private var keys: [Int: Int] = [:]

    mutating func set(_ key: Int, _ entry: Entry) {
        take(key)
        entries[key] = entry
        keys[entry.id] = key
        bytes += entry.weight
    }

    mutating func take(_ key: Int) {
        guard let old = entries.removeValue(forKey: key) else { return }
        bytes -= old.weight
    }

    /// False when the cache let go what it did not have, or an expired entry as evicted.
    mutating func settle(
        _ outcome: TinyLFU<Int>.Outcome, replaced: Int?, _ now: MonotonicInstant, _ latest: MonotonicInstant
    ) -> Bool {
        for id in outcome.dropped where id != replaced {
            guard let key = keys[id], let entry = entries[key], entry.id == id, entry.expires <= latest else {
                return false
            }
            take(key)
        }
        for (_, id) in outcome.evicted {
            guard let key = keys[id], let entry = entries[key], entry.id == id, entry.expires > min(now, latest) else {
                return false
            }
            take(key)
        }
        return true
    }
}

private struct FaultRun {
    var cache = TinyLFU<Int>(budget: 100_000, seed: 11)
    var ledger = Ledger()
    var random: SeededRandom
    var now = MonotonicInstant(nanoseconds: 1 << 40)
    /// What the cache has been told of time: a clock that jumps back brings nothing back.
    var latest = MonotonicInstant(nanoseconds: 0)
    let keys = (0..<1_500).map { cacheKey($0) }
    var nextID = 0

    /// False when cache and ledger disagree.
    mutating func step() -> Bool {
        // Two draws: some keys are asked for more often than others.
        let key = Int.random(in: 0..<Int.random(in: 1...keys.count, using: &random), using: &random)
        var isRight = true
        switch Int.random(in: 0..<1_000, using: &random) {
        case 0..<500: isRight = read(key)
        case 500..<900: isRight = store(key)
        case 900..<940: isRight = remove(key)
        case 940..<990:
            now = now.advanced(by: .nanoseconds(Int64(random.next() >> UInt64.random(in: 24...40, using: &random))))
        case 990..<993: now = MonotonicInstant(nanoseconds: now.nanoseconds - min(now.nanoseconds, random.next() >> 28))
        case 993..<996:
            latest = max(latest, now)
            isRight = ledger.settle(cache.expire(now: now), replaced: nil, now, latest)
        case 996..<999:
            let budget = [0, 1, 5_000, 50_000, 100_000, 200_000].randomElement(using: &random) ?? 0
            isRight = ledger.settle(cache.resize(budget), replaced: nil, now, latest)
        default: isRight = removeSome()
        }
        return isRight && cache.bytes == ledger.bytes && cache.count == ledger.entries.count
            && cache.bytes <= cache.budget
    }

    private mutating func read(_ key: Int) -> Bool {
        let found = cache.value(for: keys[key], now: now)
        guard let entry = ledger.entries[key] else { return found == nil }
        if entry.expires > now { return found == entry.id }
        ledger.take(key)
        return found == nil
    }

    private mutating func store(_ key: Int) -> Bool {
        nextID += 1
        let weight = max(-1, Int(random.next() >> UInt64.random(in: 46...63, using: &random)))
        let life = random.next() >> UInt64.random(in: 8...40, using: &random)
        let expires = life % 50 == 0 ? now : MonotonicInstant(nanoseconds: now.nanoseconds &+ life)
        let replaced = ledger.entries[key]?.id
        latest = max(latest, now)
        let outcome = cache.store(
            keys[key], nextID, weight: weight, cost: Int.random(in: -1...1_000, using: &random), expires: expires,
            now: now)
        ledger.set(key, Ledger.Entry(id: nextID, weight: max(1, weight), expires: expires))
        if expires <= now { ledger.take(key) }
        return ledger.settle(outcome, replaced: replaced, now, latest)
    }

    private mutating func remove(_ key: Int) -> Bool {
        let removed = cache.remove(keys[key])
        defer { ledger.take(key) }
        return removed == ledger.entries[key]?.id
    }

    private mutating func removeSome() -> Bool {
        let rest = Int.random(in: 0..<5, using: &random)
        let expected = ledger.entries.filter { $0.value.id % 5 == rest }
        for key in expected.keys { ledger.take(key) }
        return cache.remove { _, id in id % 5 == rest }.count == expected.count
    }
}

struct TinyLFUFaultTests {
    /// A million with WEIR_TEST_LONG set; by default what a debug build does in a few seconds.
    @Test("after every one of many random operations and faults the books are exact and the budget holds")
    func books() {
        let count = environmentVariable("WEIR_TEST_LONG") == nil ? 200_000 : 1_000_000
        var run = FaultRun(random: SeededRandom(seed: memoryTestSeed()))
        for number in 1...count {
            guard run.step() else {
                Issue.record(
                    "operation \(number): \(run.cache.bytes) bytes of \(run.cache.budget), \(run.ledger.bytes) known")
                return
            }
            if number % 2_000 == 0 { #expect(run.cache.verify() == nil, "operation \(number)") }
        }
        let seen = run.cache.statistics
        #expect(seen.hits > 0 && seen.evictions > 0 && seen.rejected > 0 && seen.expirations > 0)
    }
}
