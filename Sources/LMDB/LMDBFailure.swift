package import Base
internal import CLMDB
import Glibc

/// What LMDB refuses, or what is wrong with its file. Keys and values are never part of it.
package struct LMDBFailure: Failure, Equatable {
    /// The raw value is the failure's `code`.
    package enum Kind: String, Sendable {
        /// No page is left in the map. Deletes need pages too: they are written as copies.
        case mapFull = "map_full"
        /// One transaction changed more than LMDB can hold (512 MiB).
        case transactionFull = "transaction_full"
        case readersFull = "readers_full"
        /// The transaction cannot go on after an earlier failure.
        case badTransaction = "bad_txn"
        /// Keys have 1 to 511 bytes.
        case badKey = "bad_key"
        /// The file is damaged, cut short or no LMDB file.
        case corrupt = "corrupt"
        case incompatible = "incompatible_version"
        case diskFull = "disk_full"
        /// A read, write or sync failed; LMDB reports a write that was cut short (often a full disk) the same way.
        case inputOutput = "io_error"
        case noPermission = "no_permission"
        case closed = "closed"
        case other = "lmdb_error"
    }

    package let kind: Kind
    package let path: String
    /// What was being done, and what came of it.
    package let detail: String

    package var code: String { kind.rawValue }
    package var message: String { "\(path): \(detail)\(advice)" }

    package var exitCode: ExitCode {
        switch kind {
        case .corrupt, .incompatible: .dataCorrupt
        case .diskFull, .inputOutput, .mapFull: .inputOutput
        case .readersFull, .closed: .tryAgain
        case .noPermission: .permission
        default: .internalError
        }
    }

    init(_ kind: Kind, _ path: String, _ detail: String) {
        self.kind = kind
        self.path = path
        self.detail = detail
    }

    /// - Parameter number: what LMDB returned: one of its own codes (negative) or an errno.
    init(_ number: Int32, _ path: String, _ doing: String) {
        precondition(number != MDB_SUCCESS, "a success is no failure")
        let text = mdb_strerror(number).map { String(cString: $0) } ?? "error \(number)"
        self.init(Self.kind(of: number), path, "cannot \(doing): \(text)")
    }

    private static func kind(of number: Int32) -> Kind {
        switch number {
        case MDB_MAP_FULL: .mapFull
        case MDB_TXN_FULL: .transactionFull
        case MDB_READERS_FULL: .readersFull
        case MDB_BAD_TXN: .badTransaction
        case MDB_BAD_VALSIZE: .badKey
        case MDB_VERSION_MISMATCH: .incompatible
        case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_PANIC, MDB_CURSOR_FULL, MDB_PAGE_FULL,
            MDB_INCOMPATIBLE, MDB_BAD_RSLOT:
            .corrupt
        case ENOSPC, EDQUOT: .diskFull
        case EIO: .inputOutput
        case EACCES, EPERM, EROFS: .noPermission
        default: .other
        }
    }

    private var advice: String {
        switch kind {
        case .corrupt: "; the file was left as it is: run `weir doctor --deep`"
        case .diskFull: "; free space on this file system"
        case .incompatible: "; another release of LMDB wrote it"
        case .closed: "; Weir is shutting down"
        default: ""
        }
    }
}
