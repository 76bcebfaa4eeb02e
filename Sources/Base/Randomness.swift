internal import CLinux

/// Random bytes from the kernel (`getrandom`), for keys and identifiers.
package func secureRandomBytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    precondition(weir_random(&bytes, count) == 0, "the kernel has no randomness to give")
    return bytes
}

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): small, fast, and the same on every run for one seed.
/// For simulation, jitter and tests; never for secrets.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Uniform in [0, 1).
    package mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
