/// How often things were asked for lately: a count-min sketch (Cormode and Muthukrishnan 2005) of 4-bit counters, four
/// for each thing, all in one block of 64 bytes. Every counter is halved after ten requests for each entry of the
/// cache, so that the past is forgotten (TinyLFU: Einziger, Friedman and Manes 2017). 16 to 32 bytes an entry.
package struct FrequencySketch: Sendable {
    /// One block is eight words of sixteen counters; a thing's counter i is in word 2i or 2i + 1.
    private var blocks: [SIMD8<UInt64>]
    private var additions = 0
    private let seed: UInt64
    /// The entries that it is made for; ten times as many requests are a period.
    package private(set) var capacity: Int

    /// The largest count: what a counter of four bits holds.
    package static let maximum = 15
    private static let smallest = 16
    /// Requests for each entry after which counts are halved.
    private static let period = 10

    /// - Parameter seed: makes it unknown to clients which things share counters.
    package init(seed: UInt64) {
        self.seed = seed
        capacity = Self.smallest
        blocks = Array(repeating: SIMD8(repeating: 0), count: Self.smallest / 4)
    }

    /// Fits it to a cache of so many entries; it never shrinks. All counts stay: a block's two successors begin as
    /// its copies.
    package mutating func grow(to entries: Int) {
        guard entries > capacity else { return }
        capacity = entries
        while blocks.count * 4 < entries { blocks += blocks }
    }

    /// Counts one request. - Parameter hash: 64 good bits of what was asked for.
    package mutating func increment(_ hash: UInt64) {
        let (block, choices) = place(hash)
        let added = blocks.withUnsafeMutableBufferPointer { blocks in
            UnsafeMutableBufferPointer(rebasing: blocks[block...block]).withMemoryRebound(to: UInt64.self) { words in
                var added = false
                for row in 0..<4 {
                    let (word, shift) = Self.counter(row, choices)
                    guard words[word] >> shift & 15 < 15 else { continue }
                    words[word] += 1 << shift
                    added = true
                }
                return added
            }
        }
        guard added else { return }
        additions += 1
        if additions >= Self.period * capacity { halve() }
    }

    /// 0 to `maximum`; never less than the requests of this period, sometimes more.
    package func estimate(_ hash: UInt64) -> Int {
        let (block, choices) = place(hash)
        return blocks.withUnsafeBufferPointer { blocks in
            UnsafeBufferPointer(rebasing: blocks[block...block]).withMemoryRebound(to: UInt64.self) { words in
                var least: UInt64 = 15
                for row in 0..<4 {
                    let (word, shift) = Self.counter(row, choices)
                    least = min(least, words[word] >> shift & 15)
                }
                return Int(least)
            }
        }
    }

    private mutating func halve() {
        let kept = SIMD8<UInt64>(repeating: 0x7777_7777_7777_7777)
        for block in blocks.indices { blocks[block] = (blocks[block] &>> 1) & kept }
        additions /= 2
    }

    private func place(_ hash: UInt64) -> (block: Int, choices: UInt64) {
        var mixed = (hash ^ seed) &* 0x9E37_79B9_7F4A_7C15
        mixed ^= mixed >> 32
        precondition(blocks.count & (blocks.count - 1) == 0)
        return (Int(truncatingIfNeeded: mixed) & (blocks.count - 1), (mixed &* 0xBF58_476D_1CE4_E5B9) >> 32)
    }

    @inline(__always)
    private static func counter(_ row: Int, _ choices: UInt64) -> (word: Int, shift: UInt64) {
        let choice = choices >> UInt64(row * 8)
        return (row * 2 + Int(choice & 1), (choice >> 1 & 15) * 4)
    }
}
