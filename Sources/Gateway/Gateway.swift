package import Base
package import Ledger
package import NIOCore
package import ResponseCache
package import Settings
package import Telemetry
package import Upstream

/// The AI gateway: takes requests that have passed the guards, finds their provider, and lets an `Exchange` carry each
/// one out. What the settings say is held as one immutable value that a reload replaces.
package final class Gateway: Sendable {
    let pool: UpstreamPool
    let log: RequestLog
    let owners: ResourceOwners
    let metrics: GatewayMetrics
    let workers: WorkerPool
    /// Nil in tests of the gateway alone.
    package let cache: ResponseCache?
    let cacheMetrics: CacheMetrics
    let flights = Flights()
    let modelLists = ModelListCache()
    /// Sees each finished request, for the log lines that the operator asked for. Must not block.
    let observe: @Sendable (RequestRecord) -> Void
    private let current: Locked<Configuration>

    /// What one request sees from its beginning to its end, whatever is reloaded meanwhile.
    final class Configuration: Sendable {
        let catalog: Catalog
        let prices: Prices
        let passthrough: String?
        let sharesFlights: Bool
        private let policy: CachePolicy
        private let policies: [String: CachePolicy]

        /// How much of the model's answers is kept; a model of the settings may have its own policy.
        func cachePolicy(of model: String) -> CachePolicy { policies[model] ?? policy }

        init(_ settings: Settings, reusing old: Configuration?) {
            let providers = settings.providers.map { provider in
                let endpoint = Endpoint(provider, proxy: settings.gateway.proxy, reuse: settings.flags.poolReuse)
                // An unchanged provider keeps its connections, its waiting line and its resting keys.
                if let kept = old?.catalog.provider(provider.name), kept.settings == provider,
                    kept.endpoint.proxy == endpoint.proxy,
                    kept.endpoint.reusesConnections == endpoint.reusesConnections
                {
                    return kept
                }
                return ProviderRoute(provider, endpoint: endpoint)
            }
            catalog = Catalog(providers: providers, aliases: settings.models)
            var overrides: [String: ModelPrice] = [:]
            for model in settings.models {
                guard let input = model.priceInput ?? model.priceOutput.map({ _ in 0 }) else { continue }
                overrides[model.name] = ModelPrice(
                    input: input, output: model.priceOutput ?? 0, cachedInput: model.priceCachedInput)
            }
            prices = Prices(overrides: overrides)
            passthrough = settings.gateway.passthrough
            sharesFlights = settings.flags.singleFlight
            policy = CachePolicy(settings.cache.policy)
            policies = Dictionary(
                uniqueKeysWithValues: settings.models.compactMap { model in
                    model.cache.map { (model.name, CachePolicy($0)) }
                })
        }
    }

    package init(
        settings: Settings, pool: UpstreamPool, log: RequestLog, owners: ResourceOwners, metrics: MetricRegistry,
        workers: WorkerPool, cache: ResponseCache? = nil,
        observe: @escaping @Sendable (RequestRecord) -> Void = { _ in }
    ) {
        self.observe = observe
        self.pool = pool
        self.log = log
        self.owners = owners
        self.metrics = GatewayMetrics(metrics)
        self.cache = cache
        cacheMetrics = CacheMetrics(metrics, cache)
        self.workers = workers
        current = Locked(Configuration(settings, reusing: nil))
    }

    var configuration: Configuration { current.withLock { $0 } }

    /// New requests use the new settings; those under way end with the old ones.
    package func reload(_ settings: Settings) {
        let old = configuration
        let new = Configuration(settings, reusing: old)
        current.withLock { $0 = new }
        cache?.reload(CacheConfiguration(settings))
        modelLists.clear()
    }

    /// A request to one of the AI routes, its body complete. Called on the sink's event loop.
    package func answer(
        _ request: InboundRequest, route: AIRoute, body: ByteBuffer, sink: any ResponseSink
    ) -> Exchange {
        let exchange = Exchange(self, request, route: route, sink: sink)
        exchange.start(body: body)
        return exchange
    }

    /// A request to any other path under `/v1/`: handed on as it is, its body fed in as it comes.
    package func passThrough(
        _ request: InboundRequest, bodyLength: Int?, hasBody: Bool, sink: any ResponseSink
    ) -> Exchange {
        let exchange = Exchange(self, request, route: nil, sink: sink)
        exchange.startPassThrough(bodyLength: bodyLength, hasBody: hasBody)
        return exchange
    }

    /// Names of the configured providers and how many keys of each rest now: for `weir status`.
    package func providerStatus(now: MonotonicInstant) -> [(name: String, dialect: String, keys: Int)] {
        configuration.catalog.providers.map { ($0.name, $0.dialect.rawValue, $0.settings.keys.count) }
    }
}

extension Endpoint {
    convenience init(_ provider: Settings.Provider, proxy: String?, reuse: Bool) {
        let isPlain = provider.baseURL.hasPrefix("http://")
        self.init(
            name: provider.name, connectionsMax: provider.maxConnections, waitingMax: provider.waitingLimit,
            waitingTimeout: provider.waitingTimeout, connectTimeout: provider.connectTimeout,
            firstByteTimeout: provider.firstByteTimeout, idleTimeout: provider.idleTimeout,
            totalTimeout: provider.totalTimeout, httpVersion: provider.httpVersion == .http2 ? .http2 : .http1_1,
            proxy: isPlain ? nil : proxy, caFile: provider.caFile, allowsPlainHTTP: isPlain, reusesConnections: reuse)
    }
}

extension CacheConfiguration {
    package init(_ settings: Settings) {
        var layers: CacheLayers = []
        if settings.flags.cacheL1 { layers.insert(.l1) }
        if settings.flags.cacheL2 { layers.insert(.l2) }
        if settings.flags.cacheL3 { layers.insert(.l3) }
        let cache = settings.cache
        self.init(
            memory: cache.memory, disk: cache.disk, database: cache.database, layers: layers, ttl: cache.ttl,
            windows: StaleWindows(whileRevalidate: cache.staleWhileRevalidate, ifError: cache.staleIfError),
            entryBytesMax: cache.entryLimit.bytes)
    }
}

extension CachePolicy {
    init(_ setting: Settings.CachePolicy) {
        self =
            switch setting {
            case .standard: .standard
            case .strict: .strict
            case .all: .all
            case .off: .off
            }
    }
}
