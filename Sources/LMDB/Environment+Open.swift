internal import Base
internal import CLMDB
import Glibc

extension Environment {
    static func open(_ path: String, _ options: Options) throws(LMDBFailure) -> OpaquePointer {
        var created: OpaquePointer?
        var result = mdb_env_create(&created)
        guard result == MDB_SUCCESS, let handle = created else { throw LMDBFailure(result, path, "begin") }
        let flags = MDB_NOSUBDIR | MDB_NOTLS | (options.isSynced ? 0 : MDB_NOSYNC)
        let steps: [() -> Int32] = [
            { mdb_env_set_mapsize(handle, wholePages(options.mapSize)) },
            { mdb_env_set_maxdbs(handle, UInt32(options.databases.count)) },
            { mdb_env_set_maxreaders(handle, UInt32(options.readersMax)) },
            { mdb_env_open(handle, path, UInt32(flags), 0o600) },
        ]
        for step in steps where result == MDB_SUCCESS { result = step() }
        guard result == MDB_SUCCESS else {
            mdb_env_close(handle)
            throw LMDBFailure(result, path, "open the file")
        }
        return handle
    }

    /// The file appears under its name only when it is whole, so that an empty one always means loss.
    static func create(_ path: String, _ options: Options) throws(LMDBFailure) {
        let draft = path + ".new"
        let leftovers = [draft, draft + "-lock", path + "-lock"]
        for name in leftovers { unlink(name) }
        let handle = try open(draft, options)
        let result = mdb_env_sync(handle, 1)
        mdb_env_close(handle)
        guard result == MDB_SUCCESS else { throw LMDBFailure(result, path, "sync the new file") }
        unlink(draft + "-lock")
        guard rename(draft, path) == 0 else { throw LMDBFailure(errno, path, "create the file") }
        if options.isSynced { try syncFolder(of: path) }
    }

    private static func syncFolder(of path: String) throws(LMDBFailure) {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        let descriptor = retryingInterrupts {
            Glibc.open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        guard descriptor >= 0 else { throw LMDBFailure(errno, folder, "open the folder") }
        defer { Glibc.close(descriptor) }
        guard retryingInterrupts({ fsync(descriptor) }) == 0 else {
            throw LMDBFailure(errno, folder, "sync the folder")
        }
    }

    static func wholePages(_ size: ByteCount) -> Int {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        return max(16, size.bytes / page) * page
    }
}

/// Lets many in, or one alone who waits for them to leave; who waits to be alone goes first.
final class Gate: @unchecked Sendable {  // holds only pthread's own object, made for many threads
    private let lock = UnsafeMutablePointer<pthread_rwlock_t>.allocate(capacity: 1)

    init() {
        var attributes = pthread_rwlockattr_t()
        pthread_rwlockattr_init(&attributes)
        pthread_rwlockattr_setkind_np(&attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
        let result = pthread_rwlock_init(lock, &attributes)
        precondition(result == 0, "cannot make a lock: \(errorText(result))")
        pthread_rwlockattr_destroy(&attributes)
    }

    deinit {
        pthread_rwlock_destroy(lock)
        lock.deallocate()
    }

    func shared<R>(_ body: () throws -> R) rethrows -> R {
        let result = pthread_rwlock_rdlock(lock)
        precondition(result == 0, "a transaction inside another: \(errorText(result))")
        defer { pthread_rwlock_unlock(lock) }
        return try body()
    }

    func exclusive<R>(_ body: () throws -> R) rethrows -> R {
        let result = pthread_rwlock_wrlock(lock)
        precondition(result == 0, "closing inside a transaction: \(errorText(result))")
        defer { pthread_rwlock_unlock(lock) }
        return try body()
    }
}
