package import Base
package import Glibc
internal import Synchronization

/// A program started as a child in a process group of its own, which ends with it: when the child has ended, or when
/// the last reference is gone, nothing of its group is left running.
package final class ChildProcess: Sendable {
    /// Where the child's standard output and standard error go. Its standard input is empty.
    package enum Output: Sendable, Equatable {
        case discard
        /// Created, or added to when it exists.
        case file(String)
    }

    package let pid: pid_t
    /// The program and its arguments, for messages.
    package let commandLine: String
    /// The exit status once the child was reaped.
    private let status = Mutex<Int32?>(nil)

    /// Starts the program; returns once it runs.
    /// - Parameters:
    ///   - program: a path. See `Tool` for finding one.
    ///   - environment: all that the child gets; see `plainEnvironment`.
    package init(
        _ program: String, _ arguments: [String] = [], environment: [String: String] = plainEnvironment(),
        output: Output = .discard
    ) throws(SystemFailure) {
        commandLine = ([program] + arguments).joined(separator: " ")
        pid = try Spawn.start(program, arguments, environment, output)
        LiveChildren.add(pid)
    }

    deinit { kill() }

    /// PATH, HOME, TMPDIR and the library path of this process and nothing else: no provider's key, no proxy, no
    /// `WEIR_` setting reaches a child by accident.
    package static func plainEnvironment(adding more: [String: String] = [:]) -> [String: String] {
        var environment = ["LANG": "C", "LC_ALL": "C"]
        for name in ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"] { environment[name] = environmentVariable(name) }
        return environment.merging(more) { $1 }
    }

    /// The exit status if the child has ended, 128 + N if signal N ended it; nil while it runs. Never blocks.
    package var exitStatus: Int32? {
        status.withLock { status in
            if status == nil { status = reap() }
            return status
        }
    }

    package var isRunning: Bool { exitStatus == nil }

    /// Waits until the child has ended; nil when it still runs after `limit`.
    package func wait(atMost limit: Duration) -> Int32? {
        let deadline = MonotonicInstant.now().advanced(by: limit)
        while true {
            if let status = exitStatus { return status }
            guard MonotonicInstant.now() < deadline else { return nil }
            pauseThread(.milliseconds(1))
        }
    }

    /// Sends a signal to the child alone. Does nothing when it has ended.
    package func signal(_ number: Int32) {
        status.withLock { status in
            if status == nil { _ = Glibc.kill(pid, number) }
        }
    }

    /// SIGTERM, and when that did not end the child in time, SIGKILL to its whole group.
    /// - Returns: the exit status.
    @discardableResult
    package func stop(within grace: Duration = .seconds(5)) -> Int32 {
        signal(SIGTERM)
        return wait(atMost: grace) ?? kill()
    }

    /// SIGKILL to the child and its whole group.
    /// - Returns: the exit status.
    @discardableResult
    package func kill() -> Int32 {
        status.withLock { status in
            if let status { return status }
            _ = Glibc.kill(-pid, SIGKILL)
            var raw: Int32 = 0
            _ = retryingInterrupts { waitpid(pid, &raw, 0) }
            LiveChildren.remove(pid)
            let code = Self.decode(raw)
            status = code
            return code
        }
    }

    /// The group is swept while the ended child still holds its number, so that no stranger can have it.
    private func reap() -> Int32? {
        var info = siginfo_t()
        let found = retryingInterrupts { waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) }
        guard found == 0, info.si_signo == SIGCHLD else { return nil }
        _ = Glibc.kill(-pid, SIGKILL)
        var raw: Int32 = 0
        _ = retryingInterrupts { waitpid(pid, &raw, 0) }
        LiveChildren.remove(pid)
        return Self.decode(raw)
    }

    private static func decode(_ raw: Int32) -> Int32 {
        raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + (raw & 0x7F)
    }
}

/// The children that run now, for the one moment in which the program is told to end at once.
enum LiveChildren {
    private static let pids = Mutex<Set<pid_t>>([])

    static func add(_ pid: pid_t) { pids.withLock { _ = $0.insert(pid) } }
    static func remove(_ pid: pid_t) { pids.withLock { _ = $0.remove(pid) } }

    /// SIGKILL to every group; the caller ends right after.
    static func killAll() {
        pids.withLock { for pid in $0 { _ = Glibc.kill(-pid, SIGKILL) } }
    }
}
