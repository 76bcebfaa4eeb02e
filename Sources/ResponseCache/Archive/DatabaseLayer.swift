package import Base
import SQLite

/// L3, the archive: `cache.db` in the data folder, for answers that are worth keeping long and looking into.
///
/// Reads block and belong on a small pool. Writes wait in a bounded mailbox for one thread, which commits them in
/// batches with SQLite's `synchronous = FULL`: what a completion reports has been synced. A file that is damaged, gone
/// or without room is put out of the way and begun anew; failing that, the layer is lost and says so.
package final class DatabaseLayer: Sendable {
    package static let fileName = "cache.db"
    /// Answers that may wait for the writer, and their bytes; further ones are dropped and counted.
    package static let waitingMax = 1_024
    package static let waitingBytesMax = ByteCount.mebibytes(32)
    /// How often a lost file is tried again.
    package static let retryDelay = Duration.seconds(60)
    /// Rows of which a use is remembered until eviction asks: about 1 MiB.
    static let usedMax = 65_536
    private static let wakeAt = 256
    private static let removalsMax = 1_024

    private let path: String
    private let index: FingerprintIndex
    private let mailbox: Mailbox<ArchiveWork>
    let state: Locked<ArchiveState>
    private let secondUse = Locked(SecondUse())
    private let thread: OSThread
    private let isClosed = Locked(false)

    /// Opens or makes the file and puts its keys into the index. Blocks; a million keys take about 0.3 s.
    /// Trouble shows in `statistics`.
    package convenience init(folder: String, budget: ByteCount, index: FingerprintIndex) {
        self.init(
            folder: folder, budget: budget, index: index, delay: .milliseconds(100), clock: { UnixTime.now() })
    }

    /// - Parameters: as above, except in tests.
    init(
        folder: String, budget: ByteCount, index: FingerprintIndex, delay: Duration,
        clock: @escaping @Sendable () -> UnixTime
    ) {
        let state = Locked(ArchiveState(budget: budget.bytes))
        let mailbox = Mailbox<ArchiveWork>(capacity: Self.waitingMax + Self.removalsMax, wakeAt: Self.wakeAt)
        path = folder + "/" + Self.fileName
        self.index = index
        self.state = state
        self.mailbox = mailbox
        let writer = ArchiveWriter(path: path, state: state, index: index, clock: clock)
        thread = OSThread.start("cache-archive") {
            var writer = writer
            while let work = mailbox.take(waiting: delay) { writer.accept(work) }
            writer.close()
        }
    }

    deinit { mailbox.close() }

    /// Offers an answer to keep, in place of what the key has now: one that L2 evicts, or a newer one. Never blocks;
    /// it can be read after the next commit. What finds no room is dropped and counted.
    package func admit(_ key: CacheKey, _ answer: CachedAnswer) {
        let weight = answer.weight
        let isTaken = state.withLock { state -> Bool in
            guard state.statistics.isOn else { return false }
            guard weight <= state.budget / 4 else {
                state.statistics.tooLarge += 1
                return false
            }
            guard state.database != nil, state.statistics.waiting < Self.waitingMax,
                state.waitingBytes + weight <= Self.waitingBytesMax.bytes
            else {
                state.statistics.dropped += 1
                return false
            }
            state.statistics.waiting += 1
            state.waitingBytes += weight
            return true
        }
        guard isTaken, !mailbox.offer(.admit(key, answer)) else { return }
        state.withLock {
            $0.statistics.waiting -= 1
            $0.waitingBytes -= weight
            $0.statistics.dropped += 1
        }
    }

    /// Notes a use of an answer (a fill, or a hit above) and admits it at its second, unless it is here already.
    package func admitOnSecondUse(_ key: CacheKey, _ answer: CachedAnswer) {
        guard !index.layers(holding: key).contains(.l3), secondUse.withLock({ $0.isSecondUse(of: key) }) else { return }
        admit(key, answer)
    }

    /// The answer kept under the key, with the life it has left; nil when there is none, it is unusable by `now`, its
    /// bytes are not as written, or the layer is off. Blocks.
    /// - Throws: `SQLiteFailure` for trouble that may pass, `DatabaseFailure`. Damage is no error but a miss.
    package func answer(for key: CacheKey, now: UnixTime) throws -> CachedAnswer? {
        guard let database = state.withLock({ $0.statistics.isOn ? $0.database : nil }) else { return nil }
        do {
            let found = try database.read { try AnswerTable.find(key, $0) }
            if let found, found.answer == nil {
                state.withLock { $0.statistics.corrupt += 1 }
                remove(CacheSelector(.key(key), tenant: nil)) { _ in }
            }
            guard let found, let answer = found.answer, now < answer.facts.usableUntil else {
                state.withLock { $0.statistics.misses += 1 }
                return nil
            }
            state.withLock {
                $0.statistics.hits += 1
                if $0.used.count < Self.usedMax { $0.used.insert(found.id) }
            }
            return answer
        } catch {
            state.withLock { $0.statistics.misses += 1 }
            guard noteDamage(error, database) else { throw error }
            return nil
        }
    }

    /// Deletes what the selector takes, waiting answers included, also while the layer is off.
    /// - Parameter completion: gets how many went, on the layer's thread, once the deletion has been synced; or why
    ///   not. Everything of every tenant goes with the file itself.
    package func remove(_ selector: CacheSelector, completion: @escaping @Sendable (Result<Int, any Error>) -> Void) {
        guard mailbox.offer(.remove(selector, completion)) else {
            return completion(.failure(refusal))
        }
        mailbox.wake()
    }

    /// Empties the layer, as `remove` of all.
    package func clear(completion: @escaping @Sendable (Result<Int, any Error>) -> Void) {
        remove(CacheSelector(.all, tenant: nil), completion: completion)
    }

    /// Takes effect at once for what is offered; a smaller file follows in slices.
    package func setBudget(_ budget: ByteCount) {
        state.withLock { $0.budget = budget.bytes }
        mailbox.wake()
    }

    /// Off: nothing is served or admitted, and the file stays as it is.
    package func setOn(_ isOn: Bool) { state.withLock { $0.statistics.isOn = isOn } }

    package var statistics: ArchiveStatistics { state.withLock { $0.statistics } }

    /// The newest entries, of all tenants or one. Blocks. At most `Limits.requestLogPageMax`.
    /// - Throws: `SQLiteFailure`, `DatabaseFailure`.
    package func recent(limit: Int, tenant: String? = nil) throws -> [ArchivedAnswer] {
        try query { try AnswerTable.recent(limit: min(max(1, limit), Limits.requestLogPageMax), tenant: tenant, $0) }
    }

    /// Sums by model, the one with most entries first, of all tenants or one. Blocks; O(entries).
    /// - Throws: `SQLiteFailure`, `DatabaseFailure`.
    package func totals(tenant: String? = nil) throws -> [ArchivedModel] {
        try query { try AnswerTable.totals(tenant: tenant, $0) }
    }

    /// Waits until everything offered before is committed or dropped. For shutdown and tests. Blocks.
    /// - Throws: `DatabaseFailure` when the layer is closed or far behind.
    package func flush() throws {
        let done = Handover<Void>()
        guard mailbox.offer(.flush(done)) else { throw refusal }
        mailbox.wake()
        try done.take()
    }

    /// Writes what waits and closes the file. Blocks.
    package func close() {
        let wasClosed = isClosed.withLock { closed in
            defer { closed = true }
            return closed
        }
        guard !wasClosed else { return }
        mailbox.close()
        thread.join()
    }

    private var refusal: DatabaseFailure { isClosed.withLock { $0 } ? .closed(path: path) : .writerBehind(path: path) }

    private func query<Rows>(_ body: (Connection) throws -> [Rows]) throws -> [Rows] {
        guard let database = state.withLock({ $0.database }) else { return [] }
        do {
            return try database.read(body)
        } catch {
            guard noteDamage(error, database) else { throw error }
            return []
        }
    }

    /// Whether the error was damage, which the writer then deals with, or a file that was just given up.
    private func noteDamage(_ error: any Error, _ database: Database) -> Bool {
        if case .closed? = error as? DatabaseFailure { return true }
        guard let failure = error as? SQLiteFailure, failure.isDamage else { return false }
        state.withLock { if $0.database === database { $0.isDamaged = true } }
        mailbox.wake()
        return true
    }
}
