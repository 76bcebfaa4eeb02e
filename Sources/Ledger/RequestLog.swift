package import Base
internal import SQLite
internal import Synchronization

/// The request log: `requests.db` in the data folder. Offering a row never blocks and never fails a request; rows are
/// committed in batches at most `Limits.ledgerBatchDelay` later. A damaged file is moved aside and a new one begun,
/// because serving goes on whatever becomes of the log.
package final class RequestLog: Sendable {
    package static let fileName = "requests.db"

    /// Where a damaged file found at the start was moved; tell the operator.
    package let movedAside: String?

    private let mailbox: Mailbox<LogItem>
    private let store: RequestStore
    private let refused = Atomic<Int>(0)
    private let thread: OSThread
    private let isClosed = Mutex(false)

    /// Opens or makes the log. Blocks.
    /// - Throws: `DatabaseFailure.newer` and whatever keeps even a new file from being made.
    package convenience init(folder: String) throws {
        try self.init(folder: folder, mailboxRows: Limits.ledgerMailboxRows, delay: Limits.ledgerBatchDelay)
    }

    /// - Parameters: what `Limits` says, except in tests.
    init(folder: String, mailboxRows: Int, delay: Duration) throws {
        let store = try RequestStore(path: folder + "/" + Self.fileName)
        let mailbox = Mailbox<LogItem>(capacity: mailboxRows, wakeAt: min(mailboxRows, Limits.ledgerBatchRows))
        self.store = store
        self.mailbox = mailbox
        movedAside = store.movedAsideAtStart
        thread = OSThread.start("requests-log") {
            var writer = RequestWriter(store: store)
            while let items = mailbox.take(waiting: delay) {
                writer.accept(items, now: MonotonicInstant.now())
            }
            writer.finish(now: MonotonicInstant.now())
        }
    }

    deinit { mailbox.close() }

    /// Takes a row for the next batch: one short lock, no file, no wait. When the mailbox is full or the log closed,
    /// the row is dropped and counted. Call it from anywhere.
    package func record(_ record: RequestRecord) {
        if !mailbox.offer(.row(record)) { refused.add(1, ordering: .relaxed) }
    }

    /// Rows that were offered and are in no file: the mailbox was full, or writing failed for good.
    package var droppedCount: Int { refused.load(ordering: .relaxed) + store.droppedCount }

    /// Commits that failed (disk full, say). Their rows wait and are tried again; only what then no longer fits is
    /// dropped.
    package var writeFailureCount: Int { store.writeFailureCount }

    /// Damaged files moved aside since the start, one found at the start included.
    package var movedAsideCount: Int { store.movedAsideCount }

    /// Rows in the mailbox.
    package var waitingCount: Int { mailbox.count }

    /// Waits until every row offered before is committed. For shutdown, status and tests. Blocks.
    /// - Throws: why rows could not be written; they are tried again later.
    package func flush() throws {
        let done = Handover<Void>()
        var tries = 0
        while !mailbox.offer(.flush(done)) {  // full, or closed
            guard !isClosed.withLock({ $0 }) else { throw DatabaseFailure.closed(path: store.path) }
            guard tries < 5_000 else { throw DatabaseFailure.writerBehind(path: store.path) }
            tries += 1
            mailbox.wake()
            pauseThread(.milliseconds(1))
        }
        mailbox.wake()
        try done.take()
    }

    /// The rows of a query, newest first. Blocks; O(rows looked at), which a time in `since` bounds.
    /// - Throws: `SQLiteFailure`, `DatabaseFailure`.
    package func query(_ query: RequestQuery) throws -> [StoredRequest] {
        try store.read { try RequestTable.select(query, $0) }
    }

    /// Totals by model of what arrived since, the most used first, of all tenants or one. Blocks; O(rows since).
    package func summary(since: UnixTime, tenant: String? = nil) throws -> [ModelSummary] {
        try store.read { try RequestTable.summary(since: since, tenant: tenant, $0) }
    }

    /// What was billed and what was saved since the UTC day of a time, of all tenants or one: newest day first, then by
    /// tenant, key and model. By less than all three, rows are added up; by none, there is one row (none without
    /// requests). Daily sums outlive the rows of the log. Blocks; O(days x keys x models).
    /// - Parameter limit: rows to return.
    /// - Throws: `SQLiteFailure`, `DatabaseFailure`.
    package func savings(
        since: UnixTime, tenant: String? = nil, by grouping: SavingsGrouping = [.day, .key, .model],
        limit: Int = Limits.requestLogPageMax
    ) throws -> [SavingsRow] {
        try store.read { try SavingsTable.select(since: since, tenant: tenant, by: grouping, limit: limit, $0) }
    }

    /// Deletes what is older, a slice a commit, so that rows keep being written in between. The daily sums of the
    /// savings stay for `SavingsTable.daysKept` before `now`, or as long as the rows if that is longer. Blocks.
    /// - Returns: how many rows went. The file keeps its size and uses the space again.
    package func prune(olderThan time: UnixTime, now: UnixTime = .now()) throws -> Int {
        let age = SavingsTable.daysKept * UnixTime.microsecondsPerDay
        try store.pruneSavings(before: min(time, UnixTime(microseconds: max(0, now.microseconds - age))))
        var total = 0
        while true {
            let count = try store.prune(olderThan: time, limit: Limits.ledgerBatchRows)
            total += count
            if count < Limits.ledgerBatchRows { return total }
        }
    }

    /// Writes what waits and closes the file. Blocks. Rows offered later are dropped and counted.
    package func close() {
        guard
            isClosed.withLock({ closed in
                defer { closed = true }; return !closed
            })
        else { return }
        mailbox.close()
        thread.join()
        store.close()
    }
}
