import Glibc

/// State behind a POSIX mutex, which sleeps under contention where `Synchronization.Mutex` spins on Linux. The mutex
/// has a cache line of its own, so that neighbours do not slow each other down. Not recursive.
package final class Locked<State>: @unchecked Sendable {  // `state` is touched with `mutex` held only
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var state: State

    package init(_ state: State) {
        let line = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
        mutex = line.bindMemory(to: pthread_mutex_t.self, capacity: 1)
        precondition(MemoryLayout<pthread_mutex_t>.size <= 64 && pthread_mutex_init(mutex, nil) == 0)
        self.state = state
    }

    deinit {
        pthread_mutex_destroy(mutex)
        UnsafeMutableRawPointer(mutex).deallocate()
    }

    /// Runs the body with the state to itself. Keep it short: other threads sleep meanwhile.
    @inline(__always)
    package func withLock<R>(_ body: (inout State) throws -> R) rethrows -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Nil, at once, when another thread holds the lock.
    @inline(__always)
    package func withLockIfFree<R>(_ body: (inout State) throws -> R) rethrows -> R? {
        guard pthread_mutex_trylock(mutex) == 0 else { return nil }
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }
}
