/// Tells a key's second use from its first and from later ones: most answers are asked for once and need no file.
///
/// Two Bloom filters that take turns: a use is remembered for at least `capacity` and at most twice as many later
/// marks (a key makes up to two), then forgotten. 4 bytes of memory for each of `capacity`. A filter may take a first
/// use for a second one (under 1 %), or, as rarely, miss a second. Pure; O(1), two cache lines.
package struct SecondUse: Sendable {
    private static let bitsEach = 16
    private static let blockBits = 512

    private let capacity: Int
    private let blockMask: UInt64
    private var current: [UInt64]
    private var previous: [UInt64]
    /// Marks set in `current`.
    private var marks = 0

    /// - Parameter capacity: 131,072 marks, 512 KiB.
    package init(capacity: Int = 1 << 17) {
        precondition(capacity >= 32 && capacity & (capacity - 1) == 0, "a power of two")
        self.capacity = capacity
        blockMask = UInt64(capacity * Self.bitsEach / Self.blockBits - 1)
        current = Array(repeating: 0, count: capacity * Self.bitsEach / 64)
        previous = current
    }

    /// Remembers a use of the key. True for its second use alone, until it is forgotten.
    package mutating func isSecondUse(of key: CacheKey) -> Bool {
        if mark(key.words.2, key.words.3) { return false }
        return mark(key.words.3, key.words.2)
    }

    /// Sets a mark, four bits of one block; false when it was there.
    private mutating func mark(_ choice: UInt64, _ bits: UInt64) -> Bool {
        let block = Int(choice & blockMask) * Self.blockBits / 64
        var isOld = true, isCurrent = true
        for turn in 0..<4 {
            let bit = Int(bits >> UInt64(64 - 9 * (turn + 1)) & 511)
            let mask = UInt64(1) << UInt64(bit & 63)
            isOld = isOld && previous[block + bit >> 6] & mask != 0
            isCurrent = isCurrent && current[block + bit >> 6] & mask != 0
            current[block + bit >> 6] |= mask
        }
        if !isCurrent { marks += 1 }
        if marks == capacity {
            swap(&current, &previous)
            for index in current.indices { current[index] = 0 }
            marks = 0
        }
        return !isOld && !isCurrent
    }
}
