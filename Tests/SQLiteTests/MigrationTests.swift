import Base
import SQLite
import Testing

struct MigrationTests {
    @Test("A new file gets every step, and going down and up again keeps the rows")
    func downAndUp() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.db")
        let database = try Schema.open(path, Schema.two)
        try database.write { try $0.run("INSERT INTO items(name, size) VALUES ('pen', 3)") }
        database.close()

        let down = try DatabaseFile.migrate(path, migrations: Schema.two, to: 1)
        #expect(down.from == 2 && down.to == 1)
        let old = try Schema.open(path, Schema.one)
        #expect(try Schema.names(old) == ["pen"])
        #expect(throws: SQLiteFailure.self) { try old.read { try $0.run("SELECT size FROM items") } }
        old.close()

        let again = try Schema.open(path, Schema.two)
        let size = try again.read { try $0.first("SELECT size FROM items") { $0.optionalInteger(0) } }
        #expect(size == .some(nil))
        again.close()
    }

    @Test("All the way down leaves an empty schema of version 0")
    func toNothing() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.db")
        try Schema.open(path, Schema.two).close()
        #expect(try DatabaseFile.migrate(path, migrations: Schema.two, to: 0).to == 0)
        let empty = try Schema.open(path, Migrations([]))
        #expect(try empty.read { try $0.first("SELECT count(*) FROM sqlite_schema") { $0.integer(0) } } == 0)
        #expect(try empty.read { try Schema.two.version(of: $0) } == 0)
        empty.close()
    }

    @Test("A file of a newer binary is refused, naming both versions, and not changed")
    func newer() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.db")
        try Schema.open(path, Schema.two).close()
        let before = try folder.contents()
        let failure = #expect(throws: DatabaseFailure.self) { try Schema.open(path, Schema.one) }
        #expect(failure == .newer(path: path, found: 2, known: 1))
        #expect(failure?.message.contains("version 2") == true && failure?.message.contains("versions up to 1") == true)
        #expect(try folder.contents() == before)
    }

    @Test("A step that fails leaves the version before it, whole")
    func failingStep() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.db")
        try Schema.open(path, Schema.one).close()
        let broken = Migration("broken", up: "CREATE TABLE more(x); INSERT INTO nowhere VALUES (1)", down: "SELECT 1")
        #expect(throws: SQLiteFailure.self) { try Schema.open(path, Migrations([Schema.items, broken])) }
        let database = try Schema.open(path, Schema.one)
        let tables = try database.read { try $0.rows("SELECT name FROM sqlite_schema") { $0.text(0) } }
        #expect(tables == ["items"])
        database.close()
    }
}
