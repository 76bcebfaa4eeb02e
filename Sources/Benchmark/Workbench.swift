internal import Base
internal import FoundationEssentials
internal import Glibc

/// Where a benchmark's servers live: a temporary folder, and how to start them in it.
struct Workbench: Sendable {
    let folder: String
    let weirPath: String
    let seconds: Int
    let say: @Sendable (String) -> Void
    private let keepsFolder: Bool

    init(_ options: LoadOptions) throws(SystemFailure) {
        precondition(options.seconds > 0)
        folder = "\(options.folder)/weir-bench-load-\(hexadecimal(secureRandomBytes(6)))"
        (weirPath, seconds, say) = (options.weirPath, options.seconds, options.say)
        keepsFolder = options.keepsFolder
        guard mkdir(folder, 0o700) == 0 else { throw SystemFailure("create \(folder)", errorNumber: errno) }
    }

    /// Removes the folder unless it was to be kept. Every server must have been stopped.
    func close() {
        guard !keepsFolder else { return }
        do {
            try FileManager.default.removeItem(atPath: folder)
        } catch {
            say("cannot remove \(folder): \(error)")
        }
    }

    /// A new folder of its own for one server.
    func place(_ name: String) throws(SystemFailure) -> String {
        let path = "\(folder)/\(name)-\(hexadecimal(secureRandomBytes(3)))"
        guard mkdir(path, 0o700) == 0 else { throw SystemFailure("create \(path)", errorNumber: errno) }
        return path
    }

    /// Writes a small file that only this user may read.
    func write(_ text: String, to path: String) throws(SystemFailure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemFailure("create \(path)", errorNumber: errno) }
        defer { Glibc.close(descriptor) }
        let bytes = Array(text.utf8)
        let count = retryingInterrupts { Glibc.write(descriptor, bytes, bytes.count) }
        guard count == bytes.count else { throw SystemFailure("write \(path)", errorNumber: errno) }
    }
}

/// A server that was started for a measure. Stop it in a `defer`: it ends with its last reference otherwise.
final class LocalServer {
    /// How long a server may take to answer.
    static let readyWithin = Duration.seconds(15)

    let child: ChildProcess
    let port: Int
    private let log: String

    init(_ child: ChildProcess, port: Int, log: String) {
        (self.child, self.port, self.log) = (child, port, log)
    }

    func stop() { child.stop() }

    /// Waits until a GET of the path is answered, whatever the status.
    func waitUntilReady(_ path: String) throws {
        let deadline = MonotonicInstant.now().advanced(by: Self.readyWithin)
        let client = PlainClient(port: port, timeout: .seconds(2))
        while true {
            do {
                _ = try client.request("GET", path)
                return
            } catch {
                guard child.isRunning, MonotonicInstant.now() < deadline else {
                    throw BenchmarkFailure.notReady("\(error); \(child.commandLine): \(logEnd)")
                }
            }
            pauseThread(.milliseconds(5))
        }
    }

    /// The last words of the server, for an error.
    var logEnd: String {
        do { return String(try SmallFile.text(log).suffix(500)) } catch { return "\(error)" }
    }

    /// Resident memory now, in megabytes.
    func residentMegabytes() throws -> Double {
        let fields = try SmallFile.text("/proc/\(child.pid)/statm").split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else {
            throw BenchmarkFailure.notReady("\(child.commandLine) has no memory: it has ended")
        }
        return Double(pages * sysconf(Int32(_SC_PAGESIZE))) / 1e6
    }

    /// The most it ever had resident, in megabytes, as the kernel kept it.
    func peakMegabytes() throws -> Double {
        let lines = try SmallFile.text("/proc/\(child.pid)/status").split(separator: "\n")
        let fields = lines.first { $0.hasPrefix("VmHWM:") }?.split { $0 == " " || $0 == "\t" } ?? []
        guard fields.count > 1, let kibibytes = Int(fields[1]) else { return try residentMegabytes() }
        return Double(kibibytes * 1_024) / 1e6
    }
}
