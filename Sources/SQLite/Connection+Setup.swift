internal import Base
internal import CSQLite

extension Connection {
    /// Guards first, then the journal. Readers never checkpoint; and while a WAL is left from an unclean stop, no close
    /// does before `allowCheckpointOnClose`: a file that turns out damaged keeps every byte.
    func configure(_ options: Options) throws(SQLiteFailure) {
        deadline.attach(to: handle)
        if options.access == .readOnly || DatabaseFile.size(path + "-wal") != nil {
            try check(weir_sqlite_no_checkpoint_on_close(handle))
        }
        try check(weir_sqlite_defensive(handle))
        try check(sqlite3_busy_timeout(handle, Int32(clamping: options.busyTimeout.wholeMilliseconds)))
        try execute(
            """
            PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
            PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;
            """)
        switch options.durability {
        case .full: try execute("PRAGMA synchronous = FULL")
        case .normal: try execute("PRAGMA synchronous = NORMAL")
        }
        switch (options.access, options.journal) {
        case (.readOnly, _): try execute("PRAGMA query_only = ON")
        // An empty file that is being made takes the journal it is asked for; an existing one shows its own.
        case (.create, .rollback): try execute("PRAGMA journal_mode = DELETE")
        case (.create, .wal), (.readWrite, _): break
        }
    }

    /// Turns write-ahead logging on; this connection becomes the one that writes and checkpoints.
    func becomeWriter() throws {
        let mode = try withStatement("PRAGMA journal_mode = WAL") { statement in
            try statement.step() ? statement.text(0) : ""
        }
        guard mode == "wal" else {
            throw SQLiteFailure(
                extended: SQLITE_IOERR, detail: "this file system has no shared memory for a WAL", path: path)
        }
        // Checkpoints are ours to time; and a WAL that grew once must not stay large.
        try execute("PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 16777216")
    }

    /// The writer's last close may checkpoint and remove the -wal file: the mark of a clean stop.
    func allowCheckpointOnClose() { _ = weir_sqlite_checkpoint_on_close(handle) }

    /// Nothing of the WAL reaches the database file any more.
    func forbidCheckpointOnClose() { _ = weir_sqlite_no_checkpoint_on_close(handle) }

    /// Runs statements that are part of the program: pragmas, migrations. Never text from outside.
    package func execute(_ script: String) throws(SQLiteFailure) {
        let result = sqlite3_exec(handle, script, nil, nil, nil)
        guard result == SQLITE_OK else { throw failure(result, sql: script) }
    }

    /// Runs one statement to its end and drops its rows.
    package func run(_ sql: StaticString, _ values: any Bindable...) throws {
        try withStatement(sql) { statement in
            try statement.bind(values)
            while try statement.step() {}
        }
    }

    /// The rows of a query, each turned into a value. The caller's LIMIT bounds them.
    package func rows<Row>(
        _ sql: StaticString, _ values: any Bindable..., row: (borrowing Statement) throws -> Row
    ) throws -> [Row] {
        try withStatement(sql) { statement in
            try statement.bind(values)
            var rows: [Row] = []
            while try statement.step() { rows.append(try row(statement)) }
            return rows
        }
    }

    /// The first row of a query, turned into a value; nil when there is none.
    package func first<Row>(
        _ sql: StaticString, _ values: any Bindable..., row: (borrowing Statement) throws -> Row
    ) throws -> Row? {
        try withStatement(sql) { statement in
            try statement.bind(values)
            return try statement.step() ? try row(statement) : nil
        }
    }

    /// All or nothing: BEGIN IMMEDIATE, then COMMIT, or ROLLBACK when the body throws. Not to be nested.
    package func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        precondition(!isInTransaction, "a transaction inside a transaction")
        try run("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try run("COMMIT")
            return result
        } catch {
            try rollback()
            throw error
        }
    }

    /// Undoes the open transaction; nothing when SQLite has already done so (disk full, I/O error).
    func rollback() throws {
        guard isInTransaction else { return }
        try run("ROLLBACK")
    }

    private func check(_ result: Int32) throws(SQLiteFailure) {
        guard result == SQLITE_OK else { throw failure(result, sql: nil) }
    }
}
