internal import Base

/// The connections that read one database: opened when first needed, at most `limit`, each lent to one thread at a
/// time. They cannot write (opened read-only, `query_only`) and never checkpoint.
final class ReaderPool: @unchecked Sendable {  // `idle`, `lent`, `isClosed` are guarded by `monitor`
    /// A read ends after this: longer ones would keep the WAL from being reset.
    static let readTimeMax = Duration.seconds(10)

    private let path: String
    private let limit: Int
    private let monitor = Monitor()
    /// A connection is here or with one borrower, never both.
    private var idle: [Connection] = []
    private var lent = 0
    private var isClosed = false

    init(path: String, limit: Int) {
        precondition(limit > 0)
        self.path = path
        self.limit = limit
    }

    func read<Result>(_ body: (Connection) throws -> Result) throws -> Result {
        var connection = try borrow()
        defer { giveBack(connection) }
        let reader: Connection
        if let connection {
            reader = connection
        } else {
            reader = try Connection(
                path: path,
                options: .init(access: .readOnly, journal: .wal, durability: .normal, busyTimeout: .seconds(5)))
            connection = reader
        }
        reader.deadline.set(MonotonicInstant.now().advanced(by: Self.readTimeMax))
        defer { reader.deadline.clear() }
        return try body(reader)
    }

    /// No read starts any more; waits for those under way and closes every connection.
    func close() {
        monitor.withLock {
            isClosed = true
            monitor.signalAll()
            // Reads end by their deadline; one that ignores it keeps its connection, which never checkpoints.
            _ = monitor.wait(atMost: Self.readTimeMax + .seconds(5)) { lent == 0 }
            idle.removeAll()
        }
    }

    /// A place and, when there is one, an open connection.
    private func borrow() throws -> Connection? {
        try monitor.withLock {
            guard monitor.wait(atMost: Self.readTimeMax, until: { isClosed || lent < limit }) else {
                throw DatabaseFailure.readersBusy(path: path)
            }
            guard !isClosed else { throw DatabaseFailure.closed(path: path) }
            lent += 1
            return idle.popLast()
        }
    }

    private func giveBack(_ connection: Connection?) {
        monitor.withLock {
            precondition(lent > 0)
            lent -= 1
            if let connection, !isClosed { idle.append(connection) }
            if isClosed { monitor.signalAll() } else { monitor.signal() }
        }
    }
}
