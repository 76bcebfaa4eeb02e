/// A size in bytes. Written in settings and logs with a binary unit: `64MiB`.
package struct ByteCount: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var bytes: Int

    package init(bytes: Int) {
        precondition(bytes >= 0, "a size is never negative")
        self.bytes = bytes
    }

    /// 2^10 bytes each.
    package static func kibibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count << 10) }
    /// 2^20 bytes each.
    package static func mebibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count << 20) }
    /// 2^30 bytes each.
    package static func gibibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count << 30) }

    /// Reads `512B`, `16KiB`, `64MiB`, `1GiB` (or `0`). A bare number is refused: its unit would be a guess.
    package init?(text: String) {
        if text == "0" { self.init(bytes: 0); return }
        guard let (number, unit) = text.splitNumberAndUnit(), number >= 0 else { return nil }
        guard let shift = Self.units.first(where: { $0.name == unit })?.shift else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow else { return nil }
        self.init(bytes: bytes)
    }

    /// The largest unit that divides the size exactly, so that text and value round-trip.
    package var description: String {
        guard bytes > 0 else { return "0" }
        let unit = Self.units.last { bytes % (1 << $0.shift) == 0 } ?? Self.units[0]
        return "\(bytes >> unit.shift)\(unit.name)"
    }

    package static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }

    private static let units: [(name: String, shift: Int)] = [("B", 0), ("KiB", 10), ("MiB", 20), ("GiB", 30)]
}

extension String {
    /// `"250ms"` -> `(250, "ms")`; nil when either part is missing or the number is not a plain decimal.
    package func splitNumberAndUnit() -> (number: Int, unit: String)? {
        let digits = utf8.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard !digits.isEmpty, digits.count < utf8.count, let number = Int(Substring(digits)) else { return nil }
        return (number, String(self[digits.endIndex...]))
    }
}
