package import Base
package import Gateway
package import Ledger
package import Logging
import NIOCore
package import Settings
import Synchronization
package import Telemetry

/// What all connections share. Built once by `main`; the parts that settings decide are replaced by `reload`.
package final class ServerContext: Sendable {
    package let gateway: Gateway
    package let keys: KeyStore
    package let log: RequestLog
    package let metrics: MetricRegistry
    package let workers: WorkerPool
    package let logger: Logger
    /// Connections that are open now.
    package let openConnections: Gauge
    /// Text of `GET /config`, kept by `main` with every reload.
    package let version: String
    package let startedAt: UnixTime

    let routes: RouteTable
    let requestIDs = RequestIDs()
    private let accepted: Counter
    private let rejected: Counter
    private let live: Locked<Live>
    private let connections = Locked<[ObjectIdentifier: any Channel]>([:])
    private let draining = Atomic<Bool>(false)

    /// What the settings decide, as one immutable object: a request takes one reference to it.
    final class Live: Sendable {
        let settings: Settings
        let bound: ListenAddress
        let hostGuard: HostGuard
        let authenticator: Authenticator
        let bodyBytesMax: Int
        let configText: String

        init(_ settings: Settings, bound: ListenAddress, ring: KeyRing, configText: String) {
            self.settings = settings
            self.bound = bound
            self.configText = configText
            hostGuard = HostGuard(settings.server, bound: bound)
            authenticator = Authenticator(ring: ring, allowsAnonymous: settings.auth.anonymous == .loopback)
            bodyBytesMax = settings.server.bodyLimit.bytes
        }
    }

    package init(
        settings: Settings, gateway: Gateway, keys: KeyStore, log: RequestLog, metrics: MetricRegistry,
        workers: WorkerPool, logger: Logger, version: String, configText: String
    ) {
        self.gateway = gateway
        self.keys = keys
        self.log = log
        self.metrics = metrics
        self.workers = workers
        self.logger = logger
        self.version = version
        startedAt = .now()
        openConnections = metrics.gauge("weir_connections_open", "Client connections that are open.")
        accepted = metrics.counter("weir_connections_accepted_total", "Client connections accepted.")
        rejected = metrics.counter("weir_rejections_total", "Requests refused before their body was read.")
        routes = RouteTable.standard
        let bound = settings.server.listen
        live = Locked(Live(settings, bound: bound, ring: keys.ring, configText: configText))
        metrics.reading("weir_ledger_dropped_total", "Rows of the request log that were dropped.") {
            Double(log.droppedCount)
        }
        metrics.reading("weir_ledger_waiting", "Rows of the request log that wait to be written.") {
            Double(log.waitingCount)
        }
    }

    /// The listener's real address is known now (the port, when 0 was asked for).
    package func bound(to address: ListenAddress) {
        live.withLock { $0 = Live($0.settings, bound: address, ring: keys.ring, configText: $0.configText) }
    }

    /// New requests see the new settings. The listener itself stays as it is.
    package func reload(_ settings: Settings, configText: String) {
        gateway.reload(settings)
        live.withLock { $0 = Live(settings, bound: $0.bound, ring: keys.ring, configText: configText) }
    }

    var current: Live { live.withLock { $0 } }
    var settings: Settings { current.settings }
    package var listenAddress: ListenAddress { current.bound }
    package var configText: String { current.configText }

    package var isDraining: Bool { draining.load(ordering: .relaxed) }

    func beginDraining() { draining.store(true, ordering: .relaxed) }

    func noteRejection() { rejected.add() }

    /// False when there are too many connections already.
    func connectionOpened(_ channel: any Channel) -> Bool {
        accepted.add()
        connections.withLock { $0[ObjectIdentifier(channel)] = channel }
        openConnections.add(1)
        return openConnections.value <= settings.server.maxConnections
    }

    func connectionClosed(_ channel: any Channel) {
        openConnections.add(-1)
        connections.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    /// A kept connection without a request has nothing to wait for.
    func closeIdleConnections() {
        for channel in connections.withLock({ Array($0.values) }) {
            channel.pipeline.fireUserInboundEventTriggered(DrainingBegan())
        }
    }

    func waitForConnections(_ step: Duration) { pauseThread(step) }
}

/// Tells each connection that it ends once it has nothing to do.
struct DrainingBegan {}
