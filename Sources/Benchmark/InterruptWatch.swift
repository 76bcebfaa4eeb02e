internal import Base
internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// Ctrl-C must not leave a dozen servers behind: while this exists, SIGINT, SIGTERM and SIGHUP first end every child,
/// then this process.
final class InterruptWatch: Sendable {
    private let isOver = Atomic(false)
    private let thread = Mutex<OSThread?>(nil)

    /// - Parameter folder: removed as well.
    init(folder: String?) {
        var signals = Self.signals
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        thread.withLock { $0 = OSThread.start("bench-signals") { [self] in watch(folder) } }
    }

    /// Signals do again what they did. Waits for the thread, a tenth of a second at most.
    func end() {
        isOver.store(true, ordering: .relaxed)
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
        var signals = Self.signals
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    private func watch(_ folder: String?) {
        var signals = Self.signals
        var pause = timespec(tv_sec: 0, tv_nsec: 100_000_000)
        while !isOver.load(ordering: .relaxed) {
            guard sigtimedwait(&signals, nil, &pause) > 0 else { continue }
            LiveChildren.killAll()
            if let folder { try? FileManager.default.removeItem(atPath: folder) }
            _exit(ExitCode.forcedQuit.rawValue)
        }
    }

    private static var signals: sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
        return signals
    }
}
