package import Base
import Glibc

/// The folder that holds everything Weir keeps. One process at a time: the lock says which.
package final class DataFolder: Sendable {
    package let path: String
    private let lock: Int32

    /// Another process has the folder.
    package struct Locked: Failure {
        package let code = "data_folder_locked"
        package let path: String
        /// The holder's process id, when it wrote one.
        package let holder: Int?

        package var message: String {
            let who = holder.map { "process \($0)" } ?? "another process"
            return "\(who) is using the data folder \(path); stop it, or choose another with --data"
        }
        package var exitCode: ExitCode { .dataFolderLocked }
    }

    /// Makes the folder when it is missing (mode 0700) and takes its lock, which ends with the process.
    /// - Throws: `Locked`, `SystemFailure`.
    package init(_ path: String) throws {
        self.path = path
        try Self.make(path)
        let file = path + "/lock"
        lock = retryingInterrupts { open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600) }
        guard lock >= 0 else { throw SystemFailure("open \(file)", errorNumber: errno, exitCode: .dataFolderLocked) }
        guard retryingInterrupts({ flock(lock, LOCK_EX | LOCK_NB) }) == 0 else {
            let reason = errno  // deinit runs after a throw too, and closes the lock: once
            guard reason == EWOULDBLOCK else { throw SystemFailure("lock \(file)", errorNumber: reason) }
            throw Locked(path: path, holder: Self.holder(path))
        }
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(lock, 0) == 0, pwrite(lock, text, text.count, 0) == text.count else {
            throw SystemFailure("write \(file)", errorNumber: errno)
        }
    }

    deinit { close(lock) }

    package var controlSocketPath: String { path + "/control.sock" }

    /// Sizes of the files in it together; 0 when they cannot be read.
    package var size: ByteCount {
        guard let folder = opendir(path) else { return ByteCount(bytes: 0) }
        defer { closedir(folder) }
        var total = 0
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var status = stat()
            if stat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG {
                total += Int(status.st_size)
            }
        }
        return ByteCount(bytes: total)
    }

    /// Who holds the folder's lock, as far as the lock file says.
    package static func holder(_ path: String) -> Int? {
        guard let text = try? SmallFile.text(path + "/lock") else { return nil }
        return Int(text.filter { $0.isNumber })
    }

    private static func make(_ path: String) throws(SystemFailure) {
        var prefix = ""
        for part in path.split(separator: "/", omittingEmptySubsequences: false) {
            prefix += prefix.isEmpty && !path.hasPrefix("/") ? String(part) : "/" + part
            if part.isEmpty || prefix == "/" { prefix = prefix == "/" ? "" : prefix; continue }
            if mkdir(prefix, 0o700) != 0 && errno != EEXIST {
                throw SystemFailure("make the data folder \(path)", errorNumber: errno, exitCode: .dataFolderLocked)
            }
        }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw SystemFailure("use \(path) as data folder", errorNumber: ENOTDIR, exitCode: .dataFolderLocked)
        }
    }
}
