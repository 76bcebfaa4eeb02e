internal import Base
internal import SQLite

/// How the plan found it: rollback journal, full sync, a connection opened and closed for every query.
final class StoreStart: StoreUnderTest {
    private let path: String

    init(path: String) throws {
        self.path = path
        let connection = try Connection(path: path, options: Self.options(.create))
        try StoreWorkload.migrations.migrate(connection, to: StoreWorkload.migrations.newest)
        try connection.transaction { try StoreWorkload.fill(connection) }
    }

    func read(_ id: Int) throws -> String? {
        let connection = try Connection(path: path, options: Self.options(.readWrite))
        return try connection.first("SELECT body FROM rows WHERE id = ?1", id) { $0.text(0) }
    }

    func write(_ id: Int, _ body: String) throws {
        let connection = try Connection(path: path, options: Self.options(.readWrite))
        try connection.run("INSERT INTO rows VALUES (?1, ?2)", id, body)
    }

    func count() throws -> Int {
        let connection = try Connection(path: path, options: Self.options(.readWrite))
        return Int(try connection.first("SELECT count(*) FROM rows") { $0.integer(0) } ?? 0)
    }

    func close() {}

    private static func options(_ access: Connection.Options.Access) -> Connection.Options {
        // A minute, where a program of that kind has five seconds: the writer must not fail under the readers.
        .init(access: access, journal: .rollback, durability: .full, busyTimeout: .seconds(60))
    }
}

/// How Weir does it.
final class StoreOurs: StoreUnderTest {
    private let database: Database

    init(path: String) throws {
        database = try Database(
            path: path, durability: .full, migrations: StoreWorkload.migrations, threadName: "bench-db")
        try database.write { try StoreWorkload.fill($0) }
    }

    func read(_ id: Int) throws -> String? {
        try database.read { try $0.first("SELECT body FROM rows WHERE id = ?1", id) { $0.text(0) } }
    }

    func write(_ id: Int, _ body: String) throws {
        try database.write { try $0.run("INSERT INTO rows VALUES (?1, ?2)", id, body) }
    }

    func count() throws -> Int {
        Int(try database.read { try $0.first("SELECT count(*) FROM rows") { $0.integer(0) } } ?? 0)
    }

    func close() { database.close() }
}
