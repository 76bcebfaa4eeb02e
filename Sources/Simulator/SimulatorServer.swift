import Base
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// The simulator cannot listen.
package struct SimulatorStartError: Failure {
    package let code = "simulator_start"
    package let message: String
}

/// A running provider in both dialects. It listens from `start` to `shutdown`.
package final class SimulatorServer: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let provider: Provider
    private let isDown = Atomic(false)

    private init(group: MultiThreadedEventLoopGroup, listener: any Channel, provider: Provider) {
        self.group = group
        self.listener = listener
        self.provider = provider
    }

    /// Binds and listens; returns once it does. Blocks the calling thread for that long.
    package static func start(_ options: SimulatorOptions) throws(SimulatorStartError) -> SimulatorServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, options.threads))
        let provider = Provider(options)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4_096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(HTTPRequestDecoder()), SimulatorHandler(provider))
                }
            }
        do {
            let listener =
                if let path = options.unixPath {
                    try bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).wait()
                } else {
                    try bootstrap.bind(host: options.host, port: options.port).wait()
                }
            return SimulatorServer(group: group, listener: listener, provider: provider)
        } catch {
            try? group.syncShutdownGracefully()
            let address = options.unixPath ?? "\(options.host):\(options.port)"
            throw SimulatorStartError(message: "cannot listen on \(address): \(error); choose another address")
        }
    }

    /// The TCP port it listens on; 0 for a unix socket.
    package var boundPort: Int { listener.localAddress?.port ?? 0 }

    /// The calls so far.
    package var calls: CallCounts { provider.counters.counts }

    /// Counts from zero and forgets files, batches, responses and seen prompts.
    package func reset() {
        provider.counters.reset()
        provider.memory.forgetAll()
    }

    /// Closes every connection and stops the event loops. Blocks until that is done; a second call does nothing.
    package func shutdown() {
        guard !isDown.exchange(true, ordering: .acquiringAndReleasing) else { return }
        try? group.syncShutdownGracefully()
    }
}
