import Base
import SQLite

/// A small schema with two steps, and a database of it.
enum Schema {
    static let items = Migration(
        "items", up: "CREATE TABLE items(id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT", down: "DROP TABLE items")
    static let sizes = Migration(
        "sizes", up: "ALTER TABLE items ADD COLUMN size INTEGER", down: "ALTER TABLE items DROP COLUMN size")
    static let one = Migrations([items])
    static let two = Migrations([items, sizes])

    static func open(_ path: String, _ migrations: Migrations = one, readers: Int = 2) throws -> Database {
        try Database(
            path: path, durability: .full, migrations: migrations, threadName: "test-writer", readers: readers)
    }

    static func names(_ database: Database) throws -> [String] {
        try database.read { try $0.rows("SELECT name FROM items ORDER BY id") { $0.text(0) } }
    }

    static func add(_ name: String, _ connection: Connection) throws {
        try connection.run("INSERT INTO items(name) VALUES (?1)", name)
    }
}

extension Database {
    /// `submit` for who does not care about the result.
    func offer(_ job: @escaping @Sendable (Connection) throws -> Void) -> Bool {
        submit(job, completion: { _ in })
    }
}
