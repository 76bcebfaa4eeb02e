import Base
import Gateway
import Ledger
import Logging
import NIOCore
import Settings
import Telemetry

/// How long a client may take for each part of a request. Drip feeding wins nobody time: every part has an end that
/// does not move with a single byte. A pure state machine; times are given.
struct ConnectionDeadlines {
    enum Expiry: Equatable { case headTooSlow, bodyTooSlow, idle, writeStalled }

    private enum Phase {
        /// Between requests: nothing has come yet.
        case idle(since: MonotonicInstant)
        case head(since: MonotonicInstant)
        case body(since: MonotonicInstant, lastPiece: MonotonicInstant, bytes: Int)
        /// We answer, or wait for the provider: the client owes nothing.
        case answering
    }

    /// A body must come at least this fast, the body-timeout granted beforehand.
    private static let bodyBytesPerSecondMin = 500

    private var phase: Phase
    private var stalledSince: MonotonicInstant?
    private let limits: Settings.Server

    init(_ limits: Settings.Server, now: MonotonicInstant) {
        self.limits = limits
        phase = .head(since: now)
    }

    /// Bytes have come from the client.
    mutating func received(now: MonotonicInstant) {
        if case .idle = phase { phase = .head(since: now) }
    }

    mutating func headComplete(now: MonotonicInstant) { phase = .body(since: now, lastPiece: now, bytes: 0) }

    mutating func bodyPiece(_ count: Int, now: MonotonicInstant) {
        guard case .body(let since, _, let bytes) = phase else { return }
        phase = .body(since: since, lastPiece: now, bytes: bytes + count)
    }

    /// The request is complete, or we asked the client to wait.
    mutating func answering() { phase = .answering }

    /// We read the rest of a body again.
    mutating func bodyResumed(now: MonotonicInstant) { phase = .body(since: now, lastPiece: now, bytes: 0) }

    mutating func answered(now: MonotonicInstant) { phase = .idle(since: now) }

    /// The client takes bytes, or has stopped taking them.
    mutating func writable(_ isWritable: Bool, now: MonotonicInstant) {
        stalledSince = isWritable ? nil : (stalledSince ?? now)
    }

    /// How often to look again whatever `next` says: some changes come without a moment to set a timer anew, and none
    /// may be noticed much later than the shortest limit.
    var lookAgain: Duration {
        min(.seconds(60), min(limits.headerTimeout, min(limits.bodyTimeout, limits.idleTimeout)))
    }

    /// When the next clock runs out, and which it is.
    var next: (at: MonotonicInstant, Expiry) {
        var next: (at: MonotonicInstant, Expiry) =
            switch phase {
            case .idle(let since): (since.advanced(by: limits.idleTimeout), .idle)
            case .head(let since): (since.advanced(by: limits.headerTimeout), .headTooSlow)
            case .body(let since, let last, let bytes):
                (
                    min(
                        last.advanced(by: limits.bodyTimeout),
                        since.advanced(
                            by: limits.bodyTimeout + .milliseconds(bytes * 1_000 / Self.bodyBytesPerSecondMin))),
                    .bodyTooSlow
                )
            case .answering: (.distantFuture, .idle)
            }
        if let stalledSince {
            let stall = stalledSince.advanced(by: limits.writeTimeout)
            if stall < next.at { next = (stall, .writeStalled) }
        }
        return next
    }
}
