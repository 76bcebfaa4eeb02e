import Base
import ResponseCache
import Testing

private let noon = MonotonicInstant(nanoseconds: 1 << 50)

struct MemoryLayerTests {
    private func filled(_ count: Int, budget: ByteCount = .mebibytes(1)) -> MemoryLayer<Int> {
        let layer = MemoryLayer<Int>(budget: budget, seed: 1)
        for key in 0..<count { _ = store(layer, key) }
        return layer
    }

    private func store(_ layer: MemoryLayer<Int>, _ key: Int, weight: Int = 1_000) -> [Int] {
        layer.store(
            cacheKey(key), key, weight: weight, cost: 1, expires: noon.advanced(by: .seconds(60)), now: noon
        ).map(\.value)
    }

    @Test("the shards together are one cache, within one budget")
    func budget() {
        let layer = MemoryLayer<Int>(budget: .kibibytes(160), seed: 1)
        var evicted: [Int] = []
        for key in 0..<1_000 { evicted += store(layer, key) }
        let statistics = layer.statistics
        #expect(statistics.entries == 160 && statistics.bytes == 160_000 && evicted.count == 840)
        #expect(statistics.evictions + statistics.rejected == 840)
        let found = (0..<1_000).filter { layer.value(for: cacheKey($0), now: noon) != nil }
        #expect(found.count == 160 && Set(found).isDisjoint(with: evicted))
        #expect(layer.statistics.hits == 160 && layer.statistics.misses == 840)
        #expect(store(layer, 5_000, weight: 10_241) == [5_000], "larger than a shard")
    }

    @Test("entries go by key, by what they are, all at once, and when their time comes")
    func removal() {
        let layer = filled(100)
        #expect(layer.remove(cacheKey(1)) && !layer.remove(cacheKey(1)))
        #expect(layer.remove { _, value in value < 50 } == 49)
        #expect(layer.statistics.entries == 50)
        layer.expire(now: noon.advanced(by: .seconds(59)))
        #expect(layer.statistics.entries == 50)
        layer.expire(now: noon.advanced(by: .seconds(65)))
        #expect(layer.statistics.entries == 0 && layer.statistics.expirations == 50)
        _ = store(layer, 1)
        layer.removeAll()
        #expect(layer.statistics.entries == 0 && layer.value(for: cacheKey(1), now: noon) == nil)
    }

    @Test("off, it is empty, takes nothing and counts nothing; on again, it works")
    func off() {
        let layer = filled(100)
        layer.isEnabled = true
        #expect(layer.isEnabled && layer.statistics.entries == 100)
        layer.isEnabled = false
        #expect(!layer.isEnabled && layer.statistics.entries == 0 && layer.statistics.bytes == 0)
        #expect(store(layer, 1) == [] && layer.value(for: cacheKey(1), now: noon) == nil)
        #expect(layer.statistics.misses == 0)
        layer.isEnabled = true
        #expect(store(layer, 1) == [] && layer.value(for: cacheKey(1), now: noon) == 1)
    }

    @Test("a budget changed while it runs holds at once")
    func resize() {
        let layer = filled(500)
        let evicted = layer.resize(.kibibytes(64))
        let left = layer.statistics
        #expect(left.entries + evicted.count == 500 && left.bytes <= 64 << 10 && left.entries >= 48)
        #expect(layer.resize(.mebibytes(1)).isEmpty && store(layer, 9_999, weight: 60_000) == [])
    }

    @Test("many threads at once: nothing is lost, nobody gets another's value, the books are right")
    func threads() async {
        let layer = MemoryLayer<Int>(budget: .kibibytes(256), seed: 1)
        let keys = (0..<1_000).map { cacheKey($0) }
        let wrong = await withTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var random = SeededRandom(seed: UInt64(task)), wrong = 0
                    for round in 0..<3_000 {
                        let key = Int.random(in: 0..<1_000, using: &random)
                        if let value = layer.value(for: keys[key], now: noon) {
                            if value != key { wrong += 1 }
                        } else {
                            _ = layer.store(keys[key], key, weight: 700, cost: 1, expires: .distantFuture, now: noon)
                        }
                        if round % 500 == task { _ = layer.resize(.kibibytes(128 + 16 * task)) }
                        if round % 1_000 == task { _ = layer.remove { _, value in value % 7 == task } }
                    }
                    return wrong
                }
            }
            return await group.reduce(0, +)
        }
        let statistics = layer.statistics
        #expect(wrong == 0 && statistics.hits + statistics.misses == 24_000)
        #expect(statistics.bytes == statistics.entries * 700 && statistics.bytes <= 240 << 10)
        #expect(layer.remove { _, _ in true } == statistics.entries && layer.statistics.bytes == 0)
    }
}
