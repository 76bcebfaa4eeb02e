import Base
import SQLite

/// Everything that changes the file, on the archive's one thread. A batch is one commit.
struct ArchiveWriter: Sendable {
    /// Slices a commit, and commits a round, that deletions may take: what waits comes first.
    private static let slicesEach = 16
    private static let commitsEach = 64
    private static let removedEach = 1_024
    private static let sweepInterval = Duration.seconds(5)

    let file: ArchiveFile
    let state: Locked<ArchiveState>
    let index: FingerprintIndex
    private let clock: @Sendable () -> UnixTime
    var table = AnswerTable()
    /// Of the open file; nil while there is none.
    var identity: UInt64?
    var retryAt = MonotonicInstant(nanoseconds: 0)
    private var sweepAt = MonotonicInstant(nanoseconds: 0)

    /// Opens the file. Blocks.
    init(
        path: String, state: Locked<ArchiveState>, index: FingerprintIndex, clock: @escaping @Sendable () -> UnixTime
    ) {
        file = ArchiveFile(path: path)
        self.state = state
        self.index = index
        self.clock = clock
        open()
    }

    mutating func accept(_ work: [ArchiveWork]) {
        inspect()
        trim()
        var batch: [(CacheKey, CachedAnswer)] = [], weight = 0
        for item in work {
            switch item {
            case .admit(let key, let answer):
                // A batch must leave most of a small layer where it is.
                if weight + answer.weight > state.withLock({ $0.budget }) / 4 { store(&batch, &weight) }
                batch.append((key, answer))
                weight += answer.weight
            case .remove(let selector, let completion):
                store(&batch, &weight)
                completion(Result { try attempt { try $0.remove(selector) } })
            case .flush(let done):
                store(&batch, &weight)
                done.put(.success(()))
            }
        }
        store(&batch, &weight)
    }

    private mutating func store(_ batch: inout [(CacheKey, CachedAnswer)], _ weight: inout Int) {
        guard !batch.isEmpty else { return }
        let answers = batch, bytes = weight
        (batch, weight) = ([], 0)
        let isStored = succeeds { try $0.attempt(adding: bytes) { try $0.insert(answers, bytes) } }
        state.withLock {
            $0.statistics.waiting -= answers.count
            $0.waitingBytes -= bytes
            if !isStored { $0.statistics.dropped += answers.count }
        }
    }

    private mutating func insert(_ answers: [(CacheKey, CachedAnswer)], _ bytes: Int) throws {
        let budget = state.withLock { $0.budget }, now = clock(), wasUsed = wasUsed
        let slices = 2 + (table.entries + answers.count) / AnswerTable.sliceRows * 2  // all, were each spared once
        try write { table, connection in
            try table.evict(budget, adding: bytes, now: now, slices: slices, wasUsed: wasUsed, connection)
            for (key, answer) in answers { try table.insert(key, answer, connection) }
            try table.shrink(budget, connection)
            try table.evict(budget, now: now, slices: slices, wasUsed: wasUsed, connection)
        }
    }

    private mutating func remove(_ selector: CacheSelector) throws -> Int {
        if case .all = selector.what, selector.tenant == nil {
            let count = table.entries
            reopen { try $0.discard() }
            guard identity != nil else { throw DatabaseFailure.closed(path: file.path) }
            return count
        }
        let limit = Self.removedEach
        var total = 0, last = Int64.min, count = limit
        while count == limit {
            let after = last
            (count, last) = try write { try $0.remove(selector, after: after, limit: limit, $1) }
            total += count
        }
        return total
    }

    /// Goes on towards a budget that was lowered, and now and then deletes what has expired.
    private mutating func trim() {
        let budget = state.withLock { $0.budget }, now = clock(), wasUsed = wasUsed, instant = MonotonicInstant.now()
        for _ in 0..<Self.commitsEach where identity != nil && (!table.fits(budget) || table.isSlack(budget)) {
            let fileBytes = table.fileBytes
            let isDone = attemptWrite { table, connection in
                try table.evict(budget, now: now, slices: Self.slicesEach, wasUsed: wasUsed, connection)
                try table.shrink(budget, connection)
            }
            guard isDone else { return }
            if table.fits(budget), table.fileBytes == fileBytes { break }  // nothing that can be given back
        }
        guard identity != nil, instant >= sweepAt else { return }
        sweepAt = instant.advanced(by: Self.sweepInterval)
        _ = attemptWrite { table, connection in
            for _ in 0..<Self.slicesEach where try table.expire(now, connection) < AnswerTable.sliceRows { return }
        }
    }

    private var wasUsed: @Sendable (Int64) -> Bool {
        { [state] id in state.withLock { $0.used.remove(id) != nil } }
    }

    /// One commit. The table's sums, the index and the statistics follow when it is durable.
    mutating func write<Value: Sendable>(
        _ body: @escaping @Sendable (inout AnswerTable, Connection) throws -> Value
    ) throws -> Value {
        guard let database = state.withLock({ $0.database }) else { throw DatabaseFailure.closed(path: file.path) }
        let before = table
        let (after, value) = try database.write { connection in
            var table = before
            let value = try body(&table, connection)
            return (table, value)
        }
        table = after
        for change in table.changes {
            if change.isHere { index.insert(change.key, .l3) } else { index.remove(change.key, .l3) }
        }
        publish()
        return value
    }

    mutating func publish() {
        state.withLock { [table] in
            $0.statistics.entries = table.entries
            $0.statistics.bytes = table.bytes
            $0.statistics.fileBytes = table.fileBytes
            $0.statistics.evictions += table.evictions
            $0.statistics.expirations += table.expirations
        }
        (table.changes, table.evictions, table.expirations) = ([], 0, 0)
    }

    /// Where nobody waits for the result: the reason of a failure goes into the statistics.
    private mutating func succeeds(_ body: (inout Self) throws -> Void) -> Bool {
        do {
            try body(&self)
            return true
        } catch {
            state.withLock { $0.statistics.failure = "\(error)" }
            return false
        }
    }

    private mutating func attemptWrite(
        _ body: @escaping @Sendable (inout AnswerTable, Connection) throws -> Void
    ) -> Bool {
        succeeds { try $0.attempt { try $0.write(body) } }
    }

    /// Tries twice; in between, trouble with the file is dealt with.
    /// - Parameter bytes: of the answers that come, to make room for on a full disk.
    private mutating func attempt<Value>(adding bytes: Int = 0, _ body: (inout Self) throws -> Value) throws -> Value {
        do {
            return try body(&self)
        } catch let failure as SQLiteFailure {
            if failure.isFailedSync {
                reopen { _ in }
            } else if failure.code == "database_disk_full" {
                makeRoom(bytes)
            } else if failure.isDamage || failure.code == "database_read_only" {
                recreate { try $0.moveAside(time: UnixTime.now()) }
            } else {
                throw failure
            }
            return try body(&self)
        }
    }

    /// On a full disk an eighth of the answers go, or what comes and a quarter more, and their pages are used again;
    /// when even that cannot be written, or nothing is left, the file goes.
    private mutating func makeRoom(_ bytes: Int) {
        let goal = max(0, table.bytes - max(table.bytes / 8, bytes + bytes / 4)), now = clock()
        let slices = 2 + table.entries / AnswerTable.sliceRows
        let isDone = succeeds {
            try $0.write { try $0.evict(goal, now: now, slices: slices, wasUsed: { _ in false }, $1) }
        }
        if !isDone || table.entries == 0 { recreate { try $0.discard() } }
    }
}
