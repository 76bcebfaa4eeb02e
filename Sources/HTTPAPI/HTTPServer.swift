import Base
import Gateway
import Glibc
import Ledger
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
package import Settings
import Synchronization
import Telemetry

/// The listeners: the public address, and the control socket in the data folder. Each connection gets one pipeline:
/// deadlines, HTTP/1.1, then `ConnectionHandler`.
package final class HTTPServer: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let context: ServerContext
    private let listeners = Mutex<[any Channel]>([])

    /// - Parameter threads: event loops; 0 for one a core.
    package init(context: ServerContext, threads: Int) {
        self.context = context
        group = MultiThreadedEventLoopGroup(numberOfThreads: threads > 0 ? threads : System.coreCount)
    }

    /// Begins to accept at the address. Blocks until bound.
    /// - Returns: the address it is bound to (a port when 0 was asked for).
    /// - Throws: the system's error, as when the port is taken.
    package func listen(_ address: ListenAddress) throws -> ListenAddress {
        let channel =
            switch address {
            case .tcp(let host, let port):
                try bootstrap(isControl: false, isUnix: false).bind(host: host, port: port).wait()
            case .unix(let path):
                try bootstrap(isControl: false, isUnix: true)
                    .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).wait()
            }
        listeners.withLock { $0.append(channel) }
        guard case .tcp(let host, _) = address, let port = channel.localAddress?.port else { return address }
        return .tcp(host: host, port: port)
    }

    /// The operator's own way in: a unix socket that only this user (and root) may use; callers are `admin`.
    package func listenForControl(_ path: String) throws {
        let channel = try bootstrap(isControl: true, isUnix: true)
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).wait()
        // The umask leaves the owner's x bit, which means nothing on a socket.
        guard chmod(path, 0o600) == 0 else { throw SystemFailure("protect \(path)", errorNumber: errno) }
        listeners.withLock { $0.append(channel) }
    }

    private func bootstrap(isControl: Bool, isUnix: Bool) -> ServerBootstrap {
        let context = context
        var bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .childChannelOption(.allowRemoteHalfClosure, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let clock = ConnectionClock(context.settings.server, now: .now())
                    let handler = ConnectionHandler(context, clock: clock, isControl: isControl, isUnix: isUnix)
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(DeadlineHandler(clock))
                    try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
                    try pipeline.addHandler(handler)
                }
            }
        if !isUnix {
            bootstrap = bootstrap.serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        }
        return bootstrap
    }

    /// Accepts no more; connections end after the request they are in. Blocks until all are gone or the time is over.
    /// - Returns: whether all ended by themselves.
    package func drain(within limit: Duration) -> Bool {
        context.beginDraining()
        for listener in listeners.withLock({ $0 }) {
            // A listener that is closed already has nothing left to do.
            try? listener.close().wait()
        }
        context.closeIdleConnections()
        let deadline = MonotonicInstant.now().advanced(by: limit)
        while context.openConnections.value > 0 && MonotonicInstant.now() < deadline {
            context.waitForConnections(.milliseconds(50))
        }
        return context.openConnections.value == 0
    }

    /// Cuts what is left and ends the event loops. Blocks.
    package func shutDown() {
        do { try group.syncShutdownGracefully() } catch {
            context.logger.error("event loops did not end cleanly", metadata: ["error": "\(error)"])
        }
    }
}
