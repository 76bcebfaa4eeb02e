import Base
import SQLite

/// What the layers hold and have done, for `GET /cache`, metrics and `weir inspect cache`.
package struct CacheReport: Sendable {
    package var configuration: CacheConfiguration
    package var memory: MemoryStatistics
    /// Nil while the layer has never been on.
    package var disk: DiskStatistics?
    package var database: ArchiveStatistics?
    /// Keys that the in-memory index knows in L2 or L3.
    package var indexed: Int
    package var indexBytes: Int
    /// The life that a new answer of each class gets now, and what has been found out about the class.
    package var lives: [(life: LifeClass, now: Duration, evidence: LifePolicy.Evidence)]
}

extension ResponseCache {
    /// Takes each layer's numbers at slightly different moments. O(shards).
    package func report() -> CacheReport {
        let (disk, archive) = below.withLock { ($0.disk, $0.archive) }
        let policy = life.withLock { $0 }
        return CacheReport(
            configuration: configuration, memory: memory.statistics, disk: disk?.statistics,
            database: archive?.statistics, indexed: index.count, indexBytes: index.byteCount,
            lives: LifeClass.allCases.map { ($0, policy.life($0), policy.evidence($0)) })
    }

    /// The archive, for questions of people; nil while L3 has never been on.
    package var archive: DatabaseLayer? { below.withLock { $0.archive } }

    /// Waits until what was stored before lies in the files. For tests and for `weir cache import`. Blocks.
    /// - Throws: why the archive could not be written.
    package func flush() throws {
        let (disk, archive) = below.withLock { ($0.disk, $0.archive) }
        if let disk {
            let done = Handover<Void>()
            disk.drain { done.put(.success(())) }
            try done.take()
        }
        try archive?.flush()
    }
}
