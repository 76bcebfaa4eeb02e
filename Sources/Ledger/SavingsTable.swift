internal import Base
internal import SQLite

/// Whose savings of which day. No key and no model are the empty text, because NULL equals nothing.
struct SavingsKey: Hashable {
    var day: Int
    var tenant: String
    var keyID: String
    var model: String

    /// A failed request's model is what the client made up: it must not make a row of its own for a year.
    init(_ record: RequestRecord) {
        let isServed = record.status < 400 || record.usage != nil
        day = record.time.day
        tenant = RequestTable.cut(record.tenant)
        keyID = RequestTable.cut(record.keyID ?? "")
        model = RequestTable.cut(record.modelAnswered ?? (isServed ? record.modelRequested : nil) ?? "")
    }
}

/// Daily sums by tenant, key and model, written with the rows they add up and kept when those are long gone.
enum SavingsTable {
    /// A year and a month, to compare this month with the same one before.
    static let daysKept: Int64 = 400

    static let migration = Migration(
        "savings",
        up: """
            CREATE TABLE savings(
                day INTEGER NOT NULL, tenant TEXT NOT NULL, key_id TEXT NOT NULL, model TEXT NOT NULL,
                requests INTEGER NOT NULL,
                billed_requests INTEGER NOT NULL, billed_input INTEGER NOT NULL, billed_output INTEGER NOT NULL,
                billed_nanodollars INTEGER NOT NULL,
                cached_requests INTEGER NOT NULL, cached_input INTEGER NOT NULL, cached_output INTEGER NOT NULL,
                cached_nanodollars INTEGER NOT NULL,
                coalesced_requests INTEGER NOT NULL, coalesced_input INTEGER NOT NULL,
                coalesced_output INTEGER NOT NULL, coalesced_nanodollars INTEGER NOT NULL,
                prompt_cached_tokens INTEGER NOT NULL, prompt_cached_nanodollars INTEGER NOT NULL,
                PRIMARY KEY(day, tenant, key_id, model)
            ) STRICT, WITHOUT ROWID
            """,
        down: "DROP TABLE savings")

    /// The sums of a batch: a few rows, whatever its size.
    static func sums(of records: ArraySlice<RequestRecord>) -> [SavingsKey: Savings] {
        precondition(records.count <= Limits.ledgerBatchRows, "one commit holds a bounded number of rows")
        var sums: [SavingsKey: Savings] = [:]
        for record in records { sums[SavingsKey(record), default: Savings()].add(record) }
        return sums
    }

    /// Adds a batch's sums to the table's.
    static func add(_ sums: [SavingsKey: Savings], _ connection: Connection) throws {
        precondition(sums.count <= Limits.ledgerBatchRows)
        for (key, savings) in sums {
            var total =
                try connection.first(
                    "SELECT * FROM savings WHERE day = ?1 AND tenant = ?2 AND key_id = ?3 AND model = ?4", key.day,
                    key.tenant, key.keyID, key.model, row: { Self.savings($0, from: 4) }) ?? Savings()
            total.add(savings)
            try connection.run(
                """
                REPLACE INTO savings VALUES (
                    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
                """, key.day, key.tenant, key.keyID, key.model, total.requests, total.billed.requests,
                total.billed.inputTokens, total.billed.outputTokens, total.billed.nanodollars, total.cached.requests,
                total.cached.inputTokens, total.cached.outputTokens, total.cached.nanodollars,
                total.coalesced.requests, total.coalesced.inputTokens, total.coalesced.outputTokens,
                total.coalesced.nanodollars, total.promptCachedTokens, total.promptCachedNanodollars)
        }
    }

    static func select(
        since: UnixTime, tenant: String?, by grouping: SavingsGrouping, limit: Int, _ connection: Connection
    ) throws -> [SavingsRow] {
        precondition(limit > 0)
        return try connection.rows(
            """
            SELECT iif(?3, day, NULL), iif(?4, tenant, NULL), iif(?4, nullif(key_id, ''), NULL),
                iif(?5, nullif(model, ''), NULL), sum(requests),
                sum(billed_requests), sum(billed_input), sum(billed_output), sum(billed_nanodollars),
                sum(cached_requests), sum(cached_input), sum(cached_output), sum(cached_nanodollars),
                sum(coalesced_requests), sum(coalesced_input), sum(coalesced_output), sum(coalesced_nanodollars),
                sum(prompt_cached_tokens), sum(prompt_cached_nanodollars)
            FROM savings WHERE day >= ?1 AND (?2 IS NULL OR tenant = ?2)
            GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC, 2, 3, 4 LIMIT ?6
            """,
            since.day, tenant, grouping.contains(.day), grouping.contains(.key), grouping.contains(.model), limit
        ) { statement in
            SavingsRow(
                day: statement.optionalInteger(0).map { Int($0) }, tenant: statement.optionalText(1),
                keyID: statement.optionalText(2), model: statement.optionalText(3),
                savings: savings(statement, from: 4))
        }
    }

    /// Deletes the days before that of `time`. Asked every hour, that is one day's rows once a day.
    static func prune(before time: UnixTime, _ connection: Connection) throws {
        try connection.run("DELETE FROM savings WHERE day < ?1", time.day)
    }

    private static func savings(_ statement: borrowing Statement, from column: Int) -> Savings {
        var savings = Savings()
        savings.requests = Int(statement.integer(column))
        savings.billed = sums(statement, from: column + 1)
        savings.cached = sums(statement, from: column + 5)
        savings.coalesced = sums(statement, from: column + 9)
        savings.promptCachedTokens = Int(statement.integer(column + 13))
        savings.promptCachedNanodollars = statement.integer(column + 14)
        return savings
    }

    private static func sums(_ statement: borrowing Statement, from column: Int) -> SavingsSums {
        var sums = SavingsSums()
        sums.requests = Int(statement.integer(column))
        sums.inputTokens = Int(statement.integer(column + 1))
        sums.outputTokens = Int(statement.integer(column + 2))
        sums.nanodollars = statement.integer(column + 3)
        return sums
    }
}
