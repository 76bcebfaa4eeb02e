/// One shard of `FingerprintIndex`: a set of 46-bit fingerprints, each with the layers that hold it, in 6 bytes. Open
/// addressing, linear probing, deletion by moving back: no tombstones. Pure.
///
/// Between 70 % and 87.5 % full once grown, so 6.9 to 8.6 bytes an entry. Expected O(1); growing and `removeAll` O(n).
struct FingerprintTable: Sendable {
    static let fingerprintBits = 46
    private static let smallest = 8

    /// The low 32 bits: they choose the place, and most searches look at nothing else.
    private var lows: [UInt32]
    /// The high 14 bits << 2 | held in L3 << 1 | held in L2. No layer: an empty place.
    private var tops: [UInt16]
    private(set) var count = 0
    private let limit: Int
    /// Layers of which a key found no room. Until they are emptied, every key may be in them.
    private var overfull: CacheLayers = []

    init(limit: Int) {
        precondition(limit > 0)
        self.limit = limit
        lows = Array(repeating: 0, count: Self.smallest)
        tops = Array(repeating: 0, count: Self.smallest)
    }

    var byteCount: Int { lows.count * (MemoryLayout<UInt32>.stride + MemoryLayout<UInt16>.stride) }

    func layers(holding fingerprint: UInt64) -> CacheLayers {
        let held = find(fingerprint).map { tops[$0] } ?? 0
        var layers = overfull
        if held & 1 != 0 { layers.insert(.l2) }
        if held & 2 != 0 { layers.insert(.l3) }
        return layers
    }

    /// Nothing new when it is there.
    mutating func insert(_ fingerprint: UInt64, _ layer: CacheLayer) {
        precondition(fingerprint >> UInt64(Self.fingerprintBits) == 0)
        if let place = find(fingerprint) {
            tops[place] |= Self.bit(layer)
        } else if count < limit {
            if (count + 1) * 8 > lows.count * 7 { rebuild(capacity: lows.count * 5 / 4 + 2, keeping: 3) }
            put(UInt32(truncatingIfNeeded: fingerprint), UInt16(fingerprint >> 32) << 2 | Self.bit(layer))
            count += 1
        } else {
            overfull.insert(CacheLayers(layer))
        }
    }

    mutating func remove(_ fingerprint: UInt64, _ layer: CacheLayer) {
        guard let place = find(fingerprint) else { return }
        tops[place] &= ~Self.bit(layer)
        if tops[place] & 3 == 0 { vacate(place) }
    }

    /// Forgets a layer and gives memory back.
    mutating func removeAll(_ layer: CacheLayer) {
        let kept = 3 & ~Self.bit(layer)
        overfull.remove(CacheLayers(layer))
        count = tops.count { $0 & kept != 0 }
        rebuild(capacity: max(Self.smallest, count * 5 / 4 + 2), keeping: kept)
    }

    private static func bit(_ layer: CacheLayer) -> UInt16 {
        precondition(layer != .l1, "memory has no need of an index")
        return layer == .l2 ? 1 : 2
    }

    /// Fingerprints are uniform: their size chooses the place, whatever the capacity.
    private func home(_ low: UInt32) -> Int { Int((UInt64(low) * UInt64(lows.count)) >> 32) }

    private func next(_ place: Int) -> Int { place + 1 == lows.count ? 0 : place + 1 }

    private func distance(_ from: Int, _ to: Int) -> Int { to >= from ? to - from : to - from + lows.count }

    private func find(_ fingerprint: UInt64) -> Int? {
        let low = UInt32(truncatingIfNeeded: fingerprint), high = UInt16(fingerprint >> 32)
        var place = home(low)
        while tops[place] & 3 != 0 {
            if lows[place] == low, tops[place] >> 2 == high { return place }
            place = next(place)
        }
        return nil
    }

    private mutating func put(_ low: UInt32, _ top: UInt16) {
        var place = home(low)
        while tops[place] & 3 != 0 { place = next(place) }
        (lows[place], tops[place]) = (low, top)
    }

    /// Moves back into the emptied place what would no longer be found beyond it.
    private mutating func vacate(_ place: Int) {
        var gap = place, look = next(place)
        while tops[look] & 3 != 0 {
            let home = home(lows[look])
            if distance(home, look) >= distance(gap, look) {
                (lows[gap], tops[gap]) = (lows[look], tops[look])
                gap = look
            }
            look = next(look)
        }
        tops[gap] = 0
        count -= 1
    }

    /// - Parameter layers: the layers' bits to keep; a fingerprint without any goes.
    private mutating func rebuild(capacity: Int, keeping layers: UInt16) {
        precondition(count < capacity, "a search ends at an empty place")
        let (oldLows, oldTops) = (lows, tops)
        lows = Array(repeating: 0, count: capacity)
        tops = Array(repeating: 0, count: capacity)
        for (low, top) in zip(oldLows, oldTops) where top & layers != 0 { put(low, top & (~3 | layers)) }
    }
}
