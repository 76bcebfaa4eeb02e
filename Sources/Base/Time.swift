internal import CLinux
import Glibc

/// A point on the clock that never jumps (CLOCK_MONOTONIC). Deadlines, leases and measurements use it.
/// State machines take it as an argument, so that tests decide what time it is.
package struct MonotonicInstant: Hashable, Comparable, Sendable {
    package var nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// What the clock says now.
    package static func now() -> MonotonicInstant {
        MonotonicInstant(nanoseconds: weir_monotonic_nanoseconds())
    }

    /// Later than any deadline: "never".
    package static let distantFuture = MonotonicInstant(nanoseconds: .max)

    package static func < (a: MonotonicInstant, b: MonotonicInstant) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Saturates instead of wrapping.
    package func advanced(by duration: Duration) -> MonotonicInstant {
        let step = UInt64(max(0, duration.wholeNanoseconds))
        let (sum, overflow) = nanoseconds.addingReportingOverflow(step)
        return MonotonicInstant(nanoseconds: overflow ? .max : sum)
    }

    /// Zero when `earlier` is in fact later: a measurement is never negative.
    package func nanoseconds(since earlier: MonotonicInstant) -> UInt64 {
        nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
    }

    /// Zero when `earlier` is in fact later.
    package func duration(since earlier: MonotonicInstant) -> Duration {
        .nanoseconds(Int64(clamping: nanoseconds(since: earlier)))
    }
}

/// Wall-clock time in microseconds since 1970 (UTC): for records people read, never for deadlines.
package struct UnixTime: Hashable, Comparable, Sendable {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// What the wall clock says now.
    package static func now() -> UnixTime {
        UnixTime(microseconds: weir_wall_microseconds())
    }

    package static func < (a: UnixTime, b: UnixTime) -> Bool { a.microseconds < b.microseconds }

    package var seconds: Int64 { microseconds / 1_000_000 }

    /// `2026-11-22T16:10:19.123Z` (RFC 3339).
    package var iso8601: String {
        var seconds = time_t(microseconds / 1_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let millisecond = Int(microseconds % 1_000_000) / 1_000
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T\(two(parts.tm_hour))"
            + ":\(two(parts.tm_min)):\(two(parts.tm_sec)).\(String(1000 + millisecond).dropFirst())Z"
    }

    private func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
