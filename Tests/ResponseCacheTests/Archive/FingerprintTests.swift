import Base
import Testing

@testable import ResponseCache

struct FingerprintTests {
    @Test("The index says what a set of keys says, through random insertions, removals and emptyings")
    func model() {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        let index = FingerprintIndex()
        var held: [CacheLayer: Set<Int>] = [.l2: [], .l3: []]
        for step in 0..<60_000 {
            let number = Int.random(in: 0..<4_000, using: &random), key = ArchiveDesk.key(number)
            let layer: CacheLayer = Bool.random(using: &random) ? .l2 : .l3
            switch Int.random(in: 0..<100, using: &random) {
            case 0 where step % 20 == 0:
                index.removeAll(layer)
                held[layer] = []
            case ..<60:
                index.insert(key, layer)
                held[layer]?.insert(number)
            default:
                index.remove(key, layer)
                held[layer]?.remove(number)
            }
            if step % 5_000 == 0 || step == 59_999 {
                for number in 0..<4_000 {
                    var layers: CacheLayers = []
                    for layer in [CacheLayer.l2, .l3] where held[layer]!.contains(number) {
                        layers.insert(CacheLayers(layer))
                    }
                    #expect(index.layers(holding: ArchiveDesk.key(number)) == layers, "step \(step), key \(number)")
                }
                #expect(index.count == held[.l2]!.union(held[.l3]!).count)
            }
        }
    }

    @Test("Fingerprints that share a place, or all of the bits that choose it, are kept apart")
    func equalPlaces() {
        var table = FingerprintTable(limit: 10_000)
        let alike = (0..<400).map { UInt64($0) << 32 | 0xFFFF_FFF0 }  // the last place, so that they wrap around
        let near = (0..<400).map { UInt64(0xFFFF_0000 + $0) }
        for fingerprint in alike + near { table.insert(fingerprint, .l2) }
        for fingerprint in alike { table.insert(fingerprint, .l3) }
        for fingerprint in alike.shuffled() {
            table.remove(fingerprint, .l2)
            #expect(table.layers(holding: fingerprint) == .l3)
            table.remove(fingerprint, .l3)
            #expect(table.layers(holding: fingerprint) == [])
        }
        #expect(near.allSatisfy { table.layers(holding: $0) == .l2 } && table.count == near.count)
    }

    @Test("Of keys with equal fingerprints none is denied while all are there; saying a thing twice changes nothing")
    func equalFingerprints() {
        let index = FingerprintIndex()
        let twins = (0..<3).map { CacheKey(words: (UInt64($0), 77, UInt64($0), 9)) }
        for key in twins { index.insert(key, .l3) }
        #expect(index.count == 1 && twins.allSatisfy { index.layers(holding: $0) == .l3 })
        index.insert(twins[0], .l2)
        index.remove(twins[1], .l2)
        #expect(twins.allSatisfy { index.layers(holding: $0) == .l3 })
        for key in twins { index.remove(key, .l3) }
        #expect(index.count == 0 && twins.allSatisfy { index.layers(holding: $0) == [] })
    }

    @Test("Beyond its limit the index affirms every key rather than deny one, until the layer is emptied")
    func limit() {
        var table = FingerprintTable(limit: 10)
        for fingerprint in 0..<UInt64(20) { table.insert(fingerprint << 27, .l2) }
        table.insert(0, .l3)
        for fingerprint in 0..<UInt64(20) { #expect(table.layers(holding: fingerprint << 27).contains(.l2)) }
        #expect(table.layers(holding: 5).contains(.l2) && table.count == 10)
        table.removeAll(.l2)
        #expect(table.layers(holding: 5) == [] && table.layers(holding: 0) == .l3 && table.count == 1)
    }

    @Test("An entry costs at most 8.6 bytes, and strangers are not affirmed")
    func memoryAndStrangers() {
        var random = SeededRandom(seed: 1), table = FingerprintTable(limit: 1 << 20), worst = 0.0
        func fingerprint() -> UInt64 { random.next() >> UInt64(64 - FingerprintTable.fingerprintBits) }
        for number in 0..<50_000 {
            table.insert(fingerprint(), .l2)
            if number >= 100 { worst = max(worst, Double(table.byteCount) / Double(table.count)) }
        }
        let strangers = (0..<50_000).count { _ in table.layers(holding: fingerprint()) != [] }
        print("\(worst) bytes an entry at worst, \(strangers) of 50,000 strangers affirmed")
        #expect(worst < 8.8 && strangers == 0 && table.count == 50_000)
    }

    @Test("Threads that insert at once lose nothing")
    func threads() {
        let index = FingerprintIndex()
        let threads = (0..<4).map { part in
            OSThread.start("insert-\(part)") {
                for number in 0..<5_000 { index.insert(ArchiveDesk.key(part * 5_000 + number), .l3) }
            }
        }
        for thread in threads { thread.join() }
        #expect(index.count == 20_000)
        #expect((0..<20_000).allSatisfy { index.layers(holding: ArchiveDesk.key($0)) == .l3 })
    }
}

struct SecondUseTests {
    @Test("A key's second use is told once: not its first, not its third")
    func secondOnly() {
        var uses = SecondUse(capacity: 4_096)
        let keys = (0..<1_000).map(ArchiveDesk.key)
        let first = keys.count { uses.isSecondUse(of: $0) }
        let second = keys.count { uses.isSecondUse(of: $0) }
        let third = keys.count { uses.isSecondUse(of: $0) }
        print("told at the first, second, third use of 1,000: \(first), \(second), \(third)")
        #expect(first <= 10 && second >= 980 && third == 0)
    }

    @Test("A use is remembered for as many others as the memory is made for, and forgotten after twice as many")
    func bounded() {
        var uses = SecondUse(capacity: 4_096)
        let old = (0..<100).map(ArchiveDesk.key)
        for key in old { _ = uses.isSecondUse(of: key) }
        for number in 1_000..<4_900 { _ = uses.isSecondUse(of: ArchiveDesk.key(number)) }
        var copy = uses
        #expect(old.count { copy.isSecondUse(of: $0) } >= 97)
        let strangers = (10_000..<18_192).count { uses.isSecondUse(of: ArchiveDesk.key($0)) }
        print("\(strangers) of 8,192 first uses taken for second ones")
        #expect(strangers < 82)
        #expect(old.count { uses.isSecondUse(of: $0) } <= 3)
    }
}
