package import Base
internal import CSQLite

/// An error of SQLite: its result codes, its text, and the SQL that was running. Bound values are never part of it,
/// so that no secret can reach a log through an error.
package struct SQLiteFailure: Failure {
    /// The primary result code, such as SQLITE_CORRUPT (11).
    package var primary: Int32 { extended & 0xFF }
    /// The extended result code, such as SQLITE_IOERR_FSYNC (1034); its low byte is the primary one.
    package let extended: Int32
    /// SQLite's own words.
    package let detail: String
    /// The statement's text with its `?` placeholders; nil when no statement was running.
    package let sql: String?
    /// The database file.
    package let path: String

    package init(extended: Int32, detail: String, sql: String? = nil, path: String) {
        precondition(extended != SQLITE_OK, "a success is no failure")
        self.extended = extended
        self.detail = detail
        self.sql = sql
        self.path = path
    }

    /// The file is damaged or is no database.
    package var isCorrupt: Bool { primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB }

    /// The surroundings failed, not the statement: the same write may succeed later.
    package var mayPass: Bool {
        [SQLITE_FULL, SQLITE_IOERR, SQLITE_BUSY, SQLITE_LOCKED, SQLITE_NOMEM, SQLITE_CANTOPEN, SQLITE_READONLY]
            .contains(primary)
    }

    /// A sync failed: what the kernel still holds of this file is unknown, so nothing more may be promised of it.
    package var isFailedSync: Bool { extended == Self.ioErrorFsync || extended == Self.ioErrorDirFsync }

    // SQLITE_IOERR_FSYNC and SQLITE_IOERR_DIR_FSYNC: C macros that Swift cannot read.
    private static let ioErrorFsync: Int32 = SQLITE_IOERR | 4 << 8
    private static let ioErrorDirFsync: Int32 = SQLITE_IOERR | 5 << 8

    package var code: String {
        switch primary {
        case SQLITE_CORRUPT, SQLITE_NOTADB: "database_corrupt"
        case SQLITE_FULL: "database_disk_full"
        case SQLITE_IOERR, SQLITE_CANTOPEN: "database_io_error"
        case SQLITE_BUSY, SQLITE_LOCKED: "database_busy"
        case SQLITE_CONSTRAINT: "database_constraint"
        case SQLITE_READONLY: "database_read_only"
        case SQLITE_INTERRUPT: "database_read_too_long"
        default: "database_error"
        }
    }

    package var message: String {
        let statement = sql.map { " in `\($0.prefix(200))`" } ?? ""
        return "\(path): \(detail) (SQLite \(extended))\(statement)\(advice)"
    }

    package var exitCode: ExitCode {
        switch primary {
        case SQLITE_CORRUPT, SQLITE_NOTADB: .dataCorrupt
        case SQLITE_FULL, SQLITE_IOERR, SQLITE_CANTOPEN: .inputOutput
        case SQLITE_BUSY, SQLITE_LOCKED: .tryAgain
        case SQLITE_READONLY, SQLITE_PERM: .permission
        default: .internalError
        }
    }

    private var advice: String {
        switch primary {
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            "; the file was left as it is: run `weir doctor --deep`, then `weir restore` from a backup"
        case SQLITE_FULL: "; free space on this file system"
        case SQLITE_BUSY, SQLITE_LOCKED: "; another program holds the file: close it and try again"
        case SQLITE_INTERRUPT: "; ask for less at once"
        default: ""
        }
    }
}
