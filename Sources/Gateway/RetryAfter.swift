package import Base

/// When a provider that is busy wants to be asked again, in every form seen in the field.
package enum RetryAfter {
    /// Nil without a usable hint. Never more than `Limits.retryAfterMax`: a day-long hint must not freeze a key.
    package static func wait(_ headers: HeaderLines, now: UnixTime) -> Duration? {
        for name in ["retry-after-ms", "x-ms-retry-after-ms"] {
            if let value = headers[name].flatMap(Double.init), value >= 0, value.isFinite {
                return capped(milliseconds: value)
            }
        }
        if let value = headers["retry-after"] {
            if let seconds = Double(value), seconds >= 0, seconds.isFinite {
                return capped(milliseconds: seconds * 1_000)
            }
            if let date = HTTPDate.parse(value) { return until(date, now: now) }
        }
        return resetTime(headers).map { until($0, now: now) }
    }

    /// `anthropic-ratelimit-*-reset`: RFC 3339 times of the limits that are used up (remaining 0).
    private static func resetTime(_ headers: HeaderLines) -> UnixTime? {
        var latest: UnixTime?
        for (name, value) in headers.fields {
            let lower = name.lowercased()
            guard lower.hasPrefix("anthropic-ratelimit-"), lower.hasSuffix("-reset") else { continue }
            let remaining = headers[lower.dropLast(5) + "remaining"]
            guard remaining == nil || remaining == "0", let time = HTTPDate.parseRFC3339(value) else { continue }
            latest = max(latest ?? time, time)
        }
        return latest
    }

    private static func until(_ time: UnixTime, now: UnixTime) -> Duration {
        capped(milliseconds: Double(max(0, time.microseconds - now.microseconds)) / 1_000)
    }

    private static func capped(milliseconds: Double) -> Duration {
        min(Limits.retryAfterMax, .milliseconds(Int64(min(milliseconds, 1e12))))
    }

    /// Whole seconds for the header, rounded up and at least 1: `0` would mean "at once".
    package static func headerValue(_ wait: Duration) -> String {
        "\(max(1, (wait.wholeMilliseconds + 999) / 1_000))"
    }
}

/// Dates as HTTP and RFC 3339 write them. Only UTC, and only what servers send: no general calendar.
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7; the two obsolete forms are not sent by anyone).
    static func parse(_ text: String) -> UnixTime? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int(parts[1]), let year = Int(parts[3]),
            let month = months.firstIndex(of: String(parts[2]))
        else { return nil }
        return time(year, month + 1, day, parts[4])
    }

    /// `2026-11-22T16:10:19Z`, with or without a fraction.
    static func parseRFC3339(_ text: String) -> UnixTime? {
        guard text.hasSuffix("Z"), let split = text.firstIndex(of: "T") else { return nil }
        let date = text[..<split].split(separator: "-").compactMap { Int($0) }
        guard date.count == 3 else { return nil }
        let clock = text[text.index(after: split)...].dropLast().prefix { $0 != "." }
        return time(date[0], date[1], date[2], clock)
    }

    private static func time(_ year: Int, _ month: Int, _ day: Int, _ clock: Substring) -> UnixTime? {
        let fields = clock.split(separator: ":").compactMap { Int($0) }
        guard fields.count == 3, (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day),
            (0...23).contains(fields[0]), (0...59).contains(fields[1]), (0...60).contains(fields[2])
        else { return nil }
        // Days since 1970 of a proleptic Gregorian date, counting years from March (Howard Hinnant, "chrono-compatible
        // low-level date algorithms").
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        let seconds = ((days * 24 + fields[0]) * 60 + fields[1]) * 60 + fields[2]
        return UnixTime(microseconds: Int64(seconds) * 1_000_000)
    }
}
