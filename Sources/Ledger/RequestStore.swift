internal import Base
internal import SQLite
internal import Synchronization

/// The request log's file and what happened to it. A damaged file is moved aside and a new one begun.
final class RequestStore: Sendable {
    /// A check reads about 1 GiB in two seconds; a larger log is opened unchecked and its damage found when read.
    private static let checkedSizeMax = ByteCount.mebibytes(512)

    let path: String
    let movedAsideAtStart: String?
    /// Nil between giving a file up and opening the next.
    private let current: Mutex<Database?>
    private let dropped = Atomic<Int>(0)
    private let failures = Atomic<Int>(0)
    private let aside = Atomic<Int>(0)

    init(path: String) throws {
        self.path = path
        do {
            current = Mutex(try Self.open(path))
            movedAsideAtStart = nil
        } catch let failure as SQLiteFailure where failure.isCorrupt {
            movedAsideAtStart = try DatabaseFile.moveAside(path, time: UnixTime.now())
            current = Mutex(try Self.open(path))
            aside.add(1, ordering: .relaxed)
        }
    }

    var droppedCount: Int { dropped.load(ordering: .relaxed) }
    var writeFailureCount: Int { failures.load(ordering: .relaxed) }
    var movedAsideCount: Int { aside.load(ordering: .relaxed) }

    func countDropped(_ rows: Int) { dropped.add(rows, ordering: .relaxed) }

    func read<Result>(_ body: (Connection) throws -> Result) throws -> Result {
        let database = try opened()
        return try giveUpIfLost(database) { try database.read(body) }
    }

    /// The rows and their sums, in one commit.
    func insert(_ rows: ArraySlice<RequestRecord>) throws {
        let database = try opened()
        let sums = SavingsTable.sums(of: rows)
        do {
            try giveUpIfLost(database) {
                try database.write { connection in
                    try RequestTable.insert(rows, connection)
                    try SavingsTable.add(sums, connection)
                }
            }
        } catch {
            failures.add(1, ordering: .relaxed)
            throw error
        }
    }

    func prune(olderThan time: UnixTime, limit: Int) throws -> Int {
        let database = try opened()
        return try giveUpIfLost(database) {
            try database.write { try RequestTable.prune(olderThan: time, limit: limit, $0) }
        }
    }

    func pruneSavings(before time: UnixTime) throws {
        let database = try opened()
        try giveUpIfLost(database) { try database.write { try SavingsTable.prune(before: time, $0) } }
    }

    /// Nothing opens the file again.
    func close() {
        let database = current.withLock { $0 }
        database?.close()  // stays in `current`: later calls hear that it is closed
    }

    private func opened() throws -> Database {
        try current.withLock { current in
            if let current { return current }
            let database = try Self.open(path)
            current = database
            return database
        }
    }

    /// After damage the file is moved aside; after a failed sync it is closed and opened anew, which checks it.
    private func giveUpIfLost<Result>(_ database: Database, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let failure as SQLiteFailure where failure.isCorrupt || failure.isFailedSync {
            try current.withLock { current in
                guard current === database else { return }  // another thread was first
                database.close()
                current = nil
                guard failure.isCorrupt else { return }
                _ = try DatabaseFile.moveAside(path, time: UnixTime.now())
                aside.add(1, ordering: .relaxed)
            }
            throw failure
        }
    }

    private static func open(_ path: String) throws -> Database {
        try Database(
            path: path, durability: .normal, migrations: RequestTable.migrations, threadName: "requests-db",
            checkedSizeMax: checkedSizeMax)
    }
}
