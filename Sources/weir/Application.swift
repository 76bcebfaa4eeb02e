import Base
import Gateway
import HTTPAPI
import Ledger
import Logging
import Operations
import ResponseCache
import SQLite
import Settings
import Synchronization
import Telemetry
import Upstream

/// The server put together: the folder, the stores, the pool, the gateway, the listeners, in the order they start;
/// they stop in the opposite one.
final class Application: Sendable {
    let logger: Logger
    let context: ServerContext
    private let source: String?
    private let folder: DataFolder
    private let database: Database
    private let log: RequestLog
    private let pool: UpstreamPool
    private let cache: ResponseCache
    private let server: HTTPServer
    private let keys: KeyStore
    private let loaded: Mutex<LoadedSettings>
    private let lines: RequestLines
    private let housekeeper: Housekeeper
    /// The admin key made at the first start: shown once, by the banner.
    private let newAdminKey: String?

    /// Opens everything; serves nothing yet.
    init(_ loaded: LoadedSettings, folder path: String, source: String?) throws {
        let settings = loaded.settings
        let format: LogOutput.Format =
            switch settings.log.format {
            case .auto: LogOutput.formatForStandardError
            case .text: .text
            case .json: .json
            }
        let level = Logger.Level(settings.log.level)
        var logger = Logger(label: "weir") { LogOutput(label: $0, level: level, format: format) }
        logger.logLevel = level
        self.logger = logger
        self.source = source
        self.loaded = Mutex(loaded)
        for warning in loaded.warnings { logger.warning("\(warning)") }
        folder = try DataFolder(path)
        database = try MainDatabase.open(folder: path)
        keys = try KeyStore(database: database, ring: KeyRing())
        newAdminKey = try Self.prepareKeys(keys, settings)
        log = try RequestLog(folder: path)
        if let aside = log.movedAside {
            logger.error(
                "the request log was damaged: it was moved aside and a new one begun", metadata: ["file": "\(aside)"])
        }
        let metrics = MetricRegistry()
        ProcessReadings.register(in: metrics, startedAt: .now())
        let workers = WorkerPool(name: "weir-worker", threads: 2, waitingMax: 1_024)
        let lines = RequestLines(logger, settings.log.requests)
        self.lines = lines
        pool = UpstreamPool(metrics: metrics)
        let hasCrashed = CrashMarker.take(path)
        if hasCrashed { logger.error("the last process died of a memory fault: the disk cache begins anew") }
        CrashMarker.watch(path)
        cache = ResponseCache(folder: path, CacheConfiguration(settings), distrust: hasCrashed)
        let gateway = Gateway(
            settings: settings, pool: pool, log: log, owners: ResourceOwners(database: database), metrics: metrics,
            workers: workers, cache: cache, observe: { lines.write($0) })
        context = ServerContext(
            settings: settings, gateway: gateway, keys: keys, log: log, metrics: metrics, workers: workers,
            logger: logger, version: Weir.release, configText: loaded.json(origin: true))
        server = HTTPServer(context: context, threads: settings.server.threads)
        housekeeper = Housekeeper(log: log, retention: settings.log.retention, logger: logger)
    }

    /// The settings' key is taken in; with no key at all one is made, unless others could reach the address.
    /// - Returns: the secret of a key that was made.
    private static func prepareKeys(_ keys: KeyStore, _ settings: Settings) throws -> String? {
        try keys.importAdminKey(secret: settings.auth.adminKey?.reveal())
        guard settings.auth.adminKey == nil, try keys.isEmpty() else { return nil }
        guard settings.server.listen.isLoopback else { throw OpenToAll(address: settings.server.listen.description) }
        return try keys.create(name: "admin", scopes: [.admin]).secret
    }

    /// An address that others reach, and nothing that would keep them out.
    struct OpenToAll: Failure {
        let code = "open_to_all"
        let address: String
        var message: String {
            "refusing to listen on \(address) without a key: set auth.admin-key, or make one with"
                + " `weir keys create NAME --scope admin` first"
        }
        var exitCode: ExitCode { .badSettings }
    }

    func start() throws -> ListenAddress {
        try server.listenForControl(folder.controlSocketPath)
        let wanted = loaded.withLock { $0.settings.server.listen }
        do {
            let bound = try server.listen(wanted)
            context.bound(to: bound)
            return bound
        } catch {
            throw CannotListen(address: wanted.description, reason: "\(error)")
        }
    }

    struct CannotListen: Failure {
        let code = "cannot_listen"
        let address: String
        let reason: String
        var message: String { "cannot listen on \(address): \(reason); choose another with --listen" }
        var exitCode: ExitCode { .inputOutput }
    }

    private static let noProviders =
        "none yet: set OPENAI_API_KEY or ANTHROPIC_API_KEY, or see `weir config defaults`"

    func sayBanner(_ bound: ListenAddress) {
        let url: String
        if case .tcp(let host, let port) = bound {
            url = "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        } else {
            url = bound.description
        }
        let names = loaded.withLock { $0.settings.providers.map(\.name) }
        say("weir \(Weir.release) on \(url)   (OpenAI base URL \(url)/v1, Anthropic base URL \(url))")
        say(
            "providers: \(names.isEmpty ? Self.noProviders : names.joined(separator: ", "))"
        )
        say("data: \(folder.path) (\(folder.size.bytes >> 10) KiB)")
        say("settings: \(source ?? "the defaults and the environment")")
        say("status: weir status --data \(folder.path)")
        if let newAdminKey { say("admin key: \(newAdminKey)   (shown this once; it may do everything)") }
    }

    func reload(_ new: LoadedSettings) {
        let old = loaded.withLock { $0 }
        for path in Settings.changesNeedingRestart(from: old.settings, to: new.settings) {
            logger.warning("this change needs a restart", metadata: ["setting": "\(path)"])
        }
        do { try keys.importAdminKey(secret: new.settings.auth.adminKey?.reveal()) } catch {
            logger.error("settings not reloaded, the old ones stay", metadata: ["problem": "\(error)"])
            return
        }
        loaded.withLock { $0 = new }
        lines.choose(new.settings.log.requests)
        housekeeper.choose(retention: new.settings.log.retention)
        context.reload(new.settings, configText: new.json(origin: true))
        logger.info("settings reloaded")
    }

    /// Ends in order: no new requests, those under way are finished, what they left is written.
    func stop() {
        let limit = loaded.withLock { $0.settings.server.shutdownTimeout }
        logger.info("stopping", metadata: ["connections": "\(context.openConnections.value)"])
        if !server.drain(within: limit) { logger.warning("requests were cut: shutdown-timeout is over") }
        pool.shutDown()
        server.shutDown()
        housekeeper.stop()
        context.workers.close()
        cache.close()
        log.close()
        database.close()
    }
}

extension Logger.Level {
    init(_ level: Settings.LogLevel) {
        self =
            switch level {
            case .trace: .trace
            case .debug: .debug
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
    }
}
