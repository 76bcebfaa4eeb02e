package import Base
internal import CSQLite
import Glibc

/// The files of one database (`x.db`, `x.db-wal`, `x.db-shm`): made whole, opened with suspicion, moved as one.
/// Only names and sizes are looked at: opening a live file beside SQLite would drop its locks.
package enum DatabaseFile {
    /// Opens the file for its one writer, made or migrated to the newest version as needed.
    /// - Parameter checkedSizeMax: a file up to this size is checked through and through after an unclean stop.
    /// - Throws: `SQLiteFailure` (`isCorrupt` when the file is damaged; no byte of it is changed),
    ///   `DatabaseFailure.newer`.
    static func openWriter(
        _ path: String, durability: Durability, migrations: Migrations, checkedSizeMax: ByteCount
    ) throws -> Connection {
        try refuseOddFiles(path)
        if size(path) == nil { try create(path, migrations) }
        let wasUnclean = size(path + "-wal") != nil
        let connection = try Connection(
            path: path,
            options: .init(
                access: .readWrite, journal: .wal, durability: durability, busyTimeout: .seconds(5)))
        try migrations.checkNotNewer(connection)
        if wasUnclean, let size = size(path), size <= checkedSizeMax.bytes { try quickCheck(connection) }
        try connection.becomeWriter()
        try migrations.migrate(connection, to: migrations.newest)
        connection.allowCheckpointOnClose()
        return connection
    }

    /// Migrates a database that nobody has open up or down, and says from where to where.
    /// - Throws: as `openWriter`.
    package static func migrate(
        _ path: String, migrations: Migrations, to target: Int
    ) throws -> (from: Int, to: Int) {
        try refuseOddFiles(path)
        let connection = try Connection(
            path: path,
            options: .init(access: .readWrite, journal: .wal, durability: .full, busyTimeout: .seconds(5)))
        try migrations.checkNotNewer(connection)
        try quickCheck(connection)
        try connection.becomeWriter()
        let from = try migrations.version(of: connection)
        try migrations.migrate(connection, to: target)
        connection.allowCheckpointOnClose()
        return (from, target)
    }

    /// Reads every page and checks the structure. O(size).
    package static func quickCheck(_ connection: Connection) throws {
        let findings = try connection.rows("PRAGMA quick_check(5)") { $0.text(0) }
        guard findings == ["ok"] else {
            // A finding names pages and tables only, never a value.
            throw SQLiteFailure(
                extended: SQLITE_CORRUPT, detail: findings.first ?? "the check says nothing", path: connection.path)
        }
    }

    /// Renames a damaged database and its companions to `x.db.bad-<time>…`, out of the way and still whole.
    /// - Returns: the new path of the database file. Nobody may have it open.
    package static func moveAside(_ path: String, time: UnixTime) throws(SystemFailure) -> String {
        let aside = "\(path).bad-\(time.microseconds)"
        for suffix in ["", "-wal", "-shm", "-journal"] where size(path + suffix) != nil {
            guard rename(path + suffix, aside + suffix) == 0 else {
                throw SystemFailure("move \(path + suffix) aside", errorNumber: errno)
            }
        }
        try syncFolder(of: path)
        return aside
    }

    /// Bytes of a file; nil when there is none.
    package static func size(_ path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    /// A database appears under its name only when it is whole, so an empty one, or a WAL alone, means loss.
    private static func refuseOddFiles(_ path: String) throws(SQLiteFailure) {
        let main = size(path), wal = size(path + "-wal")
        if main == 0 { throw SQLiteFailure(extended: SQLITE_NOTADB, detail: "the file is empty", path: path) }
        if main == nil, let wal, wal > 0 {
            throw SQLiteFailure(extended: SQLITE_NOTADB, detail: "only its -wal file is left", path: path)
        }
    }

    /// Makes the database under another name, syncs it and renames it into place; readable by its owner only.
    private static func create(_ path: String, _ migrations: Migrations) throws {
        let draft = path + ".new"
        for suffix in ["", "-journal"] { unlink(draft + suffix) }
        do {
            let connection = try Connection(
                path: draft,
                options: .init(access: .create, journal: .rollback, durability: .full, busyTimeout: .seconds(5)))
            try migrations.migrate(connection, to: migrations.newest)
            if migrations.newest == 0 { try connection.execute("VACUUM") }  // writes the header
        }
        // The -wal and -shm files take the mode of the file they belong to.
        guard chmod(draft, 0o600) == 0, rename(draft, path) == 0 else {
            throw SystemFailure("create \(path)", errorNumber: errno)
        }
        try syncFolder(of: path)
    }

    private static func syncFolder(of path: String) throws(SystemFailure) {
        let folder = path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]) : "."
        let descriptor = retryingInterrupts { open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw SystemFailure("open \(folder)", errorNumber: errno) }
        defer { close(descriptor) }
        guard retryingInterrupts({ fsync(descriptor) }) == 0 else {
            throw SystemFailure("sync \(folder)", errorNumber: errno)
        }
    }
}
