import Base
import Glibc

/// `weir serve` in a folder of its own, on a free port. Killed with this object at the latest.
final class WeirServer {
    private let child: Child
    private let temporary: TemporaryFolder
    /// What must live as long as the server: its provider, a proxy. Swift may release a value after its last use.
    var companions: [AnyObject] = []
    let port: Int
    /// The admin key of this server, whether or not its settings name it.
    let adminKey: String
    var folder: String { temporary.path }
    var dataFolder: String { "\(temporary.path)/data" }
    var settingsFile: String { "\(temporary.path)/appliance.conf" }
    /// Standard output and standard error so far.
    var output: String { child.output }
    var pid: pid_t { child.pid }
    var baseURL: String { "http://127.0.0.1:\(port)" }

    private init(_ child: Child, _ temporary: TemporaryFolder, port: Int, adminKey: String) {
        (self.child, self.temporary, self.port, self.adminKey) = (child, temporary, port, adminKey)
    }

    /// - Parameters:
    ///   - settings: the text of appliance.conf.
    ///   - environment: of the process, beside `ADMIN_KEY`; nothing is inherited but PATH and HOME.
    ///   - arguments: after `weir serve --config F --data D --listen 127.0.0.1:0`.
    ///   - caches: with the cache as it is by default; most tests count calls of the provider and want none.
    ///   - withAdminKey: puts `[auth] admin-key` before the settings unless they have an `[auth]` of their own.
    static func start(
        _ settings: String = "", environment: [String: String] = [:], arguments: [String] = [],
        caches: Bool = false, withAdminKey: Bool = true
    ) throws -> WeirServer {
        let temporary = try TemporaryFolder()
        let adminKey = "weir-test-" + hexadecimal(secureRandomBytes(16))
        let file = try temporary.write("appliance.conf", complete(settings, withAdminKey))
        let child = try Child(
            ["serve", "--config", file, "--data", "\(temporary.path)/data", "--listen", "127.0.0.1:0"] + arguments,
            environment: ["ADMIN_KEY": adminKey].merging(caches ? [:] : ["WEIR_CACHE_POLICY": "off"]) { $1 }
                .merging(environment) { $1 }, folder: temporary.path,
            outputFile: "\(temporary.path)/output.log")
        let port = try child.waitForWord(after: " on http://127.0.0.1:")
        guard let port = Int(port) else { throw HarnessFailure("the banner names no port: \(child.output)") }
        return WeirServer(child, temporary, port: port, adminKey: adminKey)
    }

    private static func complete(_ settings: String, _ withAdminKey: Bool) -> String {
        guard withAdminKey, !settings.contains("[auth]") else { return settings }
        return "[auth]\nadmin-key = \"env:ADMIN_KEY\"\n\n" + settings
    }

    /// A client with the admin key.
    var client: HTTPClient { HTTPClient(port: port, key: adminKey) }
    /// A client with another key, or none.
    func client(key: String?) -> HTTPClient { HTTPClient(port: port, key: key) }

    func signal(_ number: Int32) { child.signal(number) }

    /// The status it ended with, if it has.
    var exitStatus: Int32? { child.reap() }

    /// SIGTERM, and the exit status.
    @discardableResult
    func stop(within limit: Duration = .seconds(30)) throws -> Int32 {
        child.signal(SIGTERM)
        return try child.waitForEnd(within: limit)
    }

    func waitForEnd(within limit: Duration = patience) throws -> Int32 { try child.waitForEnd(within: limit) }

    /// Writes the settings (with the admin key, as at the start), sends SIGHUP, waits for what the server says of it.
    /// - Returns: whether they were taken.
    @discardableResult
    func reload(_ settings: String, withAdminKey: Bool = true) throws -> Bool {
        let before = output.utf8.count
        try temporary.write("appliance.conf", Self.complete(settings, withAdminKey))
        child.signal(SIGHUP)
        return try awaited("the server's word on the new settings") {
            let said = String(decoding: output.utf8.dropFirst(before), as: UTF8.self)
            if said.contains("not reloaded") { return false }
            return said.contains("settings reloaded") ? true : nil
        }
    }

    /// Memory of the process that is really there.
    var residentBytes: Int {
        let status = (try? SmallFile.text("/proc/\(pid)/status")) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 } ?? 0
    }
}
