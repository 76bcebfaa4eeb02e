import ArgumentParser
import Base
import Benchmark
import Glibc
import HTTPAPI
import Operations
import Settings
import Simulator

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "See it work: a simulated provider, the server in front of it, real requests with their timings.",
        discussion: "Needs no key and no network. On a terminal it stays up for you to try; Ctrl-C ends it.")

    func run() throws {
        Signals.block()
        let folder = try TemporaryFolder()
        defer { folder.delete() }
        var options = SimulatorOptions()
        (options.port, options.firstToken, options.tokensPerSecond) = (0, .milliseconds(120), 120)
        (options.latency, options.timestamps) = (.milliseconds(150), false)
        let provider = try SimulatorServer.start(options)
        defer { provider.shutdown() }
        let application = try start(in: folder, providerPort: provider.boundPort)
        defer { application.stop() }
        guard case .tcp(_, let port) = application.context.listenAddress else { return }
        try DemoTour(port: port, adminKey: Self.adminKey, provider: provider).run()
        guard isatty(STDOUT_FILENO) == 1 else { return }
        say("\nThe server stays up. Try it from another terminal, then end it here with Ctrl-C:\n")
        say("  curl http://127.0.0.1:\(port)/v1/chat/completions -H 'Content-Type: application/json' \\")
        say(
            "    -d '{\"model\":\"gpt-4o-mini\",\"stream\":true,"
                + "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}'"
        )
        say("  curl http://127.0.0.1:\(port)/status -H 'Authorization: Bearer \(Self.adminKey)'")
        while Signals.next() != .stop {}
    }

    /// Known, because it opens nothing but this demonstration on loopback.
    private static let adminKey = "demonstration-admin-key"

    private func start(in folder: TemporaryFolder, providerPort: Int) throws -> Application {
        let settings = """
            [auth]
            admin-key = "env:WEIR_DEMO_KEY"
            [log]
            level = "warning"
            requests = "none"
            [gateway]
            passthrough = "openai-like"
            [providers.openai-like]
            dialect = "openai"
            base-url = "http://127.0.0.1:\(providerPort)/v1"
            [providers.anthropic-like]
            dialect = "anthropic"
            base-url = "http://127.0.0.1:\(providerPort)"
            models = ["claude-*"]
            [models.fast]
            targets = [{provider = "openai-like", model = "gpt-4o-mini"}]
            """
        let file = folder.path + "/appliance.conf"
        try folder.write(settings, to: file)
        var environment = environmentVariables().filter { !$0.key.hasPrefix("WEIR_") }
        environment["WEIR_DEMO_KEY"] = Self.adminKey
        func load(_ listen: String) throws -> LoadedSettings {
            try SettingsLoader.load(file: file, flags: ["listen": listen], environment: environment)
        }
        let usual = "127.0.0.1:7411"
        let application = try Application(
            load(Self.isFree(usual) ? usual : "127.0.0.1:0"), folder: folder.path + "/data", source: file)
        _ = try application.start()
        return application
    }

    private static func isFree(_ address: String) -> Bool {
        do {
            _ = try PlainClient(port: 7411, timeout: .seconds(1)).request("GET", "/health/live")
            return false
        } catch PlainClientFailure.cannotConnect {
            return true
        } catch {
            return false
        }
    }
}

/// A folder in /tmp, until `delete`.
struct TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/weir-demo-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw SystemFailure("make a folder in /tmp", errorNumber: errno) }
        path = String(cString: made)
    }

    func write(_ text: String, to file: String) throws {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemFailure("write \(file)", errorNumber: errno) }
        defer { close(descriptor) }
        writeText(text, to: descriptor)
    }

    func delete() { remove(path) }

    /// The folder is ours and shallow: files, and one folder of files.
    private func remove(_ folder: String) {
        if let listing = opendir(folder) {
            while let entry = readdir(listing) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard name != ".", name != ".." else { continue }
                if unlink("\(folder)/\(name)") != 0 { remove("\(folder)/\(name)") }
            }
            closedir(listing)
        }
        rmdir(folder)
    }
}
