/// Finds the simulator's stamps in a stream: `"content":"` and 20 digits, the sender's monotonic clock in nanoseconds.
/// Bytes may come in pieces of any size. It looks at nothing else: reading must cost little beside what is measured.
struct TokenStamps {
    private static let needle = Array(#""content":""#.utf8)
    private static let digits = 20

    /// How much of the needle has been seen.
    private var matched = 0
    private var seenDigits = 0
    private var value: UInt64 = 0

    mutating func feed(_ bytes: some Sequence<UInt8>, _ found: (UInt64) -> Void) {
        for byte in bytes {
            if matched == Self.needle.count {
                addDigit(byte, found)
            } else if byte == Self.needle[matched] {
                matched += 1
            } else {
                matched = byte == Self.needle[0] ? 1 : 0
            }
        }
    }

    private mutating func addDigit(_ byte: UInt8, _ found: (UInt64) -> Void) {
        let digit = byte &- UInt8(ascii: "0")
        if digit <= 9 {
            value = value &* 10 &+ UInt64(digit)
            seenDigits += 1
            guard seenDigits == Self.digits else { return }
            found(value)
        }
        (matched, seenDigits, value) = (0, 0, 0)
    }
}
