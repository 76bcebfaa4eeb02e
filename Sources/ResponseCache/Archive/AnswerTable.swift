import Base
import NIOCore
import SQLite

/// The tables of `cache.db` and what they hold in all: a value that goes into a transaction and comes out changed.
///
/// Facts lie apart from the bytes, so that what people ask and what an invalidation looks for reads no answer. All that
/// is served comes from the bytes, whose checksum covers key and answer: a flipped column misleads nobody.
struct AnswerTable: Sendable {
    static let migrations = Migrations([
        Migration(
            "answers",
            up: """
                CREATE TABLE answers(
                    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, tenant TEXT NOT NULL, namespace TEXT NOT NULL,
                    family INTEGER NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, created INTEGER NOT NULL,
                    fresh_until INTEGER NOT NULL, usable_until INTEGER NOT NULL, bytes INTEGER NOT NULL,
                    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost_nanodollars INTEGER NOT NULL,
                    place REAL NOT NULL
                ) STRICT;
                CREATE INDEX answers_by_end ON answers(usable_until, bytes);
                CREATE INDEX answers_by_place ON answers(place);
                CREATE TABLE answer_bytes(
                    id INTEGER PRIMARY KEY REFERENCES answers ON DELETE CASCADE,
                    checksum INTEGER NOT NULL, answer BLOB NOT NULL
                ) STRICT;
                CREATE TABLE answer_tags(
                    name TEXT NOT NULL, is_collection INTEGER NOT NULL,
                    answer INTEGER NOT NULL REFERENCES answers ON DELETE CASCADE,
                    PRIMARY KEY (name, is_collection, answer)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX answer_tags_by_answer ON answer_tags(answer);
                """,
            down: "DROP TABLE answer_tags; DROP TABLE answer_bytes; DROP TABLE answers")
    ])

    /// Rows that one statement takes when room is made, so that no list grows with the file.
    static let sliceRows = 64
    /// Pages of a file without answers, not held against the budget.
    private static let emptyPages = 32
    private static let pageBytes = 4_096

    private(set) var entries = 0
    private(set) var bytes = 0
    /// The file's pages in use and all of them, in bytes.
    private var usedBytes = 0
    private(set) var fileBytes = 0
    /// The greatest place evicted.
    private var floor = 0.0
    /// What happened to keys, in order, and how often: for the index and the statistics after the commit.
    var changes: [(key: CacheKey, isHere: Bool)] = []
    var evictions = 0
    var expirations = 0

    init() {}

    /// Counts what the file holds.
    init(reading connection: Connection) throws {
        // Within bounds, as in `Gone`: a damaged number must not overflow a sum.
        let sums = try connection.first(
            "SELECT count(*), ifnull(sum(min(max(bytes, 0), 1099511627776)), 0) FROM answers"
        ) { (Int($0.integer(0)), Int($0.integer(1))) }
        (entries, bytes) = sums ?? (0, 0)
        floor = try connection.first("SELECT ifnull(min(place), 0) FROM answers") { $0.real(0) } ?? 0
        try measure(connection)
    }

    private mutating func measure(_ connection: Connection) throws {
        let pages = try connection.first("PRAGMA page_count") { Int($0.integer(0)) } ?? 0
        let free = try connection.first("PRAGMA freelist_count") { Int($0.integer(0)) } ?? 0
        usedBytes = max(0, pages - free - Self.emptyPages) * Self.pageBytes
        fileBytes = max(0, pages - Self.emptyPages) * Self.pageBytes
    }

    /// Whether the answers, and the pages they lie on, leave this much of the budget.
    func fits(_ budget: Int, adding more: Int = 0) -> Bool {
        entries == 0 || max(bytes, usedBytes) <= budget - min(budget, more)
    }

    /// Whether the file is too large for the pages in use.
    func isSlack(_ budget: Int) -> Bool { fileBytes > budget + budget / 16 && fileBytes > usedBytes }

    /// Gives up to 4 MiB of unused pages back when the file is too large.
    mutating func shrink(_ budget: Int, _ connection: Connection) throws {
        try measure(connection)
        guard isSlack(budget) else { return }
        try connection.run("PRAGMA incremental_vacuum(1024)")
        try measure(connection)
    }

    /// In place of what the key has now.
    mutating func insert(_ key: CacheKey, _ answer: CachedAnswer, _ connection: Connection) throws {
        let facts = answer.facts
        let changesBefore = changes.count
        let replaced = try delete(
            connection.rows("DELETE FROM answers WHERE key = ?1 RETURNING id, key, bytes", key.blob, row: Gone.init))
        changes.removeSubrange(changesBefore...)
        let ids = try connection.rows(
            """
            INSERT INTO answers(key, tenant, namespace, family, model, provider, created, fresh_until, usable_until,
                bytes, input_tokens, output_tokens, cost_nanodollars, place)
            VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) RETURNING id
            """,
            key.blob, facts.tenant, facts.namespace, Int(facts.family.rawValue), facts.model, facts.provider,
            facts.created.microseconds, facts.freshUntil.microseconds, facts.usableUntil.microseconds, answer.weight,
            facts.inputTokens, facts.outputTokens, facts.costNanodollars,
            place(costNanodollars: facts.costNanodollars, bytes: answer.weight)
        ) { $0.integer(0) }
        guard let id = ids.first else { preconditionFailure("an INSERT without its row") }
        var buffer = ByteBuffer()
        answer.encode(into: &buffer)
        let encoded = Array(buffer.readableBytesView)
        try connection.run(
            "INSERT INTO answer_bytes(id, checksum, answer) VALUES(?1, ?2, ?3)", id,
            Int64(Self.checksum(key, encoded)), encoded)
        for (names, isCollection) in [(facts.tags, false), (facts.collections, true)] {
            for name in Set(names) {
                try connection.run("INSERT INTO answer_tags VALUES(?1, ?2, ?3)", name, isCollection, id)
            }
        }
        entries += 1
        bytes += answer.weight
        if replaced == 0 { changes.append((key, true)) }
    }

    /// Greedy-dual: the greatest place evicted before, plus what the answer cost a byte. The old give way to the new,
    /// the cheap and large sooner than the costly and small.
    private func place(costNanodollars: Int64, bytes: Int) -> Double {
        floor + Double(max(costNanodollars, 1_000)) / Double(max(bytes, 1))
    }

    /// A deleted row, as `RETURNING id, key, bytes` tells.
    private struct Gone {
        var id: Int64
        var key: CacheKey?
        var bytes: Int

        init(_ row: borrowing Statement) {
            id = row.integer(0)
            key = CacheKey(blob: row.bytes(1))
            bytes = Int(min(max(0, row.integer(2)), 1 << 40))
        }
    }

    /// Takes deleted rows out of the sums; how many they were.
    private mutating func delete(_ gone: [Gone]) -> Int {
        for row in gone {
            entries = max(0, entries - 1)
            bytes = max(0, bytes - row.bytes)
            usedBytes = max(0, usedBytes - row.bytes)  // until it is measured again
            if let key = row.key { changes.append((key, false)) }
        }
        return gone.count
    }

    /// Deletes one slice of what has expired; how many went.
    mutating func expire(_ now: UnixTime, _ connection: Connection) throws -> Int {
        let count = try delete(
            connection.rows(
                """
                DELETE FROM answers WHERE id IN (SELECT id FROM answers WHERE usable_until <= ?1 LIMIT ?2)
                RETURNING id, key, bytes
                """, now.microseconds, Self.sliceRows, row: Gone.init))
        expirations += count
        return count
    }

    /// Makes room: expired answers first, then by place. Looks at no more than `slices` slices.
    /// - Parameter wasUsed: whether an answer was served since it was last asked; such a one gets a new place.
    mutating func evict(
        _ budget: Int, adding more: Int = 0, now: UnixTime, slices: Int, wasUsed: (Int64) -> Bool,
        _ connection: Connection
    ) throws {
        for _ in 0..<slices where !fits(budget, adding: more) {
            if try expire(now, connection) == 0 {
                let oldest = try connection.rows(
                    "SELECT id, place, cost_nanodollars, bytes FROM answers ORDER BY place LIMIT ?1", Self.sliceRows
                ) { (id: $0.integer(0), place: $0.real(1), cost: $0.integer(2), bytes: Int($0.integer(3))) }
                if oldest.isEmpty { (entries, bytes) = (0, 0) }
                for row in oldest where !fits(budget, adding: more) {
                    floor = max(floor, row.place)
                    if wasUsed(row.id) {
                        let place = place(costNanodollars: row.cost, bytes: row.bytes)
                        try connection.run("UPDATE answers SET place = ?2 WHERE id = ?1", row.id, place)
                    } else {
                        evictions += try delete(
                            connection.rows(
                                "DELETE FROM answers WHERE id = ?1 RETURNING id, key, bytes", row.id, row: Gone.init))
                    }
                }
            }
            try measure(connection)
        }
    }

    /// Deletes a slice of what a selector takes, among the rows after `id`; how many went, and the last one's id.
    mutating func remove(
        _ selector: CacheSelector, after id: Int64, limit: Int, _ connection: Connection
    ) throws -> (count: Int, last: Int64) {
        let tenant = selector.tenant
        func tagged(_ name: String, isCollection: Bool) throws -> [Gone] {
            try connection.rows(
                """
                DELETE FROM answers WHERE id IN (
                    SELECT t.answer FROM answer_tags t JOIN answers a ON a.id = t.answer
                    WHERE t.name = ?1 AND t.is_collection = ?2 AND t.answer > ?3 AND (?4 IS NULL OR a.tenant = ?4)
                    ORDER BY t.answer LIMIT ?5
                ) RETURNING id, key, bytes
                """, name, isCollection, id, tenant, limit, row: Gone.init)
        }
        func all(model: String? = nil, namespace: String? = nil) throws -> [Gone] {
            try connection.rows(
                """
                DELETE FROM answers WHERE id IN (
                    SELECT id FROM answers WHERE id > ?1 AND (?2 IS NULL OR tenant = ?2)
                        AND (?3 IS NULL OR model = ?3) AND (?4 IS NULL OR namespace = ?4) ORDER BY id LIMIT ?5
                ) RETURNING id, key, bytes
                """, id, tenant, model, namespace, limit, row: Gone.init)
        }
        let gone =
            switch selector.what {
            case .key(let key):
                try connection.rows(
                    "DELETE FROM answers WHERE key = ?1 AND (?2 IS NULL OR tenant = ?2) RETURNING id, key, bytes",
                    key.blob, tenant, row: Gone.init)
            case .tag(let name): try tagged(name, isCollection: false)
            case .collection(let name): try tagged(name, isCollection: true)
            case .model(let model): try all(model: model)
            case .namespace(let namespace): try all(namespace: namespace)
            case .all: try all()
            }
        return (delete(gone), gone.map(\.id).max() ?? id)
    }
}
