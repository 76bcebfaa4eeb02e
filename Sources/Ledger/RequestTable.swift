internal import Base
internal import SQLite

/// The request log's table: schema and SQL.
///
/// There is one index, the row id, and it is in time order: a secondary index would cost a random page write a row,
/// more than all else of the insert, for queries that a person makes now and then over a recent stretch of time.
enum RequestTable {
    static let migrations = Migrations([
        Migration(
            "requests",
            up: """
                CREATE TABLE requests(
                    row_id INTEGER PRIMARY KEY, request_id TEXT NOT NULL, time INTEGER NOT NULL, tenant TEXT NOT NULL,
                    key_id TEXT, route TEXT NOT NULL, model_requested TEXT, model_answered TEXT, provider TEXT,
                    status INTEGER NOT NULL, is_stream INTEGER NOT NULL, input INTEGER, output INTEGER,
                    cached_input INTEGER, cache_write_5m INTEGER, cache_write_1h INTEGER, reasoning INTEGER,
                    cost_nanodollars INTEGER, duration_us INTEGER NOT NULL, first_byte_us INTEGER,
                    overhead_us INTEGER NOT NULL, wait_us INTEGER NOT NULL, bytes_in INTEGER NOT NULL,
                    bytes_out INTEGER NOT NULL, error_code TEXT, sends INTEGER NOT NULL,
                    is_usage_estimated INTEGER NOT NULL
                ) STRICT
                """,
            down: "DROP TABLE requests"),
        Migration(
            "requests_cache",
            up: """
                ALTER TABLE requests ADD COLUMN cache_result TEXT;
                ALTER TABLE requests ADD COLUMN cache_detail TEXT;
                ALTER TABLE requests ADD COLUMN saved_nanodollars INTEGER;
                ALTER TABLE requests ADD COLUMN prompt_cached_nanodollars INTEGER
                """,
            down: """
                ALTER TABLE requests DROP COLUMN prompt_cached_nanodollars;
                ALTER TABLE requests DROP COLUMN saved_nanodollars;
                ALTER TABLE requests DROP COLUMN cache_detail;
                ALTER TABLE requests DROP COLUMN cache_result
                """),
        SavingsTable.migration,
    ])

    /// Longer text is cut: a client chooses the model's name, and a row must stay small.
    private static let textBytesMax = 256

    /// Adds the rows in order. A row id is its time in microseconds, or one more than the last: unique, never falling,
    /// never before its time, so that a range of times is a range of row ids.
    static func insert(_ records: ArraySlice<RequestRecord>, _ connection: Connection) throws {
        precondition(records.count <= Limits.ledgerBatchRows, "one commit holds a bounded number of rows")
        var last = try connection.first("SELECT max(row_id) FROM requests") { $0.integer(0) } ?? 0
        try connection.withStatement(
            """
            INSERT INTO requests VALUES (
                ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)
            """
        ) { statement in
            for record in records {
                last = max(last + 1, record.time.microseconds)
                try bind(record, rowID: last, statement)
                _ = try statement.step()
                statement.reset()
            }
        }
    }

    private static func bind(_ record: RequestRecord, rowID: Int64, _ statement: borrowing Statement) throws {
        try statement.bind(rowID, at: 1)
        try statement.bind(cut(record.id), at: 2)
        try statement.bind(record.time.microseconds, at: 3)
        try statement.bind(cut(record.tenant), at: 4)
        try statement.bind(record.keyID.map(cut), at: 5)
        try statement.bind(cut(record.route), at: 6)
        try statement.bind(record.modelRequested.map(cut), at: 7)
        try statement.bind(record.modelAnswered.map(cut), at: 8)
        try statement.bind(record.provider.map(cut), at: 9)
        try statement.bind(record.status, at: 10)
        try statement.bind(record.isStream, at: 11)
        try statement.bind(record.usage?.input, at: 12)
        try statement.bind(record.usage?.output, at: 13)
        try statement.bind(record.usage?.cachedInput, at: 14)
        try statement.bind(record.usage?.cacheWrite5m, at: 15)
        try statement.bind(record.usage?.cacheWrite1h, at: 16)
        try statement.bind(record.usage?.reasoning, at: 17)
        try statement.bind(record.costNanodollars, at: 18)
        try statement.bind(record.durationMicroseconds, at: 19)
        try statement.bind(record.firstByteMicroseconds, at: 20)
        try statement.bind(record.overheadMicroseconds, at: 21)
        try statement.bind(record.waitMicroseconds, at: 22)
        try statement.bind(record.bytesIn, at: 23)
        try statement.bind(record.bytesOut, at: 24)
        try statement.bind(record.errorCode.map(cut), at: 25)
        try statement.bind(record.sends, at: 26)
        try statement.bind(record.isUsageEstimated, at: 27)
        try statement.bind(record.cacheResult?.rawValue, at: 28)
        try statement.bind(record.cacheDetail.map(cut), at: 29)
        try statement.bind(record.savedNanodollars, at: 30)
        try statement.bind(record.promptCachedNanodollars, at: 31)
    }

    static func cut(_ text: String) -> String {
        text.utf8.count <= textBytesMax ? text : String(decoding: text.utf8.prefix(textBytesMax), as: UTF8.self)
    }

    /// The columns in the table's own order.
    private static func row(_ statement: borrowing Statement) -> StoredRequest {
        var record = RequestRecord(
            id: statement.text(1), time: UnixTime(microseconds: statement.integer(2)), tenant: statement.text(3),
            keyID: statement.optionalText(4), route: statement.text(5), modelRequested: statement.optionalText(6),
            modelAnswered: statement.optionalText(7), provider: statement.optionalText(8),
            status: Int(statement.integer(9)), isStream: statement.integer(10) != 0)
        if !statement.isNull(11) { record.usage = usage(statement, from: 11) }
        record.costNanodollars = statement.optionalInteger(17)
        record.durationMicroseconds = statement.integer(18)
        record.firstByteMicroseconds = statement.optionalInteger(19)
        record.overheadMicroseconds = statement.integer(20)
        record.waitMicroseconds = statement.integer(21)
        record.bytesIn = Int(statement.integer(22))
        record.bytesOut = Int(statement.integer(23))
        record.errorCode = statement.optionalText(24)
        record.sends = Int(statement.integer(25))
        record.isUsageEstimated = statement.integer(26) != 0
        record.cacheResult = statement.optionalText(27).flatMap { CacheResult(rawValue: $0) }
        record.cacheDetail = statement.optionalText(28)
        record.savedNanodollars = statement.optionalInteger(29)
        record.promptCachedNanodollars = statement.optionalInteger(30)
        return StoredRequest(rowID: statement.integer(0), record: record)
    }

    private static func usage(_ statement: borrowing Statement, from column: Int) -> TokenUsage {
        TokenUsage(
            input: Int(statement.integer(column)), output: Int(statement.integer(column + 1)),
            cachedInput: Int(statement.integer(column + 2)), cacheWrite5m: Int(statement.integer(column + 3)),
            cacheWrite1h: Int(statement.integer(column + 4)), reasoning: Int(statement.integer(column + 5)))
    }

    static func select(_ query: RequestQuery, _ connection: Connection) throws -> [StoredRequest] {
        try connection.rows(
            """
            SELECT * FROM requests
            WHERE row_id < ?1 AND row_id >= ?2 AND time >= ?2 AND (?3 IS NULL OR tenant = ?3)
                AND (?4 IS NULL OR model_requested = ?4 OR model_answered = ?4) AND (?5 IS NULL OR status = ?5)
                AND (?6 IS NULL OR cache_result = ?6)
            ORDER BY row_id DESC LIMIT ?7
            """,
            query.before ?? Int64.max, query.since?.microseconds ?? 0, query.tenant, query.model, query.status,
            query.cache?.rawValue, query.limit, row: row)
    }

    static func summary(since: UnixTime, tenant: String?, _ connection: Connection) throws -> [ModelSummary] {
        try connection.rows(
            """
            SELECT coalesce(model_answered, model_requested) AS model, count(*), count(*) - count(cost_nanodollars),
                ifnull(sum(cost_nanodollars), 0), ifnull(sum(input), 0), ifnull(sum(output), 0),
                ifnull(sum(cached_input), 0), ifnull(sum(cache_write_5m), 0), ifnull(sum(cache_write_1h), 0),
                ifnull(sum(reasoning), 0), ifnull(sum(saved_nanodollars), 0),
                count(*) FILTER (WHERE cache_result IN ('l1', 'l2', 'l3', 'stale', 'collapsed'))
            FROM requests
            WHERE row_id >= ?1 AND time >= ?1 AND (?2 IS NULL OR tenant = ?2)
            GROUP BY model ORDER BY count(*) DESC, model LIMIT ?3
            """,
            since.microseconds, tenant, Limits.requestLogPageMax
        ) { statement in
            ModelSummary(
                model: statement.optionalText(0), requests: Int(statement.integer(1)),
                unpriced: Int(statement.integer(2)), usage: usage(statement, from: 4),
                costNanodollars: statement.integer(3), saved: Int(statement.integer(11)),
                savedNanodollars: statement.integer(10))
        }
    }

    /// Deletes at most `limit` of the oldest rows written before `time`; how many it were.
    static func prune(olderThan time: UnixTime, limit: Int, _ connection: Connection) throws -> Int {
        try connection.run(
            """
            DELETE FROM requests WHERE row_id IN
                (SELECT row_id FROM requests WHERE row_id < ?1 ORDER BY row_id LIMIT ?2)
            """, time.microseconds, limit)
        return connection.changedRows
    }
}
