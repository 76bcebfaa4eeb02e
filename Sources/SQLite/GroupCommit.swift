internal import Base
internal import CSQLite

/// A write on its way to the writer thread.
struct WriteJob: Sendable {
    /// Does the work inside the open transaction; returns what to call once that transaction is durable.
    let perform: @Sendable (Connection) throws -> @Sendable () -> Void
    /// Tells the caller that nothing of it was kept.
    let fail: @Sendable (any Error) -> Void
}

/// Puts many jobs into one transaction, so that they share one sync. Lives on the writer thread.
final class GroupCommit {
    /// A passive checkpoint keeps the WAL near this size: 4 MiB.
    static let checkpointPages: Int32 = 1_000
    /// Past this (64 MiB) readers kept the WAL from being reset; the writer then waits for them once.
    static let restartPages: Int32 = 16_384

    private let connection: Connection
    private let walPages = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
    /// Set by a failed sync: from then on the kernel's copy of the file proves nothing, so nothing is acknowledged.
    private var poison: SQLiteFailure?

    init(_ connection: Connection) {
        self.connection = connection
        walPages.initialize(to: 0)
        sqlite3_wal_hook(
            connection.handle,
            { context, _, _, pages in
                context?.assumingMemoryBound(to: Int32.self).pointee = pages
                return SQLITE_OK
            }, walPages)
    }

    deinit {
        sqlite3_wal_hook(connection.handle, nil, nil)
        walPages.deallocate()
    }

    /// Runs the jobs in order in one transaction, then tells every caller. A job that throws is undone alone.
    /// - Parameter committed: called with how many were kept, before any caller wakes.
    func commit(_ jobs: [WriteJob], committed: (Int) -> Void) {
        if let poison {
            for job in jobs { job.fail(poison) }
            return
        }
        precondition(!connection.isInTransaction, "a batch begins outside a transaction")
        var outcomes: [Outcome] = []
        do {
            try connection.run("BEGIN IMMEDIATE")
            for job in jobs { outcomes.append(try outcome(of: job)) }
            try connection.run("COMMIT")
        } catch {
            abandon(error)
            for (index, job) in jobs.enumerated() {
                job.fail(index < outcomes.count ? outcomes[index].refusal ?? error : error)
            }
            return
        }
        committed(outcomes.count { $0.refusal == nil })
        for (job, outcome) in zip(jobs, outcomes) {
            switch outcome {
            case .kept(let wake): wake()
            case .refused(let error): job.fail(error)
            }
        }
    }

    /// Moves WAL pages into the database file when there are many. Failing is no harm: the next commit tries again.
    func checkpointIfLarge() {
        guard poison == nil, walPages.pointee >= Self.checkpointPages else { return }
        let mode = walPages.pointee >= Self.restartPages ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE
        checkpoint(mode)
    }

    /// Empties the WAL; for the end, when the readers are gone.
    func checkpointAll() {
        guard poison == nil else { return connection.forbidCheckpointOnClose() }
        checkpoint(SQLITE_CHECKPOINT_TRUNCATE)
    }

    private func checkpoint(_ mode: Int32) {
        let result = sqlite3_wal_checkpoint_v2(connection.handle, nil, mode, nil, nil)
        if result != SQLITE_OK { notePoison(connection.failure(result, sql: nil)) }
    }

    private enum Outcome {
        case kept(@Sendable () -> Void)
        case refused(any Error)

        var refusal: (any Error)? {
            if case .refused(let error) = self { error } else { nil }
        }
    }

    /// One job between savepoints, so that its failure is undone alone.
    /// - Throws: only when the whole transaction is gone: SQLite ends it by itself when the disk is full or fails.
    private func outcome(of job: WriteJob) throws -> Outcome {
        try connection.run("SAVEPOINT job")
        let outcome: Outcome
        do {
            outcome = .kept(try job.perform(connection))
        } catch {
            guard connection.isInTransaction else { throw error }
            try connection.run("ROLLBACK TO job")
            outcome = .refused(error)
        }
        try connection.run("RELEASE job")  // fails, as it must, when the job hid the end of the transaction
        return outcome
    }

    /// Undoes the batch and remembers why nothing may be promised any more, if so.
    private func abandon(_ error: any Error) {
        notePoison(error)
        do { try connection.rollback() } catch {
            poison = error as? SQLiteFailure
        }
        precondition(poison != nil || !connection.isInTransaction, "a batch ends outside a transaction")
    }

    private func notePoison(_ error: any Error) {
        guard let failure = error as? SQLiteFailure, failure.isFailedSync else { return }
        poison = failure
    }
}
