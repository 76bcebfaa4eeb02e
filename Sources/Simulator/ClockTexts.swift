import Base
import Glibc
import Synchronization

/// The time of day as headers write it, formatted once a second.
final class ClockTexts: Sendable {
    private let cached = Mutex((second: Int64(-1), text: ""))

    /// `Sun, 22 Nov 2026 16:10:19 GMT`.
    func httpDate() -> String {
        let now = UnixTime.now().seconds
        return cached.withLock { cached in
            if cached.second != now { cached = (now, Self.httpDate(now)) }
            return cached.text
        }
    }

    /// RFC 9110's preferred form of a time in seconds since 1970.
    static func httpDate(_ seconds: Int64) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) "
            + "\(parts.tm_year + 1900) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
    }
}
