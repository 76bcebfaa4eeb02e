import Base

/// Which keys L2 and L3 hold, in memory, so that most misses touch no file. From any thread; one short lock of 256.
///
/// It knows a key by 54 bits of its digest. A key that is not there is affirmed with a probability of entries / 2^54,
/// or when its shard is at its limit. A key that is there is denied only after the removal of another one with the
/// same 54 bits: among a million entries such a pair is expected in one cache of 30,000, and costs it one call.
package final class FingerprintIndex: Sendable {
    private static let shardBits = 8

    private let shards: [Locked<FingerprintTable>]

    /// - Parameter limit: of entries in all; at most 8.6 bytes each (70 MiB), taken as they come.
    package init(limit: Int = 8 << 20) {
        let each = max(1, limit >> Self.shardBits)
        shards = (0..<1 << Self.shardBits).map { _ in Locked(FingerprintTable(limit: each)) }
    }

    /// Says that the layer holds the key; saying so again changes nothing. O(1); now and then a shard (1/256 of all)
    /// grows by a quarter.
    package func insert(_ key: CacheKey, _ layer: CacheLayer) {
        shard(key).withLock { $0.insert(Self.fingerprint(key), layer) }
    }

    /// Says that the layer no longer holds the key. O(1).
    package func remove(_ key: CacheKey, _ layer: CacheLayer) {
        shard(key).withLock { $0.remove(Self.fingerprint(key), layer) }
    }

    /// The layers that may hold the key; those left out do not.
    package func layers(holding key: CacheKey) -> CacheLayers {
        shard(key).withLock { $0.layers(holding: Self.fingerprint(key)) }
    }

    /// Forgets a layer that was emptied. O(n), a shard at a time.
    package func removeAll(_ layer: CacheLayer) {
        for shard in shards { shard.withLock { $0.removeAll(layer) } }
    }

    /// Keys held, those in both layers once. O(shards).
    package var count: Int { shards.reduce(0) { sum, shard in sum + shard.withLock { $0.count } } }

    /// Memory of the tables in bytes. O(shards).
    package var byteCount: Int { shards.reduce(0) { sum, shard in sum + shard.withLock { $0.byteCount } } }

    // The second word: the first is what hash tables of keys use.
    private func shard(_ key: CacheKey) -> Locked<FingerprintTable> {
        shards[Int(key.words.1 >> UInt64(64 - Self.shardBits))]
    }

    private static func fingerprint(_ key: CacheKey) -> UInt64 {
        key.words.1 & (1 << UInt64(FingerprintTable.fingerprintBits) - 1)
    }
}
