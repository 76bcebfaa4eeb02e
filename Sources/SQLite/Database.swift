package import Base
import Glibc
internal import Synchronization

/// A database file in write-ahead mode: one writer on a thread of its own, which alone commits and checkpoints, and a
/// pool of readers. Writes that wait at the same time share one commit and one sync (group commit).
///
/// Every call that blocks belongs on a thread that may: never on an event loop or Swift's cooperative pool.
package final class Database: Sendable {
    /// Writes that may wait; further ones are refused.
    package static let waitingWritesMax = 4_096

    package let path: String
    private let mailbox: Mailbox<WriteJob>
    private let pool: ReaderPool
    private let counters: Counters
    private let writer: OSThread
    private let isClosed = Mutex(false)

    private final class Counters: Sendable {
        let commits = Atomic<Int>(0)
        let writes = Atomic<Int>(0)
        /// `pthread_self()` of the writer; 0 until it runs.
        let writerThread = Atomic<UInt>(0)
    }

    /// Opens the file, made or migrated to the newest version as needed. After an unclean stop (a -wal file is left) it
    /// is checked first. Blocks.
    /// - Parameters:
    ///   - threadName: of the writer, at most 15 characters.
    ///   - checkedSizeMax: a larger file is not checked after an unclean stop: damage then shows when it is read.
    /// - Throws: `SQLiteFailure` (`isCorrupt`: damaged, and no byte of it was changed), `DatabaseFailure.newer`.
    package init(
        path: String, durability: Durability, migrations: Migrations, threadName: String,
        readers: Int = Limits.databaseReaders, checkedSizeMax: ByteCount = .gibibytes(64)
    ) throws {
        self.path = path
        let mailbox = Mailbox<WriteJob>(capacity: Self.waitingWritesMax)
        let counters = Counters()
        let opened = Handover<Void>()
        self.mailbox = mailbox
        self.counters = counters
        pool = ReaderPool(path: path, limit: readers)
        // The connection is made on the writer's thread and never leaves it.
        writer = OSThread.start(threadName) {
            counters.writerThread.store(UInt(pthread_self()), ordering: .relaxed)
            do {
                let connection = try DatabaseFile.openWriter(
                    path, durability: durability, migrations: migrations, checkedSizeMax: checkedSizeMax)
                opened.put(.success(()))
                Self.serve(connection, mailbox, counters)
            } catch {
                opened.put(.failure(error))
            }
        }
        do {
            try opened.take()
        } catch {
            mailbox.close()
            writer.join()
            throw error
        }
    }

    deinit { mailbox.close() }  // the writer finishes what waits and ends by itself

    /// Runs a read on one of the pool's connections. Blocks while all are taken; ends after
    /// `ReaderPool.readTimeMax` with `database_read_too_long`. Sees every write whose `write` has returned.
    package func read<Result>(_ body: (Connection) throws -> Result) throws -> Result {
        try pool.read(body)
    }

    /// Hands a job to the writer and waits until it is committed (and, with `.full`, synced). When the job throws, its
    /// own changes are undone, other jobs of the same commit stay, and the error is thrown here.
    package func write<Value: Sendable>(
        _ job: @escaping @Sendable (Connection) throws -> Value
    ) throws -> Value {
        precondition(
            counters.writerThread.load(ordering: .relaxed) != UInt(pthread_self()), "a write that waits for itself")
        let handover = Handover<Value>()
        guard submit(job, completion: { handover.put($0) }) else {
            throw isClosed.withLock { $0 } ? DatabaseFailure.closed(path: path) : .writerBehind(path: path)
        }
        return try handover.take()
    }

    /// Hands a job to the writer without waiting. Jobs run in the order they were taken.
    /// - Parameter completion: called on the writer's thread after the commit, or after the job failed. Keep it short.
    /// - Returns: false when the mailbox is full or closed: the job was not taken, `completion` is not called.
    package func submit<Value: Sendable>(
        _ job: @escaping @Sendable (Connection) throws -> Value,
        completion: @escaping @Sendable (Result<Value, any Error>) -> Void
    ) -> Bool {
        mailbox.offer(
            WriteJob(
                perform: { connection in
                    let value = try job(connection)
                    return { completion(.success(value)) }
                },
                fail: { completion(.failure($0)) }))
    }

    /// Finishes every write that waits, closes the readers, empties the WAL and closes the file, which marks a clean
    /// stop. Blocks. Later calls do nothing.
    package func close() {
        guard
            isClosed.withLock({ closed in
                defer { closed = true }; return !closed
            })
        else { return }
        pool.close()
        mailbox.close()
        writer.join()
    }

    /// Commits since the file was opened.
    package var commitCount: Int { counters.commits.load(ordering: .relaxed) }

    /// Jobs those commits held; divided by `commitCount`, the size of a group.
    package var writeCount: Int { counters.writes.load(ordering: .relaxed) }

    private static func serve(_ connection: Connection, _ mailbox: Mailbox<WriteJob>, _ counters: Counters) {
        let group = GroupCommit(connection)
        while let jobs = mailbox.take(waiting: .seconds(60)) {
            guard !jobs.isEmpty else { continue }
            group.commit(jobs) { kept in
                counters.writes.add(kept, ordering: .relaxed)
                if kept > 0 { counters.commits.add(1, ordering: .relaxed) }
            }
            group.checkpointIfLarge()
        }
        group.checkpointAll()
    }
}
