import Base
import Gateway
import Ledger
import Logging
import Settings
import Synchronization

/// One log line for each request the operator wants to see. Never a body, a key or a header.
final class RequestLines: Sendable {
    private let logger: Logger
    private let chosen: Atomic<Int>

    init(_ logger: Logger, _ choice: Settings.LoggedRequests) {
        self.logger = logger
        chosen = Atomic(Self.floor(choice))
    }

    func choose(_ choice: Settings.LoggedRequests) { chosen.store(Self.floor(choice), ordering: .relaxed) }

    /// The lowest status that gets a line.
    private static func floor(_ choice: Settings.LoggedRequests) -> Int {
        switch choice {
        case .all: 0
        case .errors: 400
        case .none: .max
        }
    }

    func write(_ record: RequestRecord) {
        guard
            record.status >= chosen.load(ordering: .relaxed)
                || (record.errorCode != nil && chosen.load(ordering: .relaxed) <= 400)
        else { return }
        logger.info(
            "request",
            metadata: [
                "id": "\(record.id)", "route": "\(record.route)", "status": "\(record.status)",
                "ms": "\(record.durationMicroseconds / 1_000)", "bytes": "\(record.bytesOut)",
                "tenant": "\(record.tenant)", "provider": "\(record.provider ?? "")",
                "error": "\(record.errorCode ?? "")",
            ])
    }
}
