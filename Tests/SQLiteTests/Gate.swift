import Synchronization

@testable import SQLite

/// A counting semaphore for scripts of several threads.
final class Gate: Sendable {
    private let count = Mutex(0)
    private let monitor = Monitor()

    func signal() {
        monitor.withLock {
            count.withLock { $0 += 1 }
            monitor.signal()
        }
    }

    /// False when nobody signalled in time.
    func wait() -> Bool {
        monitor.withLock {
            guard monitor.wait(atMost: .seconds(20), until: { count.withLock { $0 > 0 } }) else { return false }
            count.withLock { $0 -= 1 }
            return true
        }
    }
}
