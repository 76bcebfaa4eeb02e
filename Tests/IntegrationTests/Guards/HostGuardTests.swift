import Base
import Testing

/// S2 and S3: which hosts a request may name, and which web pages may send one.
@Suite struct HostGuardTests {
    /// `{port}` stands for the server's.
    private static let allowed = ["127.0.0.1:{port}", "localhost:{port}", "LocalHost:{port}", "[::1]:{port}"]
    private static let foreign = [
        "evil.example", "evil.example:{port}", "rebind.network:{port}", "127.0.0.1.nip.io:{port}",
        "localhost.evil.example:{port}",
        "localhost.:{port}", "127.0.0.1.:{port}", "127.0.0.1", "localhost", "[::1]", "::1:{port}", "0.0.0.0:{port}",
        "127.1:{port}",
        "2130706433:{port}", "0x7f000001:{port}", "[::ffff:127.0.0.1]:{port}", "localhost:1", "localhost:0{port}",
        "user@localhost:{port}", "localhost:{port}@evil.example", "localhost:{port}, evil.example", "weir.local:{port}",
        "169.254.169.254", "localhost:{port}/", "http://localhost:{port}", "*", "",
    ]

    @Test("S2: the loopback names with the port are served, in any case")
    func allowedHosts() throws {
        let server = try WeirServer.start()
        for host in Self.allowed.map({ $0.replacing("{port}", with: "\(server.port)") }) {
            let answer = try server.client.get("/health/live", headers: [("Host", host)])
            #expect(answer.status == 200, "Host: \(host)")
        }
    }

    @Test("S2: any other Host is 403 before anything is done, rebinding names and near misses among them")
    func foreignHosts() throws {
        let rig = try Rig()
        for host in Self.foreign.map({ $0.replacing("{port}", with: "\(rig.server.port)") }) {
            let health = try rig.client.get("/health/live", headers: [("Host", host)])
            #expect(health.status == 403, "Host: \(host)")
            let answer = try rig.client.post("/v1/chat/completions", Body.chat, headers: [("Host", host)])
            #expect(answer.status == 403, "Host: \(host)")
            #expect(try answer.json()["error"]["code"].string == "host_not_allowed")
        }
        #expect(try rig.provider.calls().total == 0)
    }

    @Test("S2: a request with no Host or with two is 400, also when both say the same")
    func missingAndDoubleHosts() throws {
        let server = try WeirServer.start()
        let own = "Host: 127.0.0.1:\(server.port)\r\n"
        for hosts in ["", own + own, own + "Host: evil.example\r\n", "Host: evil.example\r\n" + own] {
            let answer = try server.raw("GET /health/live HTTP/1.1\r\n\(hosts)\r\n")
            #expect(answer.status == 400, "\(hosts)")
            #expect(answer.count == 1)
            #expect(answer.body.contains("bad_host"))
        }
    }

    @Test("S2: an absolute-form target never gets round the Host list")
    func absoluteForm() throws {
        let server = try WeirServer.start()
        let own = "127.0.0.1:\(server.port)"
        let foreign = try server.raw("GET http://\(own)/health/live HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        #expect(foreign.status == 403)
        for target in ["http://evil.example/health/live", "http://evil.example/keys", "evil.example:443", "http://"] {
            let answer = try server.raw("GET \(target) HTTP/1.1\r\nHost: \(own)\r\n\r\n")
            #expect([400, 401, 403, 404, 421].contains(answer.status), "\(target): \(answer.text)")
            #expect(answer.count == 1)
        }
    }

    @Test("S2: server.allowed-hosts adds exact names and no more, also by reload")
    func addedHosts() throws {
        let server = try WeirServer.start("[server]\nallowed-hosts = [\"weir.internal\", \"weir.internal:8080\"]\n")
        for (host, status) in [
            ("weir.internal", 200), ("WEIR.internal", 200), ("weir.internal:8080", 200), ("weir.internal:8081", 403),
            ("x.weir.internal", 403), ("weir.internal.evil.example", 403), ("weir.internal.", 403),
        ] {
            #expect(try server.client.get("/health/live", headers: [("Host", host)]).status == status, "\(host)")
        }
        #expect(try server.reload("[server]\nallowed-hosts = [\"other.internal\"]\n"))
        #expect(try server.client.get("/health/live", headers: [("Host", "weir.internal")]).status == 403)
        #expect(try server.client.get("/health/live", headers: [("Host", "other.internal")]).status == 200)
    }

    @Test("S3: a page of another site is refused by its Origin, an opaque one with 400")
    func origins() throws {
        let server = try WeirServer.start("[server]\nallowed-origins = [\"https://app.example.com\"]\n")
        let own = "127.0.0.1:\(server.port)"
        for (origin, status) in [
            ("http://\(own)", 200), ("HTTP://\(own)", 200), ("https://app.example.com", 200),
            ("http://evil.example", 403), ("https://\(own)", 403), ("http://127.0.0.1", 403),
            ("http://app.example.com", 403),
            ("https://app.example.com.evil.example", 403), ("https://app.example.com:444", 403), ("file://", 403),
            ("chrome-extension://abc", 403), ("", 403), ("null", 400),
        ] {
            let answer = try server.client.get("/health/live", headers: [("Origin", origin)])
            #expect(answer.status == status, "Origin: \(origin)")
            #expect(!answer.headers.contains { $0.name.lowercased().hasPrefix("access-control") })
        }
    }

    @Test("S3: what a browser says of the sending site counts, and GET is no exception")
    func fetchMetadata() throws {
        let server = try WeirServer.start("[server]\nallowed-origins = [\"https://app.example.com\"]\n")
        for (site, status) in [
            ("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403), ("?", 403),
        ] {
            let answer = try server.client.get("/health/live", headers: [("Sec-Fetch-Site", site)])
            #expect(answer.status == status, "Sec-Fetch-Site: \(site)")
        }
        let fields = [("Origin", "https://app.example.com"), ("Sec-Fetch-Site", "cross-site")]
        #expect(try server.client.get("/health/live", headers: fields).status == 200)
    }

    @Test("S3: a WebSocket or h2c upgrade is 400")
    func upgrades() throws {
        let server = try WeirServer.start()
        for (name, key) in [
            ("websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZQ=="), ("h2c", "HTTP2-Settings: AAMAAABkAAQ"),
        ] {
            let answer = try server.raw(
                server.head("GET /v1/models HTTP/1.1", ["Connection: Upgrade", "Upgrade: \(name)", key]))
            #expect(answer.status == 400, "\(answer.text)")
            #expect(answer.count == 1)
        }
    }

    @Test("S3: a write to a route of Weir's own wants application/json, which no simple form can send")
    func writesWantJSON() throws {
        let server = try WeirServer.start()
        for type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
            let answer = try server.client.post("/keys", #"{"name":"csrf"}"#, headers: [("Content-Type", type)])
            #expect(answer.status == 415, "\(type)")
        }
        #expect(try server.client.get("/keys").json()["keys"].elements.isEmpty)
    }
}
