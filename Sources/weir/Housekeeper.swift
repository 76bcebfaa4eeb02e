import Base
import Ledger
import Logging
import Synchronization

/// Deletes what is older than its retention, once an hour, on a thread of its own.
final class Housekeeper: Sendable {
    private static let interval = Duration.seconds(3_600)

    private let wakeUps = Mailbox<Bool>(capacity: 4)
    private let thread: OSThread
    private let retention: SharedRetention

    private final class SharedRetention: Sendable {
        let nanoseconds: Atomic<Int64>
        init(_ retention: Duration) { nanoseconds = Atomic(retention.wholeNanoseconds) }
    }

    init(log: RequestLog, retention: Duration, logger: Logger) {
        let shared = SharedRetention(retention)
        self.retention = shared
        let wakeUps = wakeUps
        thread = OSThread.start("weir-housekeep") {
            while wakeUps.take(waiting: Self.interval) != nil {
                let age = shared.nanoseconds.load(ordering: .relaxed) / 1_000
                let limit = UnixTime(microseconds: UnixTime.now().microseconds - age)
                do {
                    let rows = try log.prune(olderThan: limit)
                    if rows > 0 { logger.info("old request rows deleted", metadata: ["rows": "\(rows)"]) }
                } catch {
                    logger.error("old request rows could not be deleted", metadata: ["problem": "\(error)"])
                }
            }
        }
    }

    func choose(retention: Duration) {
        self.retention.nanoseconds.store(retention.wholeNanoseconds, ordering: .relaxed)
    }

    func stop() {
        wakeUps.close()
        thread.join()
    }
}
