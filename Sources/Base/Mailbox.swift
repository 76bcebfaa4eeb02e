internal import CLinux
import Glibc

/// A bounded queue from many threads to one: the way work reaches a writer thread. Offering never blocks; what
/// does not fit is refused and the caller counts it. The receiver takes everything at once and sleeps in between,
/// so that a busy sender pays one uncontended lock and no wake-up. (A few threads may share one, taking one at a time.)
package final class Mailbox<Element: Sendable>: @unchecked Sendable {  // every field is guarded by `mutex`
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var elements: [Element] = []
    private var closed = false
    private let capacity: Int
    private let wakeAt: Int

    /// - Parameters:
    ///   - capacity: elements that may wait; further ones are refused.
    ///   - wakeAt: how many must wait before the receiver is woken ahead of its time (1: at once).
    package init(capacity: Int, wakeAt: Int = 1) {
        precondition(capacity > 0 && wakeAt > 0 && wakeAt <= capacity)
        self.capacity = capacity
        self.wakeAt = wakeAt
        pthread_mutex_init(mutex, nil)
        weir_condition_init(condition)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// False when the mailbox is full or closed: the element was not taken.
    package func offer(_ element: Element) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !closed, elements.count < capacity else { return false }
        elements.append(element)
        if elements.count == wakeAt { pthread_cond_signal(condition) }
        return true
    }

    /// Nothing is accepted any more; the receiver gets what is left and then nil.
    package func close() {
        pthread_mutex_lock(mutex)
        closed = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Wakes the receiver now, however few elements wait.
    package func wake() {
        pthread_mutex_lock(mutex)
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Waits until `wakeAt` elements are there, `wait` is over or someone calls `wake()`; takes what there is
    /// (perhaps nothing). Nil once closed and empty. Several threads may share a mailbox whose `wakeAt` is 1.
    /// - Parameter limit: takes no more than this many; what is left wakes the next thread.
    package func take(waiting wait: Duration, atMost limit: Int = .max) -> [Element]? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if !closed && elements.count < wakeAt {
            weir_condition_wait(condition, mutex, UInt64(max(0, wait.wholeNanoseconds)))
        }
        if closed && elements.isEmpty { return nil }
        if elements.count > limit {
            defer { elements.removeFirst(limit) }
            pthread_cond_signal(condition)
            return Array(elements[..<limit])
        }
        var taken: [Element] = []
        swap(&taken, &elements)
        elements.reserveCapacity(min(taken.count, capacity))
        return taken
    }

    package var count: Int {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return elements.count
    }
}
