/// Durations as settings and logs write them: `250us`, `300ms`, `30s`, `5m`, `1h`, `7d`.
extension Duration {
    /// Reads one number with one unit (or `0`). A bare number is refused: its unit would be a guess.
    package init?(text: String) {
        if text == "0" { self = .zero; return }
        guard let (number, unit) = text.splitNumberAndUnit() else { return nil }
        guard let nanoseconds = Self.units.first(where: { $0.name == unit })?.nanoseconds else { return nil }
        let (total, overflow) = Int64(number).multipliedReportingOverflow(by: nanoseconds)
        guard !overflow else { return nil }
        self = .nanoseconds(total)
    }

    /// The largest unit that divides the duration exactly, so that text and value round-trip.
    package var text: String {
        let total = wholeNanoseconds
        guard total > 0 else { return "0" }
        let unit = Self.units.last { total % $0.nanoseconds == 0 } ?? (name: "ns", nanoseconds: 1)
        return "\(total / unit.nanoseconds)\(unit.name)"
    }

    /// Whole nanoseconds; saturates after 292 years.
    package var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : scaled + attoseconds / 1_000_000_000
    }

    package var wholeMilliseconds: Int64 { wholeNanoseconds / 1_000_000 }
    package var seconds: Double { Double(wholeNanoseconds) / 1e9 }

    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
        ("m", 60_000_000_000), ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
    ]
}
