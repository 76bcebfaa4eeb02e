internal import Base
import Glibc

/// The layer's files and whether to trust them. `cache.lmdb` is not synced as it is written, so it survives the
/// process's death and not the machine's: `cache.lmdb.state` says which boot of the machine it was last open in, and
/// whether it was synced and closed after that.
struct DiskFile: Sendable {
    let path: String
    let bootID: String

    init(folder: String, bootID: String) {
        path = folder + "/cache.lmdb"
        self.bootID = bootID
    }

    /// This boot of the machine, as the kernel names it; empty, which trusts nothing, without /proc.
    static func currentBootID() -> String {
        let text = try? SmallFile.text("/proc/sys/kernel/random/boot_id")
        return text.map { String($0.prefix { $0 != "\n" }) } ?? ""
    }

    var exists: Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Nothing can have been lost since the last write to the file.
    var isTrusted: Bool {
        guard let state = try? SmallFile.text(statePath) else { return false }
        return state.hasPrefix("closed ") || (!bootID.isEmpty && state == "open \(bootID)\n")
    }

    /// Says, synced, that the file is open in this boot, or closed and synced. Comes before the first write and after
    /// the last, so that the state never promises too much; cut short it promises nothing.
    func mark(closed: Bool) throws(SystemFailure) {
        let descriptor = retryingInterrupts { open(statePath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600) }
        guard descriptor >= 0 else { throw SystemFailure("write \(statePath)", errorNumber: errno) }
        defer { close(descriptor) }
        let text = Array("\(closed ? "closed" : "open") \(bootID)\n".utf8)
        errno = ENOSPC  // what a write cut short means
        guard retryingInterrupts({ write(descriptor, text, text.count) }) == text.count,
            retryingInterrupts({ fsync(descriptor) }) == 0
        else { throw SystemFailure("write \(statePath)", errorNumber: errno) }
    }

    /// Puts the file out of the way, to look at later, in the place of the one put there before; or deletes it, and
    /// that one, to make room. Nobody may have it open.
    func remove(keepingCopy: Bool) throws(SystemFailure) {
        if !keepingCopy { unlink(path + ".bad") }
        let result = keepingCopy ? rename(path, path + ".bad") : unlink(path)
        guard result == 0 || errno == ENOENT else { throw SystemFailure("move \(path) aside", errorNumber: errno) }
        unlink(path + "-lock")
    }

    private var statePath: String { path + ".state" }
}
