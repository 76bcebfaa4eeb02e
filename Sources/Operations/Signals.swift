import Glibc

/// The signals that steer a server. They are blocked in every thread and taken one by one where the main thread
/// waits, so that no code ever runs inside a signal handler.
package enum Signals {
    /// What the operator wants.
    package enum Order: Sendable { case stop, reload }

    /// Call before any other thread starts: threads inherit what is blocked.
    package static func block() {
        var set = orders()
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Waits for the next order.
    package static func next() -> Order {
        var set = orders()
        while true {
            var number: Int32 = 0
            guard sigwait(&set, &number) == 0 else { continue }
            return number == SIGHUP ? .reload : .stop
        }
    }

    private static func orders() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
        return set
    }
}
