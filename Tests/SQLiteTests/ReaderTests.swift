import Base
import Testing

@testable import SQLite

struct ReaderTests {
    @Test(
        "A reader cannot write, whatever it tries",
        arguments: ["INSERT INTO items(name) VALUES ('x')", "PRAGMA user_version = 9", "DROP TABLE items", "VACUUM"])
    func cannotWrite(_ sql: String) throws {
        let folder = try TemporaryFolder()
        let database = try Schema.open(folder.file("a.db"))
        try database.write { try Schema.add("kept", $0) }
        let failure = #expect(throws: SQLiteFailure.self) {
            try database.read { reader in
                try reader.execute("PRAGMA query_only = OFF")
                try reader.execute(sql)
            }
        }
        #expect(failure?.code == "database_read_only")
        #expect(try Schema.names(database) == ["kept"])
        database.close()
    }

    /// Reader                         Writer
    /// opens a cursor, sees 1 row
    ///                                commits a second row
    /// still sees 1 row
    /// reads anew, sees 2 rows
    @Test("A read keeps its snapshot while the writer commits")
    func snapshot() throws {
        let folder = try TemporaryFolder()
        let database = try Schema.open(folder.file("a.db"))
        try database.write { try Schema.add("one", $0) }
        try database.read { reader in
            try reader.withStatement("SELECT (SELECT count(*) FROM items), name FROM items") { cursor in
                #expect(try cursor.step())
                try database.write { try Schema.add("two", $0) }
                #expect(cursor.integer(0) == 1)
                #expect(try cursor.step() == false)
            }
        }
        #expect(try Schema.names(database) == ["one", "two"])
        database.close()
    }

    @Test("More threads than readers all get their turn")
    func waitingForAReader() throws {
        let folder = try TemporaryFolder()
        let database = try Schema.open(folder.file("a.db"), readers: 1)
        try database.write { try Schema.add("one", $0) }
        let threads = (0..<8).map { thread in
            OSThread.start("test-\(thread)") {
                for _ in 0..<50 {
                    do { #expect(try Schema.names(database) == ["one"]) } catch { Issue.record(error) }
                }
            }
        }
        for thread in threads { thread.join() }
        database.close()
    }

    @Test("A read past its deadline is cut off and says so")
    func deadline() throws {
        let folder = try TemporaryFolder()
        let database = try Schema.open(folder.file("a.db"))
        let failure = #expect(throws: SQLiteFailure.self) {
            try database.read { reader in
                reader.deadline.set(MonotonicInstant(nanoseconds: 1))
                try reader.run(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
            }
        }
        #expect(failure?.code == "database_read_too_long")
        #expect(try Schema.names(database) == [])
        database.close()
    }
}
