import Base
internal import CCurl
package import NIOCore
package import Telemetry

/// Pooled connections to all providers: one thread runs libcurl's multi interface, event loops hand it requests and
/// get events back in batches. Connections are kept open, DNS answers and TLS sessions are shared by all transfers.
package final class UpstreamPool: Sendable {
    enum Command {
        case start(Transfer)
        case cancel(Transfer)
        case resume(Transfer)
        case feed(Transfer, ByteBuffer?)
        case shutDown
    }

    private let inbox: CommandInbox
    private let thread: OSThread

    /// Starts the upstream thread. One pool serves a process.
    package init(metrics: MetricRegistry) {
        Self.initialiseCurlOnce
        let inbox = CommandInbox()
        self.inbox = inbox
        thread = OSThread.start("weir-upstream") {
            CurlLoop(inbox: inbox, metrics: metrics).run()
        }
    }

    private static let initialiseCurlOnce: Void = {
        let result = curl_global_init(Int(CURL_GLOBAL_ALL))
        precondition(result == CURLE_OK, "libcurl does not start")
    }()

    /// Begins a request. Events come to `receiver` on `eventLoop`, where this must be called.
    package func start(
        _ request: UpstreamRequest, endpoint: Endpoint, eventLoop: any EventLoop, receiver: any TransferReceiver
    ) -> Transfer {
        let transfer = Transfer(request, endpoint: endpoint, pool: self, eventLoop: eventLoop, receiver: receiver)
        send(.start(transfer))
        return transfer
    }

    func send(_ command: Command) { inbox.send(command) }

    /// Fails what still runs, closes all connections and ends the thread. Blocks; call it once, off event loops.
    package func shutDown() {
        send(.shutDown)
        thread.join()
    }

    /// libcurl's version and what it was built with, for `weir version`.
    package static var libraryVersion: String { String(cString: curl_version()) }
}

/// Commands from many event loops to the upstream thread, which sleeps in `epoll_wait`. Only a sleeping thread is
/// woken: while it works, sending costs a lock and no system call.
final class CommandInbox: Sendable {
    private struct State {
        var commands: [UpstreamPool.Command] = []
        var receiverSleeps = false
    }

    private let state = Locked(State())
    private let wakeUp = WakeUp()

    var descriptor: Int32 { wakeUp.descriptor }

    func send(_ command: UpstreamPool.Command) {
        let mustWake = state.withLock { state in
            state.commands.append(command)
            defer { state.receiverSleeps = false }
            return state.receiverSleeps
        }
        if mustWake { wakeUp.signal() }
    }

    /// The receiver is about to sleep; false when it must not, because something waits.
    func prepareToSleep() -> Bool {
        state.withLock { state in
            state.receiverSleeps = state.commands.isEmpty
            return state.receiverSleeps
        }
    }

    func takeAll() -> [UpstreamPool.Command] {
        state.withLock { state in
            state.receiverSleeps = false
            guard !state.commands.isEmpty else { return [] }
            var taken: [UpstreamPool.Command] = []
            swap(&taken, &state.commands)
            return taken
        }
    }

    func clearWakeUp() { wakeUp.clear() }
}
