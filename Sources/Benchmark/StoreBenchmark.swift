package import Base
import Glibc
internal import SQLite

/// The plan's database section, measured: how it began (rollback journal, a new connection for every query) against
/// what Weir does (write-ahead log, pooled readers, one writer that commits in groups). Same table, same rows, same
/// work, both fully synced: 8 threads look rows up by id, one inserts rows and waits for each commit.
package enum StoreBenchmark {
    /// The plan's promise.
    package static let targetRatio = 10.0
    static let rows = 20_000
    static let readerThreads = 8

    /// Runs both in a folder of their own under `folder`, removed at the end. Blocks for about three times `seconds`.
    /// - Parameters:
    ///   - seconds: how long each of the two is measured; at least 100 ms.
    ///   - json: the report will be read by a program: no word on stderr in between.
    /// - Throws: `SQLiteFailure`, `SystemFailure`, `StoreBenchmarkFailure`.
    package static func run(seconds: Duration, json: Bool, folder: String = "/tmp") throws -> StoreReport {
        let seconds = max(seconds, .milliseconds(100))
        let place = "\(folder)/weir-bench-store-\(hexadecimal(secureRandomBytes(6)))"
        guard mkdir(place, 0o700) == 0 else { throw SystemFailure("create \(place)", errorNumber: errno) }
        defer { remove(place) }
        say("start: rollback journal, one connection a query …", unless: json)
        let start = try measure(StoreStart(path: place + "/start.sqlite"), seconds)
        say("weir: write-ahead log, pooled readers, group commit …", unless: json)
        let ours = try measure(StoreOurs(path: place + "/ours.sqlite"), seconds)
        return StoreReport(
            start: start.mixed, ours: ours.mixed, startWriting: start.writing, oursWriting: ours.writing)
    }

    /// The mixed work, then the writer alone: in the mix it competes with readers that never rest for the processors,
    /// which says more about their number than about the store.
    private static func measure(
        _ store: any StoreUnderTest, _ seconds: Duration
    ) throws -> (mixed: StoreRate, writing: StoreRate) {
        defer { store.close() }
        let mixed = try StoreWorkload.measure(store, readers: readerThreads, for: seconds)
        return (mixed, try StoreWorkload.measure(store, readers: 0, for: seconds / 2))
    }

    private static func say(_ text: String, unless isQuiet: Bool) {
        guard !isQuiet else { return }
        let line = Array((text + "\n").utf8)
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private static func remove(_ place: String) {
        for name in ["start.sqlite", "ours.sqlite"] {
            for suffix in ["", "-wal", "-shm", "-journal"] { unlink("\(place)/\(name)\(suffix)") }
        }
        rmdir(place)
    }
}

/// Why a measurement is worth nothing.
package enum StoreBenchmarkFailure: Failure {
    /// A row did not hold what was written, or one that was promised is missing.
    case wrongResult(String)

    package var code: String { "benchmark_wrong_result" }
    package var message: String {
        switch self {
        case .wrongResult(let what): "the store benchmark read back something else than it wrote: \(what)"
        }
    }
    package var exitCode: ExitCode { .internalError }
}
