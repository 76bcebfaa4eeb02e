import Base
import Testing

@testable import SQLite

struct StatementTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func scratch() throws -> Connection {
        try Connection(
            path: folder.file("s.db"),
            options: .init(access: .create, journal: .rollback, durability: .full, busyTimeout: .seconds(1)))
    }

    @Test("Every type comes back as it went in")
    func roundTrip() throws {
        let connection = try scratch()
        let texts = ["", "plain", "nul \0 inside", "café 🎈"]
        for text in texts {
            #expect(try connection.first("SELECT ?1", text) { $0.optionalText(0) } == text)
        }
        for bytes in [[], [0, 255, 0], [UInt8](repeating: 7, count: 100_000)] as [[UInt8]] {
            let isNull = try connection.first("SELECT ?1", bytes) { $0.isNull(0) }
            #expect(isNull == false)
            #expect(try connection.first("SELECT ?1", bytes) { $0.bytes(0) } == bytes)
        }
        for number in [Int64.min, -1, 0, .max] {
            #expect(try connection.first("SELECT ?1", number) { $0.integer(0) } == number)
        }
        #expect(try connection.first("SELECT ?1", 0.1) { $0.real(0) } == 0.1)
        #expect(
            try connection.first("SELECT ?1, ?2", true, Int64?.none) { [$0.integer(0), $0.optionalInteger(1)] }
                == [1, nil])
    }

    @Test("A statement starts without the placeholders of its last use")
    func cleared() throws {
        let connection = try scratch()
        func value(_ set: Bool) throws -> String? {
            try connection.withStatement("SELECT ?1") { statement in
                if set { try statement.bind("left over", at: 1) }
                _ = try statement.step()
                return statement.optionalText(0)
            }
        }
        #expect(try value(true) == "left over")
        #expect(try value(false) == nil)
    }

    @Test("The cache keeps the statements used last and never more than its capacity")
    func cacheIsBounded() throws {
        let connection = try scratch()
        var cache = StatementCache(capacity: 2)
        let first = StatementCache.Key("SELECT 1"), second = StatementCache.Key("SELECT 2")
        let third = StatementCache.Key("SELECT 3"), late = try connection.prepare("SELECT 3")
        func insert(_ statement: OpaquePointer, _ key: StatementCache.Key) -> Bool { cache.insertLent(statement, key) }
        func isFree(_ key: StatementCache.Key) -> Bool {
            guard cache.borrow(key) != nil else { return false }
            cache.giveBack(key)
            return true
        }
        #expect(insert(try connection.prepare("SELECT 1"), first))
        #expect(!isFree(first), "lent out: a second user gets one of its own")
        #expect(insert(try connection.prepare("SELECT 2"), second))
        #expect(!insert(late, third), "both places are lent")
        cache.giveBack(second)
        cache.giveBack(first)
        #expect(isFree(first), "and now it is the one used last")
        #expect(insert(late, third))
        cache.giveBack(third)
        #expect(cache.count == 2)
        #expect(!isFree(second) && isFree(first) && isFree(third))
        cache.finalizeAll()
        #expect(cache.count == 0)
    }

    @Test("The same text used inside itself works, and is cached once")
    func nested() throws {
        let connection = try scratch()
        func depth(_ left: Int) throws -> Int64 {
            try connection.withStatement("SELECT ?1") { statement in
                try statement.bind(left, at: 1)
                #expect(try statement.step())
                return statement.integer(0) + (left > 0 ? try depth(left - 1) : 0)
            }
        }
        let before = connection.cachedStatementCount
        #expect(try depth(3) == 6)
        #expect(connection.cachedStatementCount == before + 1)
    }

    @Test("A failure carries the statement and never a bound value")
    func failureHidesValues() throws {
        let connection = try scratch()
        try connection.execute(Schema.items.up)
        try connection.run("INSERT INTO items VALUES (1, ?1)", "sesame")
        let failure = #expect(throws: SQLiteFailure.self) {
            try connection.run("INSERT INTO items VALUES (1, ?1)", "sesame")
        }
        #expect(failure?.primary == 19 && failure?.extended == 1555)
        #expect(failure?.sql == "INSERT INTO items VALUES (1, ?1)")
        #expect(failure.map { !"\($0) \(String(reflecting: $0))".contains("sesame") } == true)
    }

    @Test("A transaction that throws leaves nothing")
    func transaction() throws {
        struct Stop: Error {}
        let connection = try scratch()
        try connection.execute(Schema.items.up)
        #expect(throws: Stop.self) {
            try connection.transaction {
                try Schema.add("gone", connection)
                throw Stop()
            }
        }
        let count = try connection.transaction {
            try connection.first("SELECT count(*) FROM items") { $0.integer(0) }
        }
        #expect(count == 0)
        #expect(!connection.isInTransaction)
    }
}
