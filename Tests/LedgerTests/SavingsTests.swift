import Base
import SQLite
import Testing

@testable import Ledger

/// The daily sums of what was billed and what was saved.
struct SavingsTests {
    private static let day: Int64 = 86_400_000_000
    private static let start = 20_000 * day

    private static func record(
        _ cache: CacheResult?, at time: Int64 = start, tenant: String = "acme", key: String? = "key_1",
        model: String = "gpt-4o", cost: Int64? = nil, saved: Int64? = nil
    ) -> RequestRecord {
        RequestRecord(
            id: "r", time: UnixTime(microseconds: time), tenant: tenant, keyID: key, route: "/v1/chat/completions",
            modelRequested: "alias", modelAnswered: model, status: 200,
            usage: TokenUsage(input: 10, output: 5, cachedInput: 4), costNanodollars: cost, cacheResult: cache,
            savedNanodollars: saved, promptCachedNanodollars: 3)
    }

    private func withLog<Result>(_ records: [RequestRecord], _ body: (RequestLog) throws -> Result) throws -> Result {
        let folder = try TemporaryFolder()
        let log = try RequestLog(folder: folder.path)
        defer { log.close() }
        for record in records { log.record(record) }
        try log.flush()
        return try body(log)
    }

    private let everything = UnixTime(microseconds: 0)

    @Test("Each result counts on its side: asked of a provider, answered by the cache, answered by another's flight")
    func sides() throws {
        let records = CacheResult.allCases.map {
            Self.record($0, cost: $0.isSaved ? 0 : 100, saved: $0.isSaved ? 70 : nil)
        }
        try withLog(records + [Self.record(nil, cost: nil)]) { log in
            let rows = try log.savings(since: everything)
            let row = try #require(rows.first)
            #expect(rows.count == 1 && row.date == "2024-10-04" && row.day == 20_000)
            #expect(row.tenant == "acme" && row.keyID == "key_1" && row.model == "gpt-4o")
            let savings = row.savings
            #expect(savings.requests == 9)
            #expect(savings.billed.requests == 4 && savings.billed.nanodollars == 300)
            #expect(savings.billed.inputTokens == 40 && savings.billed.outputTokens == 20)
            #expect(savings.cached.requests == 4 && savings.cached.nanodollars == 280)
            #expect(savings.coalesced.requests == 1 && savings.coalesced.inputTokens == 10)
            #expect(savings.promptCachedTokens == 16 && savings.promptCachedNanodollars == 12, "of billed ones only")

            let summary = try #require(try log.summary(since: everything).first)
            #expect(summary.saved == 5 && summary.savedNanodollars == 350)
            #expect(summary.costNanodollars == 300 && summary.unpriced == 1)
            for result in CacheResult.allCases {
                #expect(try log.query(RequestQuery(cache: result)).map(\.record.cacheResult) == [result])
            }
        }
    }

    @Test("Sums of batches of any size equal the sums of the rows, in every grouping", arguments: 1...3)
    func equalRows(_ seed: UInt64) throws {
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        func pick<Value>(_ values: [Value]) -> Value { values[Int(random.next() % UInt64(values.count))] }
        let folder = try TemporaryFolder()
        let store = try RequestStore(path: folder.file("requests.db"))
        defer { store.close() }
        var records: [RequestRecord] = []
        for _ in 0..<40 {
            let batch = (0..<Int(random.next() % 100 + 1)).map { _ in
                var record = Self.record(
                    pick(CacheResult.allCases + [nil]), at: Self.start + Int64(random.next() % 5) * Self.day,
                    tenant: pick(["a", "b"]), key: pick(["k1", "k2", nil]), model: pick(["m1", "m2"]),
                    cost: pick([nil, Int64(random.next() % 1_000)]), saved: pick([nil, Int64(random.next() % 1_000)]))
                record.status = pick([200, 200, 499, 529])
                record.modelAnswered = pick([record.modelAnswered, nil])
                if pick([true, false, false]) { record.usage = nil }
                return record
            }
            try store.insert(batch[...])
            records += batch
        }
        for grouping in [[], .day, .key, .model, [.day, .model], [.day, .key, .model]] as [SavingsGrouping] {
            let rows = try store.read {
                try SavingsTable.select(since: everything, tenant: nil, by: grouping, limit: 1_000, $0)
            }
            #expect(rows.count == Set(rows.map { Self.label($0, grouping) }).count)
            for row in rows {
                let own = records.filter { Self.label(Self.group($0), grouping) == Self.label(row, grouping) }
                #expect(row.savings == Self.sum(own), "seed \(seed): \(Self.label(row, grouping))")
            }
            #expect(rows.reduce(0) { $0 + $1.savings.requests } == records.count, "seed \(seed)")
        }
        let ofA = try store.read {
            try SavingsTable.select(
                since: UnixTime(microseconds: Self.start + 2 * Self.day + 7), tenant: "a", by: [], limit: 1, $0)
        }
        let own = records.filter { $0.tenant == "a" && $0.time.microseconds >= Self.start + 2 * Self.day }
        #expect(ofA.map(\.savings) == [Self.sum(own)], "seed \(seed): since counts from the beginning of its day")
    }

    private static func group(_ record: RequestRecord) -> SavingsRow {
        let isServed = record.status == 200 || record.usage != nil
        return SavingsRow(
            day: Int(record.time.microseconds / day), tenant: record.tenant, keyID: record.keyID,
            model: record.modelAnswered ?? (isServed ? record.modelRequested : nil), savings: Savings())
    }

    private static func label(_ row: SavingsRow, _ grouping: SavingsGrouping) -> String {
        var parts: [String] = []
        if grouping.contains(.day) { parts.append("\(row.day ?? -1)") }
        if grouping.contains(.key) { parts.append("\(row.tenant ?? "-") \(row.keyID ?? "-")") }
        if grouping.contains(.model) { parts.append(row.model ?? "-") }
        return parts.joined(separator: " ")
    }

    /// The same sums, the plain way.
    private static func sum(_ records: [RequestRecord]) -> Savings {
        func sums(_ records: [RequestRecord], _ worth: (RequestRecord) -> Int64?) -> SavingsSums {
            var sums = SavingsSums()
            sums.requests = records.count
            sums.inputTokens = records.reduce(0) { $0 + ($1.usage?.input ?? 0) }
            sums.outputTokens = records.reduce(0) { $0 + ($1.usage?.output ?? 0) }
            sums.nanodollars = records.reduce(0) { $0 + (worth($1) ?? 0) }
            return sums
        }
        let saved = records.filter { $0.cacheResult?.isSaved == true }
        let billed = records.filter { $0.cacheResult?.isSaved != true && $0.usage != nil }
        var savings = Savings()
        savings.requests = records.count
        savings.billed = sums(billed, \.costNanodollars)
        savings.cached = sums(saved.filter { $0.cacheResult != .collapsed }, \.savedNanodollars)
        savings.coalesced = sums(saved.filter { $0.cacheResult == .collapsed }, \.savedNanodollars)
        savings.promptCachedTokens = billed.reduce(0) { $0 + ($1.usage?.cachedInput ?? 0) }
        savings.promptCachedNanodollars = billed.reduce(0) { $0 + ($1.promptCachedNanodollars ?? 0) }
        return savings
    }

    @Test("Models that a client made up share one row of the savings")
    func inventedModels() throws {
        let records = (0..<50).map { index in
            RequestRecord(
                id: "r", time: UnixTime(microseconds: Self.start), tenant: "acme", route: "/v1/chat/completions",
                modelRequested: "made-up-\(index)", status: 404)
        }
        try withLog(records) { log in
            let rows = try log.savings(since: everything)
            #expect(rows.map(\.model) == [nil] && rows.first?.savings.requests == 50)
        }
    }

    @Test("A provider that reports nonsense neither stops the log nor lowers a sum")
    func nonsense() throws {
        var mad = Self.record(.miss, cost: .max)
        mad.usage = TokenUsage(input: .max, output: .max, cachedInput: .max)
        var negative = Self.record(.l1, saved: .min)
        negative.usage = TokenUsage(input: .min, output: -1)
        let folder = try TemporaryFolder()
        let store = try RequestStore(path: folder.file("requests.db"))
        defer { store.close() }
        for _ in 0..<3 { try store.insert([mad, mad, negative, Self.record(.l1, saved: 7)]) }
        let rows = try store.read {
            try SavingsTable.select(since: everything, tenant: nil, by: .model, limit: 10, $0)
        }
        let savings = try #require(rows.first?.savings)
        #expect(savings.requests == 12 && savings.billed.inputTokens == 1 << 53)
        #expect(savings.billed.nanodollars == 1 << 53)
        #expect(savings.cached.inputTokens == 30 && savings.cached.nanodollars == 21)
        #expect(try store.read { try RequestTable.select(RequestQuery(), $0) }.count == 12)
    }

    @Test("Savings stay when their rows are pruned, for 400 days or as long as the rows")
    func pruning() throws {
        let records = [0, 1, 399, 400, 401].map { Self.record(.l1, at: Self.start + Int64($0) * Self.day, saved: 5) }
        let now = UnixTime(microseconds: Self.start + 401 * Self.day + 5)
        try withLog(records) { log in
            #expect(try log.prune(olderThan: UnixTime(microseconds: Self.start + 1), now: now) == 1)
            #expect(try log.savings(since: everything).count == 5, "the log is kept for longer than 400 days")
            #expect(try log.prune(olderThan: now, now: now) == 4)
            #expect(try log.query(RequestQuery()).isEmpty)
            let days = try log.savings(since: everything).map { ($0.day ?? 0) - 20_000 }
            #expect(days == [401, 400, 399, 1], "newest first, and only what is older than 400 days gone")
        }
    }

    @Test("The savings survive a restart, and a damaged file is begun anew with their table")
    func damaged() throws {
        let folder = try TemporaryFolder()
        let log = try RequestLog(folder: folder.path)
        log.record(Self.record(.l2, saved: 9))
        log.close()
        let again = try RequestLog(folder: folder.path)
        #expect(try again.savings(since: everything).first?.savings.cached.nanodollars == 9)
        again.close()
        var bytes = try #require(try folder.contents()["requests.db"])
        bytes[0] ^= 1
        try folder.write(bytes, to: "requests.db")
        let next = try RequestLog(folder: folder.path)
        #expect(next.movedAside != nil)
        #expect(try next.savings(since: everything).isEmpty)
        next.record(Self.record(.collapsed, saved: 11))
        try next.flush()
        #expect(try next.savings(since: everything).map(\.savings.coalesced.nanodollars) == [11])
        next.close()
    }

    @Test("A commit that fails adds to neither rows nor savings")
    func oneCommit() throws {
        let folder = try TemporaryFolder()
        let store = try RequestStore(path: folder.file("requests.db"))
        defer { store.close() }
        try store.insert([Self.record(.l1, saved: 1)])
        let other = try Connection(
            path: store.path,
            options: .init(access: .readWrite, journal: .wal, durability: .normal, busyTimeout: .seconds(5)))
        try other.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON savings BEGIN SELECT raise(ABORT, 'says the test'); END")
        #expect(throws: SQLiteFailure.self) { try store.insert([Self.record(.l1, saved: 1)]) }
        #expect(try store.read { try RequestTable.select(RequestQuery(), $0) }.count == 1)
        try other.execute("DROP TRIGGER refuse")
        try store.insert([Self.record(.l1, saved: 1)])
        let rows = try store.read { try SavingsTable.select(since: everything, tenant: nil, by: [], limit: 1, $0) }
        #expect(rows.map(\.savings.cached.requests) == [2])
    }

    @Test("A log of the first format keeps its rows on the way up, down and up again")
    func migration() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("requests.db")
        let first = Migrations([RequestTable.migrations.steps[0]])
        try Database(path: path, durability: .normal, migrations: first, threadName: "old").close()
        let old = try Connection(
            path: path, options: .init(access: .readWrite, journal: .wal, durability: .normal, busyTimeout: .seconds(5))
        )
        try old.execute(
            """
            INSERT INTO requests(row_id, request_id, time, tenant, route, status, is_stream, duration_us, overhead_us,
                wait_us, bytes_in, bytes_out, sends, is_usage_estimated)
            VALUES (5, 'old', 5, 'acme', '/v1/messages', 200, 0, 1, 1, 1, 1, 1, 1, 0)
            """)
        let up = try RequestStore(path: path)
        try up.insert([Self.record(.l3, saved: 4)])
        let rows = try up.read { try RequestTable.select(RequestQuery(), $0) }
        #expect(rows.map(\.record.id) == ["r", "old"])
        #expect(rows.map(\.record.cacheResult) == [.l3, nil] && rows.first?.record.savedNanodollars == 4)
        up.close()

        #expect(try DatabaseFile.migrate(path, migrations: RequestTable.migrations, to: 1).from == 3)
        let down = try Database(path: path, durability: .normal, migrations: first, threadName: "old")
        #expect(try down.read { try $0.rows("SELECT request_id FROM requests") { $0.text(0) } } == ["old", "r"])
        #expect(try down.read { try $0.rows("SELECT name FROM sqlite_schema") { $0.text(0) } } == ["requests"])
        #expect(try down.read { try $0.rows("SELECT * FROM pragma_table_info('requests')") { $0.text(1) } }.count == 27)
        down.close()

        let again = try RequestStore(path: path)
        #expect(try again.read { try RequestTable.select(RequestQuery(), $0) }.map(\.record.cacheResult) == [nil, nil])
        again.close()
    }
}
