package import Base

/// Why a transfer gave no (whole) answer. None of them holds a URL, a header or a body.
package struct UpstreamFailure: Failure {
    /// The causes, as they stand in metrics and the ledger.
    package enum Reason: String, Sendable, CaseIterable {
        /// The waiting line is full, or the wait in it was too long: try again later.
        case waitingLineFull = "waiting_line_full"
        case waitingTimeout = "waiting_timeout"
        case connectFailed = "connect_failed"
        case connectTimeout = "connect_timeout"
        case tlsFailed = "tls_failed"
        case firstByteTimeout = "first_byte_timeout"
        case idleTimeout = "idle_timeout"
        case totalTimeout = "total_timeout"
        /// The connection ended before the answer did.
        case connectionLost = "connection_lost"
        /// What came is not HTTP, or breaks its framing.
        case badAnswer = "bad_answer"
        /// The connection died after the request was sent, and sending it twice could do its work twice.
        case unknownOutcome = "unknown_outcome"
        /// The client reads too slowly for a connection that others share.
        case clientTooSlow = "client_too_slow"
        case shuttingDown = "shutting_down"
        case internalError = "internal_error"
    }

    package let reason: Reason
    package let provider: String
    /// libcurl's own words, when they add something.
    package let detail: String?

    package init(_ reason: Reason, provider: String, detail: String? = nil) {
        self.reason = reason
        self.provider = provider
        self.detail = detail
    }

    package var code: String { reason.rawValue }
    package var exitCode: ExitCode { .providerUnavailable }

    package var message: String {
        let what =
            switch reason {
            case .waitingLineFull: "all connections to provider '\(provider)' are busy and its waiting line is full"
            case .waitingTimeout: "no connection to provider '\(provider)' became free in time"
            case .connectFailed: "cannot connect to provider '\(provider)'"
            case .connectTimeout: "provider '\(provider)' did not accept a connection in time"
            case .tlsFailed: "the TLS handshake with provider '\(provider)' failed"
            case .firstByteTimeout: "provider '\(provider)' did not begin to answer in time"
            case .idleTimeout: "provider '\(provider)' stopped in the middle of its answer"
            case .totalTimeout: "the answer of provider '\(provider)' took longer than its total-timeout"
            case .connectionLost: "provider '\(provider)' closed the connection before its answer was complete"
            case .badAnswer: "provider '\(provider)' sent something that is not valid HTTP"
            case .unknownOutcome:
                "provider '\(provider)' closed the connection; whether it did the work is unknown, so it was not"
                    + " asked twice"
            case .clientTooSlow: "the client reads too slowly for a connection it shares with others"
            case .shuttingDown: "weir is shutting down"
            case .internalError: "the transfer to provider '\(provider)' could not be set up"
            }
        return detail.map { "\(what): \($0)" } ?? what
    }
}
