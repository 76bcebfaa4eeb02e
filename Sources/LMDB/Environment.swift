package import Base
internal import CLMDB
import Glibc

/// One LMDB file (`x.lmdb`, and `x.lmdb-lock` beside it), open in this process once. Many threads read, one at a time
/// writes. Never a writable map: on a full disk that would be SIGBUS. Nobody else may open or close its files
/// meanwhile, not even to look: that would drop LMDB's locks.
package final class Environment: @unchecked Sendable {  // LMDB's handle is made for threads; `gate` guards its end
    /// How the file is opened.
    package struct Options: Sendable {
        /// The file's largest size; address space, not memory.
        package var mapSize: ByteCount
        /// Trees to open, made where they are missing.
        package var databases: [String]
        /// Whether a commit is on the disk when `withWrite` returns. Without it, what the machine's sudden end leaves
        /// may be damaged in any way; the process's own end does no harm.
        package var isSynced: Bool
        /// Read every page in use before opening (see `DataFile`); otherwise the head alone. O(pages).
        package var checksEveryPage: Bool
        /// Read transactions at once.
        package var readersMax: Int

        package init(
            mapSize: ByteCount, databases: [String], isSynced: Bool, checksEveryPage: Bool, readersMax: Int = 126
        ) {
            self.mapSize = mapSize
            self.databases = databases
            self.isSynced = isSynced
            self.checksEveryPage = checksEveryPage
            self.readersMax = readersMax
        }
    }

    package let path: String
    /// In the order of `Options.databases`.
    package private(set) var databases: [Database] = []
    /// Trees that were not there and have been made now.
    package private(set) var databasesMade = 0
    private let gate: Gate
    private var handle: OpaquePointer?

    /// Opens the file, or makes it, readable by its owner only.
    /// - Throws: `LMDBFailure`; `.corrupt` for a file that is damaged, cut short or empty, before LMDB has seen it.
    package init(path: String, options: Options) throws {
        self.path = path
        gate = Gate()
        var status = stat()
        if lstat(path, &status) == 0 {
            try DataFile.check(path, everyPage: options.checksEveryPage, mapSizeMax: options.mapSize)
        } else {
            try Self.create(path, options)
        }
        let handle = try Self.open(path, options)
        self.handle = handle
        var dead: Int32 = 0
        try check(mdb_reader_check(handle, &dead), "clear readers that died")
        try withWrite { transaction in
            for name in options.databases { databases.append(try openDatabase(name, transaction)) }
        }
    }

    deinit { close() }

    /// Runs `body` on the state as last committed. Keep it short: pages freed meanwhile cannot be used again.
    /// Not to be nested.
    package func withRead<R>(_ body: (borrowing Transaction) throws -> R) throws -> R {
        try gate.shared {
            let transaction = try begin(UInt32(MDB_RDONLY))
            defer { mdb_txn_abort(transaction) }
            return try body(Transaction(handle: transaction, environment: self, isWritable: false))
        }
    }

    /// Runs `body` and commits what it wrote; when it throws nothing of it stays. One at a time; others wait.
    /// Not to be nested, and no `await` inside: the thread owns the transaction.
    package func withWrite<R>(_ body: (borrowing Transaction) throws -> R) throws -> R {
        try gate.shared {
            let transaction = try begin(0)
            let result: R
            do {
                result = try body(Transaction(handle: transaction, environment: self, isWritable: true))
            } catch {
                mdb_txn_abort(transaction)
                throw error
            }
            try check(mdb_txn_commit(transaction), "commit")
            return result
        }
    }

    /// Forces what has been committed to the disk, whatever `isSynced` says.
    package func sync() throws { try gate.shared { try check(mdb_env_sync(opened(), 1), "sync") } }

    /// Changes the largest size, never below what is used. Waits until every transaction has ended.
    package func setMapSize(_ size: ByteCount) throws {
        try gate.exclusive { try check(mdb_env_set_mapsize(opened(), Self.wholePages(size)), "resize the map") }
    }

    /// Writes a consistent copy while others go on, without free pages: the only way to a smaller file. The copy is on
    /// the disk on return; `target` must not be there yet.
    package func copy(to target: String) throws {
        let descriptor = retryingInterrupts { Glibc.open(target, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
        guard descriptor >= 0 else { throw LMDBFailure(errno, target, "make the copy") }
        defer { Glibc.close(descriptor) }
        try gate.shared {
            try check(mdb_env_copyfd2(opened(), descriptor, UInt32(MDB_CP_COMPACT)), "copy to \(target)")
        }
        guard retryingInterrupts({ fsync(descriptor) }) == 0 else { throw LMDBFailure(errno, target, "sync the copy") }
    }

    package var pageSize: Int { Int(sysconf(Int32(_SC_PAGESIZE))) }

    /// What the file may take by now, in use or free.
    package func fileSize() throws -> ByteCount {
        try gate.shared {
            var information = MDB_envinfo()
            try check(mdb_env_info(opened(), &information), "look at the environment")
            return ByteCount(bytes: (information.me_last_pgno + 1) * pageSize)
        }
    }

    /// False when the path leads to another file by now, or to none: someone deleted or replaced it.
    package func isInPlace() throws -> Bool {
        try gate.shared {
            var descriptor: Int32 = -1
            try check(mdb_env_get_fd(opened(), &descriptor), "look at the environment")
            var ours = stat(), found = stat()
            guard fstat(descriptor, &ours) == 0 else { throw LMDBFailure(errno, path, "look at the file") }
            return stat(path, &found) == 0 && found.st_ino == ours.st_ino && found.st_dev == ours.st_dev
        }
    }

    /// Returns when every reader that is under way has ended: none of the pages freed before is held any longer.
    package func waitForReaders() { gate.exclusive {} }

    /// Waits until every transaction has ended, then closes; later ones throw `.closed`. Does not sync.
    package func close() {
        gate.exclusive {
            if let handle { mdb_env_close(handle) }
            handle = nil
        }
    }

    private func begin(_ flags: UInt32) throws(LMDBFailure) -> OpaquePointer {
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(opened(), nil, flags, &transaction), "begin a transaction")
        guard let transaction else { preconditionFailure("LMDB began nothing") }
        return transaction
    }

    private func opened() throws(LMDBFailure) -> OpaquePointer {
        guard let handle else { throw LMDBFailure(.closed, path, "the file is closed") }
        return handle
    }

    private func openDatabase(_ name: String, _ transaction: borrowing Transaction) throws -> Database {
        var database = MDB_dbi()
        var result = mdb_dbi_open(transaction.handle, name, 0, &database)
        if result == MDB_NOTFOUND {
            databasesMade += 1
            result = mdb_dbi_open(transaction.handle, name, UInt32(MDB_CREATE), &database)
        }
        try check(result, "open the database \(name)")
        return Database(handle: database)
    }

    private func check(_ result: Int32, _ doing: String) throws(LMDBFailure) {
        guard result == MDB_SUCCESS else { throw LMDBFailure(result, path, doing) }
    }
}
