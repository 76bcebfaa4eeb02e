import Base
import Glibc
import SQLite

/// `cache.db` as a file: made, opened, recognised, put aside or thrown away. Nothing in it is precious.
struct ArchiveFile: Sendable {
    /// A larger file is not read through after an unclean stop: every answer has its checksum, and other damage shows.
    private static let checkedSizeMax = ByteCount.mebibytes(128)
    private static let readers = 4

    let path: String

    /// Opens the file, made first when it is missing.
    func open() throws -> Database {
        if DatabaseFile.size(path) == nil, DatabaseFile.size(path + "-wal") == nil { try create() }
        return try Database(
            path: path, durability: .full, migrations: AnswerTable.migrations, threadName: "cache-db",
            readers: Self.readers, checkedSizeMax: Self.checkedSizeMax)
    }

    /// Differs when the file was replaced; nil when it is gone, or its WAL is.
    var identity: UInt64? {
        var status = stat()
        guard DatabaseFile.size(path + "-wal") != nil, stat(path, &status) == 0 else { return nil }
        return UInt64(status.st_ino)
    }

    /// Moves the file out of the way, and throws away what was moved there before: one is enough to look into.
    func moveAside(time: UnixTime) throws {
        let earlier = names().filter { $0.hasPrefix(baseName(path) + ".bad-") }
        for name in earlier { unlink(folder + "/" + name) }
        _ = try DatabaseFile.moveAside(path, time: time)
    }

    /// Gives the file's space back, durably.
    func discard() throws {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            guard unlink(path + suffix) == 0 || errno == ENOENT else {
                throw SystemFailure("delete \(path + suffix)", errorNumber: errno)
            }
        }
        try syncFolder()
    }

    /// Made under another name, because only before its first page does SQLite learn that space will be given back.
    private func create() throws {
        let draft = path + ".draft"
        for suffix in ["", "-journal"] { unlink(draft + suffix) }
        do {
            let connection = try Connection(
                path: draft,
                options: .init(access: .create, journal: .rollback, durability: .full, busyTimeout: .seconds(5)))
            try connection.execute("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL")
            try AnswerTable.migrations.migrate(connection, to: AnswerTable.migrations.newest)
        }
        guard chmod(draft, 0o600) == 0, rename(draft, path) == 0 else {
            throw SystemFailure("create \(path)", errorNumber: errno)
        }
        try syncFolder()
    }

    private var folder: String { path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "." }

    private func syncFolder() throws {
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure("open \(folder)", errorNumber: errno) }
        defer { close(descriptor) }
        guard retryingInterrupts({ fsync(descriptor) }) == 0 else {
            throw SystemFailure("sync \(folder)", errorNumber: errno)
        }
    }

    /// What lies in the folder; empty when it cannot be read.
    private func names() -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { $0.prefix { $0 != 0 } }
            names.append(String(decoding: name, as: UTF8.self))
        }
        return names
    }
}

extension SQLiteFailure {
    /// Neither the surroundings nor a read's time limit: the file is to blame.
    var isDamage: Bool { !mayPass && code != "database_read_too_long" }
}
