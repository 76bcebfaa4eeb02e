import Base
import FoundationEssentials
import Gateway
import Ledger
import Logging
import Settings
import Telemetry
import Upstream

@testable import HTTPAPI

/// What all connections share, in a folder of its own that goes with the last reference.
final class ServerDesk {
    let path = "/tmp/weir-test-\(hexadecimal(secureRandomBytes(8)))"
    let keys: KeyStore
    let server: ServerContext
    private let pool: UpstreamPool
    private let workers = WorkerPool(name: "test-desk", threads: 1, waitingMax: 16)

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let database = try MainDatabase.open(folder: path)
        let log = try RequestLog(folder: path)
        let metrics = MetricRegistry()
        keys = try KeyStore(database: database, ring: KeyRing())
        pool = UpstreamPool(metrics: metrics)
        let gateway = Gateway(
            settings: Settings(), pool: pool, log: log, owners: ResourceOwners(database: database), metrics: metrics,
            workers: workers)
        server = ServerContext(
            settings: Settings(), gateway: gateway, keys: keys, log: log, metrics: metrics, workers: workers,
            logger: Logger(label: "test"), version: "0", configText: "{}")
    }

    deinit {
        pool.shutDown()
        workers.close()
        try? FileManager.default.removeItem(atPath: path)
    }
}
