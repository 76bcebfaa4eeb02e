internal import Base
internal import SQLite
internal import Synchronization

/// One way to keep rows, as the store benchmark drives it. Called from many threads.
protocol StoreUnderTest: Sendable {
    /// The body of a row; nil when there is none.
    func read(_ id: Int) throws -> String?
    /// Durable when it returns.
    func write(_ id: Int, _ body: String) throws
    func count() throws -> Int
    func close()
}

/// The work both sides do, and the check that they did it.
enum StoreWorkload {
    static let migrations = Migrations([
        Migration(
            "rows", up: "CREATE TABLE rows(id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT", down: "DROP TABLE rows")
    ])

    /// About 200 bytes that depend on the id, so that a wrong row shows.
    static func body(_ id: Int) -> String {
        String(repeating: "row \(id) ", count: 20)
    }

    static func fill(_ connection: Connection) throws {
        for id in 1...StoreBenchmark.rows {
            try connection.run("INSERT INTO rows VALUES (?1, ?2)", id, body(id))
        }
    }

    private final class Tally: Sendable {
        let isOver = Atomic<Bool>(false)
        let reads = Atomic<Int>(0)
        let writes = Atomic<Int>(0)
        let checksum = Atomic<UInt64>(0)
        let failure = Mutex<(any Error)?>(nil)

        func note(_ error: any Error) {
            failure.withLock { $0 = $0 ?? error }
            isOver.store(true, ordering: .relaxed)
        }
    }

    /// Drives the store for a while with some reader threads and one writer.
    static func measure(_ store: any StoreUnderTest, readers: Int, for length: Duration) throws -> StoreRate {
        let tally = Tally()
        let before = try store.count()
        let began = MonotonicInstant.now()
        let end = began.advanced(by: length)
        var threads = (0..<readers).map { index in
            OSThread.start("bench-read-\(index)") { readUntil(end, store, tally, seed: UInt64(index)) }
        }
        threads.append(OSThread.start("bench-write") { writeUntil(end, store, tally, after: before) })
        for thread in threads { thread.join() }
        let seconds = MonotonicInstant.now().duration(since: began).seconds
        if let failure = tally.failure.withLock({ $0 }) { throw failure }
        let writes = tally.writes.load(ordering: .relaxed)
        let count = try store.count()
        guard count == before + writes else {
            throw StoreBenchmarkFailure.wrongResult("\(count - before) new rows for \(writes) acknowledged inserts")
        }
        return StoreRate(
            seconds: seconds, reads: tally.reads.load(ordering: .relaxed), writes: writes,
            checksum: tally.checksum.load(ordering: .relaxed))
    }

    private static func readUntil(_ end: MonotonicInstant, _ store: any StoreUnderTest, _ tally: Tally, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var reads = 0, checksum: UInt64 = 0
        do {
            while MonotonicInstant.now() < end, !tally.isOver.load(ordering: .relaxed) {
                let id = 1 + Int(random.next() % UInt64(StoreBenchmark.rows))
                guard let text = try store.read(id), text.hasPrefix("row \(id) "), text.utf8.count > 100 else {
                    throw StoreBenchmarkFailure.wrongResult("row \(id)")
                }
                checksum &+= sum(text)
                reads += 1
            }
        } catch {
            tally.note(error)
        }
        tally.reads.add(reads, ordering: .relaxed)
        tally.checksum.wrappingAdd(checksum, ordering: .relaxed)
    }

    private static func writeUntil(
        _ end: MonotonicInstant, _ store: any StoreUnderTest, _ tally: Tally, after last: Int
    ) {
        var writes = 0, checksum: UInt64 = 0
        do {
            while MonotonicInstant.now() < end, !tally.isOver.load(ordering: .relaxed) {
                let id = last + writes + 1
                let text = body(id)
                try store.write(id, text)
                checksum &+= sum(text)
                writes += 1
            }
        } catch {
            tally.note(error)
        }
        tally.writes.add(writes, ordering: .relaxed)
        tally.checksum.wrappingAdd(checksum, ordering: .relaxed)
    }

    /// Cheap, and needs every byte's presence: the length and the digits at the start.
    private static func sum(_ text: String) -> UInt64 {
        text.utf8.prefix(12).reduce(UInt64(text.utf8.count)) { $0 &* 31 &+ UInt64($1) }
    }
}
