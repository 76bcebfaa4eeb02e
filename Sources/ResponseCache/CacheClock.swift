package import Base

/// The time of the cache: the wall clock as it was at the start, moved on by the monotonic one, so that a jump of the
/// wall clock neither ends nor lengthens any life while the process runs.
package struct CacheClock: Sendable {
    private let wall: UnixTime
    private let instant: MonotonicInstant

    package init(wall: UnixTime = .now(), instant: MonotonicInstant = .now()) {
        self.wall = wall
        self.instant = instant
    }

    /// The time of the cache at that instant.
    package func now(_ now: MonotonicInstant = .now()) -> UnixTime {
        let passed = Int64(clamping: now.nanoseconds(since: instant) / 1_000)
        return UnixTime(microseconds: wall.microseconds + passed)
    }

    /// When `time` will be on the monotonic clock; saturates, and what lies before the start is the start.
    func instant(of time: UnixTime) -> MonotonicInstant {
        guard time > wall else { return instant }
        let ahead = time.microseconds.subtractingReportingOverflow(wall.microseconds)
        if ahead.overflow || ahead.partialValue > Int64.max / 1_000 { return .distantFuture }
        return instant.advanced(by: .microseconds(ahead.partialValue))
    }
}
