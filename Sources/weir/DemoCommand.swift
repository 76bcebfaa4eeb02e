import ArgumentParser
import Base
import Glibc
import Operations
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
        let server = try DemoServer(in: folder, providerPort: provider.boundPort)
        defer { server.stop() }
        let port = server.port
        try DemoTour(server: server, provider: provider).run()
        guard isatty(STDOUT_FILENO) == 1 else { return }
        say("\nThe server stays up. Try it from another terminal, then end it here with Ctrl-C:\n")
        say("  curl http://127.0.0.1:\(port)/v1/chat/completions -H 'Content-Type: application/json' \\")
        say(
            "    -d '{\"model\":\"gpt-4o-mini\",\"stream\":true,"
                + "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}'"
        )
        say("  curl http://127.0.0.1:\(port)/status -H 'Authorization: Bearer \(DemoServer.adminKey)'")
        while Signals.next() != .stop {}
    }
}

/// A folder where the system keeps temporary ones (`TMPDIR`), until `delete`.
struct TemporaryFolder {
    let path: String

    init() throws {
        let place = environmentVariable("TMPDIR") ?? P_tmpdir
        var template = Array("\(place)/weir-demo-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw SystemFailure("make a folder in \(place)", errorNumber: errno)
        }
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
