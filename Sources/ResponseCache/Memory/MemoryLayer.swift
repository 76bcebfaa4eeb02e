package import Base

/// What a memory cache has done since it was made, and what it holds.
package struct MemoryStatistics: Hashable, Sendable {
    package var entries = 0
    package var bytes = 0
    package var hits = 0
    package var misses = 0
    /// Entries that gave way to others or to a smaller budget.
    package var evictions = 0
    package var expirations = 0
    /// Entries that were too large or not worth what they would have displaced.
    package var rejected = 0
}

/// L1: answers in memory, in 16 shards of W-TinyLFU, each behind a lock that is held for well under a microsecond. An
/// entry is never larger than a sixteenth of the budget.
package final class MemoryLayer<Value: Sendable>: Sendable {
    private struct Shard: Sendable {
        var cache: TinyLFU<Value>
        var isEnabled = true
    }

    private struct Control: Sendable {
        var budget: ByteCount
        var isEnabled = true
    }

    private static var shardCount: Int { 16 }

    private let shards: [Locked<Shard>]
    /// Taken before any shard's lock.
    private let control: Locked<Control>

    /// - Parameter seed: random in production, so that nobody can compute which keys share counters.
    package init(budget: ByteCount, seed: UInt64) {
        var seeds = SeededRandom(seed: seed)
        control = Locked(Control(budget: budget))
        shards = (0..<Self.shardCount).map { _ in
            Locked(Shard(cache: TinyLFU(budget: budget.bytes / Self.shardCount, seed: seeds.next())))
        }
    }

    /// The value, unless it is not here or has expired. Counts the request's frequency either way; allocates nothing.
    package func value(for key: CacheKey, now: MonotonicInstant) -> Value? {
        shard(of: key).withLock { $0.isEnabled ? $0.cache.value(for: key, now: now) : nil }
    }

    /// Keeps the value until `expires`; one that has expired at `now` only removes the key's older value.
    /// - Parameters:
    ///   - weight: bytes, at least 1.
    ///   - cost: what getting it again would cost, at least 1, in one unit for all.
    /// - Returns: the unexpired entries that lost their place or got none (perhaps this one), for a lower layer.
    package func store(
        _ key: CacheKey, _ value: Value, weight: Int, cost: Int, expires: MonotonicInstant, now: MonotonicInstant
    ) -> [(key: CacheKey, value: Value)] {
        let outcome = shard(of: key).withLock { shard in
            shard.isEnabled
                ? shard.cache.store(key, value, weight: weight, cost: cost, expires: expires, now: now) : nil
        }
        return outcome?.evicted ?? []
    }

    /// False when it was not there.
    package func remove(_ key: CacheKey) -> Bool {
        shard(of: key).withLock { $0.cache.remove(key) } != nil
    }

    /// How many were removed. O(n), a shard at a time: what is stored meanwhile in a shard already seen stays. The
    /// closure runs under a lock: it must not call this layer.
    package func remove(where matches: (CacheKey, Value) throws -> Bool) rethrows -> Int {
        try shards.reduce(0) { count, shard in
            count + (try shard.withLock { try $0.cache.remove(where: matches) }).count
        }
    }

    /// Forgets every entry.
    package func removeAll() {
        for shard in shards { _ = shard.withLock { $0.cache.removeAll() } }
    }

    /// Releases what has expired; for a caller that has a timer. (Stores do it too.)
    package func expire(now: MonotonicInstant) {
        for shard in shards { _ = shard.withLock { $0.cache.expire(now: now) } }
    }

    /// Changes the budget; a smaller one evicts at once.
    /// - Returns: the entries that lost their place.
    package func resize(_ budget: ByteCount) -> [(key: CacheKey, value: Value)] {
        control.withLock { control in
            control.budget = budget
            return shards.flatMap { shard in
                shard.withLock { $0.cache.resize(budget.bytes / Self.shardCount) }.evicted
            }
        }
    }

    /// Off, it holds nothing, takes nothing, always misses and counts nothing.
    package var isEnabled: Bool {
        get { control.withLock { $0.isEnabled } }
        set {
            control.withLock { control in
                control.isEnabled = newValue
                for shard in shards {
                    _ = shard.withLock { shard in
                        shard.isEnabled = newValue
                        return newValue ? nil : shard.cache.removeAll()
                    }
                }
            }
        }
    }

    /// The sum over the shards, each seen at a slightly different moment.
    package var statistics: MemoryStatistics {
        shards.reduce(into: MemoryStatistics()) { sum, shard in
            let one = shard.withLock { $0.cache.statistics }
            sum.entries += one.entries
            sum.bytes += one.bytes
            sum.hits += one.hits
            sum.misses += one.misses
            sum.evictions += one.evictions
            sum.expirations += one.expirations
            sum.rejected += one.rejected
        }
    }

    private func shard(of key: CacheKey) -> Locked<Shard> {
        shards[Int(truncatingIfNeeded: key.words.2) & (Self.shardCount - 1)]
    }
}
