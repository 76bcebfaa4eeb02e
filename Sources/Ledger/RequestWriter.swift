internal import Base
internal import SQLite

/// What travels to the log's thread.
enum LogItem: Sendable {
    case row(RequestRecord)
    /// Asks to be told when everything before it is committed.
    case flush(Handover<Void>)
}

/// Turns what the mailbox holds into commits. Lives on the log's thread; time comes from outside.
struct RequestWriter {
    /// How long a full disk is left alone.
    static let retryDelay = Duration.seconds(1)

    private let store: RequestStore
    /// Rows taken and not yet committed; at most `Limits.ledgerMailboxRows`.
    private var waiting: [RequestRecord] = []
    private var retryAt = MonotonicInstant(nanoseconds: 0)

    init(store: RequestStore) { self.store = store }

    mutating func accept(_ items: [LogItem], now: MonotonicInstant) {
        var marks: [Handover<Void>] = []
        for item in items {
            switch item {
            case .row(let record) where waiting.count < Limits.ledgerMailboxRows: waiting.append(record)
            case .row: store.countDropped(1)
            case .flush(let mark): marks.append(mark)
            }
        }
        guard !marks.isEmpty || now >= retryAt else { return }
        let result = Result { try commit(now: now) }
        for mark in marks { mark.put(result) }
    }

    /// The last try, at the end; what cannot be written is counted as dropped.
    mutating func finish(now: MonotonicInstant) {
        do { try commit(now: now) } catch { store.countDropped(waiting.count) }
        waiting.removeAll()
    }

    /// Writes everything that waits, a bounded number of rows a commit.
    /// - Throws: why rows are left; they are tried again after `retryDelay`.
    private mutating func commit(now: MonotonicInstant) throws {
        precondition(waiting.count <= Limits.ledgerMailboxRows)
        while !waiting.isEmpty {
            let rows = waiting.prefix(Limits.ledgerBatchRows)
            do {
                try insert(rows)
            } catch let failure as SQLiteFailure where !failure.mayPass && !failure.isCorrupt {
                store.countDropped(rows.count)  // these rows would fail again, and hold up all that follow
            } catch {
                retryAt = now.advanced(by: Self.retryDelay)
                throw error
            }
            waiting.removeFirst(rows.count)
        }
    }

    /// A damaged file was moved aside by the failure: the same rows go into the new one.
    private func insert(_ rows: ArraySlice<RequestRecord>) throws {
        do {
            try store.insert(rows)
        } catch let failure as SQLiteFailure where failure.isCorrupt {
            try store.insert(rows)
        }
    }
}
