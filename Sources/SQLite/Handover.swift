internal import Base

/// One result, handed from one thread to another that waits for it.
package final class Handover<Value: Sendable>: @unchecked Sendable {  // `result` is guarded by `monitor`
    private let monitor = Monitor()
    private var result: Result<Value, any Error>?

    package init() {}

    /// Once.
    package func put(_ result: Result<Value, any Error>) {
        monitor.withLock {
            precondition(self.result == nil, "a result comes once")
            self.result = result
            monitor.signal()
        }
    }

    /// Blocks until the result is there, or time is over: then nil, and the result may still come.
    package func take(within limit: Duration) throws -> Value? {
        try monitor.withLock {
            _ = monitor.wait(atMost: limit) { result != nil }
            return try result?.get()
        }
    }

    /// Blocks until the result is there; its maker always puts one. One thread, once.
    package func take() throws -> Value {
        try monitor.withLock {
            while true {
                _ = monitor.wait(atMost: .seconds(3600)) { result != nil }
                if let result { return try result.get() }
            }
        }
    }
}
