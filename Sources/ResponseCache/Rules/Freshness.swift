package import Base
import Glibc

/// How long after its life an answer may still serve (`cache.stale-while-revalidate`, `cache.stale-if-error`).
package struct StaleWindows: Hashable, Sendable {
    package var whileRevalidate: Duration
    package var ifError: Duration

    package init(whileRevalidate: Duration = .zero, ifError: Duration = .zero) {
        self.whileRevalidate = whileRevalidate
        self.ifError = ifError
    }
}

/// What a kept answer is good for at one moment and for one client.
package enum Usability: Hashable, Sendable {
    case fresh
    /// It is served; `refresh` tells whether a new one is to be fetched behind it.
    case stale(refresh: Bool)
    /// Only when the provider cannot be had.
    case ifError
    case unusable
}

extension AnswerFacts {
    /// Sets the times of an answer that was complete at `now`. A life below zero is none; too long a one saturates.
    package mutating func setLife(_ life: Duration, _ windows: StaleWindows, now: UnixTime) {
        created = now
        freshUntil = now.advanced(by: life)
        usableUntil = freshUntil.advanced(by: max(windows.whileRevalidate, windows.ifError))
    }

    /// Since the answer was made; zero when the clock has jumped back behind that.
    package func age(at now: UnixTime) -> Duration { now.duration(since: created) }

    /// What is left of its life, never more than the whole of it. An answer from a future further away than its own
    /// life has none left: the clock was wrong, and nobody knows how old it is.
    package func remainingLife(at now: UnixTime) -> Duration {
        let whole = freshUntil.duration(since: created)
        guard created.duration(since: now) <= whole else { return .zero }
        return min(freshUntil.duration(since: now), whole)
    }

    /// Whether the client may have this answer now. Its own `stale-if-error` takes the place of the setting's, which
    /// never outweighs a limit the client sets. `max-age=0` is the older way to say `no-cache`.
    package func usability(at now: UnixTime, _ directives: CacheDirectives, _ windows: StaleWindows) -> Usability {
        let remaining = remainingLife(at: now)
        guard now < usableUntil || remaining > .zero else { return .unusable }
        let overdue = remaining > .zero ? Duration.zero : max(now.duration(since: freshUntil), .microseconds(1))
        let tooOld = directives.maxAge.map { max(age(at: now) - $0, .zero) } ?? .zero
        let tooLate = directives.minFresh.map { remaining < $0 } ?? false
        let stale = max(overdue, tooOld)
        let isRefused = directives.noCache || directives.maxAge == .zero || tooLate
        if !isRefused {
            if stale == .zero { return .fresh }
            if let allowed = directives.maxStale, stale <= allowed { return .stale(refresh: overdue > .zero) }
            if tooOld == .zero, overdue <= windows.whileRevalidate { return .stale(refresh: true) }
        }
        let allowed = directives.staleIfError ?? (isRefused || tooOld > .zero ? nil : windows.ifError)
        return allowed.map { stale <= $0 } ?? false ? .ifError : .unusable
    }

    /// XFetch (Vattani, Chierichetti, Lowenstein, VLDB 2015): each request for a hot answer may be the one that fetches
    /// it anew shortly before its life ends, the likelier the nearer that is and the longer the provider takes, so that
    /// seldom two do.
    /// - Parameters:
    ///   - beta: above 1 earlier, below 1 later.
    ///   - random: uniform in [0, 1).
    package func shouldRefreshEarly(at now: UnixTime, beta: Double = 1, random: Double) -> Bool {
        let head = Double(max(upstreamMicroseconds, 0)) / 1e6 * beta * -log(max(1 - random, 0x1p-53))
        return head >= remainingLife(at: now).seconds
    }
}

extension UnixTime {
    /// Saturates; a duration below zero is none.
    fileprivate func advanced(by duration: Duration) -> UnixTime {
        let (sum, overflow) = microseconds.addingReportingOverflow(max(duration.wholeNanoseconds, 0) / 1_000)
        return UnixTime(microseconds: overflow ? .max : sum)
    }

    /// Zero when `earlier` is later.
    fileprivate func duration(since earlier: UnixTime) -> Duration {
        guard self > earlier else { return .zero }
        let (difference, overflow) = microseconds.subtractingReportingOverflow(earlier.microseconds)
        return .microseconds(overflow ? .max : difference)
    }
}
