import Base
import Glibc
import Testing

/// Where a server can be reached, who may, and what it tells its service manager.
@Suite struct ListenerTests {
    @Test("a unix socket serves the same API, to Host: localhost")
    func unixSocket() throws {
        let provider = try Provider.start()
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/weir.sock"
        let serving = try Serving(["--listen", "unix:\(path)"], settings: provider.settings(), folder: folder)
        #expect(try serving.child.waitForWord(after: " on unix:") == path)
        #expect(eventually { (try? Connection(unixPath: path)) != nil })
        let connection = try Connection(unixPath: path)
        #expect(try connection.request("POST", "/v1/chat/completions", body: Body.chat).status == 200)
        #expect(try connection.request("GET", "/health/live", headers: [("Host", "evil.example")]).status == 403)
        #expect(try connection.request("GET", "/keys").status == 401)
        #expect((mode(path) ?? 0o777) & 0o077 == 0)
        serving.child.signal(SIGTERM)
        #expect(try serving.child.waitForEnd() == 0)
        let again = try Serving(["--listen", "unix:\(path)"], folder: folder)
        _ = try again.child.waitForWord(after: " on unix:")
        #expect(try Connection(unixPath: path).request("GET", "/health/live").status == 200)
    }

    @Test("an IPv6 address is served and stands in the banner in brackets")
    func ipv6() throws {
        let serving = try Serving(["--listen", "[::1]:0"])
        let port = try serving.child.waitForWord(after: " on http://[::1]:")
        #expect(Int(port).map { $0 > 0 } == true)
    }

    @Test("S7: the data folder is 0700, its files and the control socket 0600, whatever the umask says")
    func modes() throws {
        let server = try WeirServer.start()
        _ = try server.createKey("k")
        #expect(mode(server.dataFolder) == 0o700)
        for name in names(in: server.dataFolder) {
            #expect(mode("\(server.dataFolder)/\(name)") == 0o600, "\(name)")
        }
    }

    @Test("the banner says address, base URLs, providers, data, settings and how to see the status")
    func banner() throws {
        let rig = try Rig()
        let url = rig.server.baseURL
        #expect(eventually { rig.server.output.contains("weir status") })
        for text in [
            "OpenAI base URL \(url)/v1", "Anthropic base URL \(url)", "providers: anth, sim",
            "data: \(rig.server.dataFolder)",
            "settings: \(rig.server.settingsFile)", "weir status --data \(rig.server.dataFolder)",
        ] { #expect(rig.server.output.contains(text), "\(text)") }
    }

    @Test("sd_notify: READY when it serves, RELOADING and READY around a reload, STOPPING at the end")
    func serviceManager() throws {
        let folder = try TemporaryFolder()
        let manager = try DatagramSocket("\(folder.path)/notify")
        let server = try WeirServer.start(environment: ["NOTIFY_SOCKET": manager.path])
        #expect(try manager.next() == "READY=1")
        #expect(try server.reload(""))
        #expect(try manager.next().hasPrefix("RELOADING=1"))
        #expect(try manager.next() == "READY=1")
        server.signal(SIGTERM)
        #expect(try manager.next() == "STOPPING=1")
        #expect(try server.waitForEnd() == 0)
    }

    @Test(
        "sd_notify: a NOTIFY_SOCKET that nobody reads, or that is nonsense, stops nothing",
        arguments: [
            "/no/such/socket", "@nobody", "relative", "",
        ])
    func absentServiceManager(path: String) throws {
        let server = try WeirServer.start(environment: ["NOTIFY_SOCKET": path])
        #expect(try server.client.get("/health/live").status == 200)
        #expect(try server.stop() == 0)
    }
}

/// What a service manager listens on.
private final class DatagramSocket {
    let path: String
    private let descriptor: Int32

    init(_ path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        guard descriptor >= 0, withSocketAddress(&address, { bind(descriptor, $0, $1) }) == 0 else {
            throw HarnessFailure("cannot bind \(path): \(errorText(errno))")
        }
    }

    deinit { close(descriptor) }

    /// The next message.
    func next() throws -> String {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard retryingInterrupts({ poll(&entry, 1, 10_000) }) == 1 else { throw HarnessFailure("no message came") }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return Array(bytes.prefix(max(0, count))).text
    }
}
