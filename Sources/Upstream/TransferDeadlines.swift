import Base

/// The three clocks of a transfer that libcurl does not keep: first byte, pause inside the answer, whole transfer.
/// A pure state machine; times are given.
struct TransferDeadlines {
    private let started: MonotonicInstant
    private let firstByteTimeout: Duration
    private let idleTimeout: Duration
    private let totalTimeout: Duration
    private var lastByte: MonotonicInstant?
    /// While we hold the transfer back for a slow client, silence is not the provider's fault.
    private var isHeld = false

    init(_ endpoint: Endpoint, started: MonotonicInstant) {
        self.started = started
        firstByteTimeout = endpoint.firstByteTimeout
        idleTimeout = endpoint.idleTimeout
        totalTimeout = endpoint.totalTimeout
    }

    mutating func received(at now: MonotonicInstant) { lastByte = now }

    mutating func hold() { isHeld = true }

    mutating func release(at now: MonotonicInstant) {
        isHeld = false
        if lastByte != nil { lastByte = now }
    }

    /// Which clock has run out, if any.
    func expired(at now: MonotonicInstant) -> UpstreamFailure.Reason? {
        if now >= started.advanced(by: totalTimeout) { return .totalTimeout }
        guard let lastByte else { return now >= started.advanced(by: firstByteTimeout) ? .firstByteTimeout : nil }
        return !isHeld && now >= lastByte.advanced(by: idleTimeout) ? .idleTimeout : nil
    }
}
