import Glibc

/// Comparing bytes where they lie: no string is made, nothing is allocated. For keys and names on the hot path.
extension UnsafeRawBufferPointer {
    /// The bytes at the range are exactly this text.
    package func holds(_ text: StaticString, at range: Range<Int>) -> Bool {
        precondition(range.upperBound <= count && range.lowerBound >= 0)
        guard range.count == text.utf8CodeUnitCount else { return false }
        guard let base = baseAddress else { return true }
        return memcmp(base + range.lowerBound, text.utf8Start, range.count) == 0
    }

    /// A JSON number at the range as a count: whole, not negative, below 10^15. Nil for anything else; a fraction
    /// (`12.0`) is cut off.
    package func count(at range: Range<Int>) -> Int? {
        precondition(range.upperBound <= count)
        var value = 0
        for index in range {
            let digit = self[index] &- 48
            guard digit <= 9 else {
                return self[index] == UInt8(ascii: ".") && index > range.lowerBound ? value : nil
            }
            value = value * 10 + Int(digit)
            guard value < 1_000_000_000_000_000 else { return nil }
        }
        return range.isEmpty ? nil : value
    }
}

/// ASCII letters match whatever their case. Nothing is allocated.
package func equalIgnoringCase(_ a: String, _ b: String) -> Bool {
    guard a.utf8.count == b.utf8.count else { return false }
    return a.utf8.withContiguousStorageIfAvailable { left in
        b.utf8.withContiguousStorageIfAvailable { right in
            var difference: UInt8 = 0
            for index in 0..<left.count { difference |= lowercased(left[index]) ^ lowercased(right[index]) }
            return difference == 0
        }
    }.flatMap { $0 } ?? (a.lowercased() == b.lowercased())
}

/// The same for bytes of a message head.
package func equalIgnoringCase(_ bytes: Slice<UnsafeRawBufferPointer>, _ text: String) -> Bool {
    guard bytes.count == text.utf8.count else { return false }
    return zip(bytes, text.utf8).allSatisfy { lowercased($0) == lowercased($1) }
}

/// The text begins with the (lower-case) prefix, whatever the case of its letters.
package func hasPrefixIgnoringCase(_ text: String, _ prefix: StaticString) -> Bool {
    guard text.utf8.count >= prefix.utf8CodeUnitCount else { return false }
    return text.utf8.withContiguousStorageIfAvailable { bytes in
        for index in 0..<prefix.utf8CodeUnitCount where lowercased(bytes[index]) != prefix.utf8Start[index] {
            return false
        }
        return true
    } ?? text.lowercased().hasPrefix("\(prefix)")
}

@inline(__always)
private func lowercased(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 0x20 : byte }

/// A fixed set of header names, looked up without regard to case: names of the same length stand together, so that
/// most look-ups compare nothing.
package struct HeaderNames: Sendable {
    private let byLength: [[String]]

    package init(_ names: [String]) {
        let longest = names.map(\.utf8.count).max() ?? 0
        byLength = (0...longest).map { length in names.filter { $0.utf8.count == length } }
    }

    /// The same for a name among the bytes of a head.
    package func contains(_ name: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard name.count < byLength.count else { return false }
        for candidate in byLength[name.count] where equalIgnoringCase(name, candidate) { return true }
        return false
    }

    /// Whether the name is in the set, whatever its case.
    package func contains(_ name: String) -> Bool {
        let length = name.utf8.count
        guard length < byLength.count else { return false }
        for candidate in byLength[length] where equalIgnoringCase(candidate, name) { return true }
        return false
    }
}
