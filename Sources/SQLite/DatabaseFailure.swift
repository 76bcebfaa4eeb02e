package import Base

/// What `Database` itself refuses, where SQLite has nothing to say.
package enum DatabaseFailure: Failure, Equatable {
    /// The file was written by a newer Weir. Versions are schema versions (`PRAGMA user_version`).
    case newer(path: String, found: Int, known: Int)
    /// More jobs wait for the writer than the mailbox holds.
    case writerBehind(path: String)
    /// Every reader was taken for longer than a read may last.
    case readersBusy(path: String)
    case closed(path: String)

    package var code: String {
        switch self {
        case .newer: "database_newer"
        case .writerBehind: "database_writer_behind"
        case .readersBusy: "database_readers_busy"
        case .closed: "database_closed"
        }
    }

    package var message: String {
        switch self {
        case .newer(let path, let found, let known):
            "\(path): has schema version \(found), this Weir knows versions up to \(known); "
                + "run the newer Weir, or its `weir migrate down \(known)` first"
        case .writerBehind(let path): "\(path): too many writes are waiting; try again shortly"
        case .readersBusy(let path): "\(path): too many reads are under way; try again shortly"
        case .closed(let path): "\(path): is closed; Weir is shutting down"
        }
    }

    package var exitCode: ExitCode {
        switch self {
        case .newer: .dataCorrupt
        case .writerBehind, .readersBusy, .closed: .tryAgain
        }
    }
}
