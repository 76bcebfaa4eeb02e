import Base
import ResponseCache
import Testing

/// A seed for one random test, printed so that a failure can be repeated with WEIR_TEST_SEED.
func memoryTestSeed(_ test: String = #function) -> UInt64 {
    let seed = environmentVariable("WEIR_TEST_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: 0 ... .max)
    print("\(test): seed \(seed)")
    return seed
}

/// A cache of numbers with a clock.
private struct Desk {
    var cache: TinyLFU<Int>
    var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)

    init(budget: Int) { cache = TinyLFU(budget: budget, seed: 7) }

    mutating func get(_ key: Int) -> Int? { cache.value(for: cacheKey(key), now: now) }

    /// The keys that were evicted, as values equal keys.
    @discardableResult
    mutating func put(_ key: Int, weight: Int = 1, cost: Int = 1, life: Duration = .seconds(3600)) -> [Int] {
        let expires = life > .zero ? now.advanced(by: life) : now
        let outcome = cache.store(cacheKey(key), key, weight: weight, cost: cost, expires: expires, now: now)
        #expect(cache.verify() == nil)
        return outcome.evicted.map(\.value)
    }

    /// As a caller does: ask, and store what was missed.
    mutating func request(_ key: Int, weight: Int = 1, cost: Int = 1) -> Bool {
        if get(key) != nil { return true }
        _ = cache.store(
            cacheKey(key), key, weight: weight, cost: cost, expires: now.advanced(by: .seconds(3600)), now: now)
        return false
    }
}

struct TinyLFUTests {
    @Test("what is stored is found, replaced and removed, and the books follow")
    func basics() {
        var desk = Desk(budget: 1_000)
        #expect(desk.get(1) == nil)
        #expect(desk.put(1, weight: 300) == [] && desk.get(1) == 1)
        let again = desk.cache.store(
            cacheKey(1), 11, weight: 500, cost: 1, expires: .distantFuture, now: desk.now)
        #expect(again.dropped == [1] && again.evicted.isEmpty && desk.get(1) == 11)
        #expect(desk.cache.bytes == 500 && desk.cache.count == 1)
        #expect(desk.cache.remove(cacheKey(1)) == 11 && desk.cache.remove(cacheKey(1)) == nil)
        let seen = desk.cache.statistics
        #expect(seen.hits == 2 && seen.misses == 1 && seen.evictions == 0 && seen.rejected == 0)
    }

    @Test("an entry larger than the cache is handed back and displaces nothing; it takes its older value away")
    func tooLarge() {
        var desk = Desk(budget: 100)
        desk.put(1, weight: 40)
        #expect(desk.put(2, weight: 101) == [2] && desk.get(1) == 1)
        #expect(desk.put(1, weight: 101) == [1] && desk.get(1) == nil)
        #expect(desk.cache.bytes == 0 && desk.cache.statistics.rejected == 2)
        #expect(desk.put(3, weight: 100) == [] && desk.get(3) == 3)
    }

    @Test("weight 0 or less counts as a byte, so that nothing is free")
    func noWeight() {
        var desk = Desk(budget: 10)
        for key in 0..<50 { desk.put(key, weight: key % 2 == 0 ? 0 : -5) }
        #expect(desk.cache.bytes == 10 && desk.cache.count == 10)
    }

    @Test("a life of zero or less is not stored and takes the older value away")
    func noLife() {
        var desk = Desk(budget: 100)
        #expect(desk.put(1, life: .zero) == [] && desk.get(1) == nil && desk.cache.count == 0)
        desk.put(1)
        let outcome = desk.cache.store(
            cacheKey(1), 2, weight: 1, cost: 1, expires: MonotonicInstant(nanoseconds: 5), now: desk.now)
        #expect(outcome.dropped == [1] && outcome.evicted.isEmpty && desk.get(1) == nil)
        desk.put(1, life: .nanoseconds(Int64.max))
        #expect(desk.get(1) == 1)
    }

    @Test("no read sees an expired value, a sweep frees it, and a clock that jumps back harms nothing")
    func expiry() {
        var desk = Desk(budget: 100)
        desk.put(1, life: .seconds(10))
        desk.put(2, life: .seconds(100))
        desk.now = desk.now.advanced(by: .nanoseconds(9_999_999_999))
        #expect(desk.get(1) == 1)
        desk.now = desk.now.advanced(by: .nanoseconds(1))
        #expect(desk.get(1) == nil && desk.cache.count == 1)
        let noon = desk.now
        desk.now = noon.advanced(by: .seconds(95))
        #expect(desk.cache.expire(now: desk.now).dropped == [2] && desk.cache.bytes == 0)
        desk.now = noon
        desk.put(3, life: .seconds(5))
        #expect(desk.get(3) == 3)
        desk.now = noon.advanced(by: .seconds(200))
        #expect(desk.get(3) == nil && desk.cache.statistics.expirations == 3)
        #expect(desk.cache.verify() == nil)
    }

    @Test("a smaller budget evicts at once and hands everything back; a larger one is used")
    func resize() {
        var desk = Desk(budget: 1_000)
        for key in 0..<100 { desk.put(key, weight: 10) }
        let evicted = desk.cache.resize(305).evicted.map(\.value)
        #expect(evicted.count == 70 && desk.cache.bytes == 300 && desk.cache.verify() == nil)
        #expect(Set(evicted).isDisjoint(with: (0..<100).filter { desk.get($0) != nil }))
        #expect(desk.cache.resize(0).evicted.count == 30 && desk.put(1) == [1])
        #expect(desk.cache.resize(2_000).evicted.isEmpty && desk.put(1, weight: 2_000) == [] && desk.get(1) == 1)
    }

    @Test("removal by what an entry is")
    func removeWhere() {
        var desk = Desk(budget: 100)
        for key in 0..<100 { desk.put(key) }
        #expect(desk.cache.remove { _, value in value % 3 == 0 }.count == 34)
        #expect(desk.cache.count == 66 && desk.get(3) == nil && desk.get(4) == 4 && desk.cache.verify() == nil)
        #expect(desk.cache.removeAll().count == 66 && desk.cache.bytes == 0 && desk.get(4) == nil)
    }

    @Test("a scan of ten times the cache leaves the hot entries in")
    func scan() {
        var desk = Desk(budget: 1_000)
        for _ in 0..<6 { for key in 0..<800 { _ = desk.request(key) } }
        for key in 10_000..<20_000 { _ = desk.request(key) }
        let left = (0..<800).filter { desk.get($0) != nil }.count
        #expect(left >= 780, "\(left) of 800 hot entries are left")
    }

    @Test("a loop slightly larger than the cache hits most of the time, where LRU never does")
    func loop() {
        var desk = Desk(budget: 900)
        var hits = 0
        for _ in 0..<20 { for key in 0..<1_000 where desk.request(key) { hits += 1 } }
        #expect(hits > 15_000, "\(hits) of 20000")
    }

    @Test("an answer that cost more stays, among equals in size and use")
    func cost() {
        var desk = Desk(budget: 200)
        for _ in 0..<10 { for key in 0..<1_000 { _ = desk.request(key, cost: key % 10 == 0 ? 50 : 1) } }
        let dear = stride(from: 0, to: 1_000, by: 10).filter { desk.get($0) != nil }.count
        #expect(dear >= 90, "\(dear) of 100 dear answers are kept")
    }

    @Test("many small answers stay rather than a few large ones of the same cost")
    func size() {
        var desk = Desk(budget: 4_000)
        for _ in 0..<20 { for key in 0..<400 { _ = desk.request(key, weight: key % 2 == 0 ? 10 : 400) } }
        let small = stride(from: 0, to: 400, by: 2).filter { desk.get($0) != nil }.count
        #expect(small >= 180, "\(small) of 200 small answers are kept")
    }

    @Test("what is asked for as often as anything gets in after some tries")
    func flood() {
        var desk = Desk(budget: 100)
        for _ in 0..<20 { for key in 0..<100 { _ = desk.request(key) } }
        var tries = 0
        while tries < 2_000, !desk.request(1_000) {
            _ = desk.request(2_000 + tries)
            tries += 1
        }
        #expect(tries < 2_000)
    }

    @Test("when requests change from often to lately, the window grows")
    func window() {
        var desk = Desk(budget: 400)
        var random = SeededRandom(seed: 3)
        for _ in 0..<10_000 {
            _ = desk.request(Int.random(in: 0..<20, using: &random) * Int.random(in: 0..<60, using: &random))
        }
        // Everything is asked for three times within 120 requests, and never again.
        for key in 10_000..<22_000 { for back in [0, 10, 40] { _ = desk.request(key - back) } }
        let share = desk.cache.windowShare
        #expect(share > 0.1, "the window has \(share)")
    }
}
