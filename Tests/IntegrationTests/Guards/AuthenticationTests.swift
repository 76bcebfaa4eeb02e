import Base
import Testing

/// S1 and S4: nobody is let in by mistake, and nothing is done for those who are not.
@Suite struct AuthenticationTests {
    private static let closed = "[auth]\nadmin-key = \"env:ADMIN_KEY\"\nanonymous = \"none\"\n\n"

    @Test(
        "S1: an address that others reach refuses to start without any key: 78, saying what to do",
        arguments: ["0.0.0.0:0", "[::]:0", "0.0.0.0:7411"])
    func openAddressNeedsKey(address: String) throws {
        let folder = try TemporaryFolder()
        let verb = try Verb.run(["serve", "--data", "\(folder.path)/data", "--listen", address])
        #expect(verb.status == 78)
        #expect(verb.output.contains("without a key"))
        #expect(verb.output.contains("weir keys create"))
        #expect(!verb.output.contains("http://"))
        #expect(verb.secret == nil)
    }

    @Test("S1: with a key from the settings the same address is served")
    func openAddressWithKey() throws {
        let serving = try Serving(
            ["--listen", "0.0.0.0:0"], settings: "[auth]\nadmin-key = \"env:ADMIN_KEY\"\n",
            environment: ["ADMIN_KEY": "a-key-that-is-long-enough"])
        let port = try serving.child.waitForWord(after: " on http://0.0.0.0:")
        let answer = try HTTPClient(port: Int(port) ?? 0, key: "a-key-that-is-long-enough").get("/status")
        #expect(answer.status == 200)
    }

    @Test("S4: who has no key gets 401 at once, with the body still to come, and no provider hears of it")
    func refusedBeforeTheBody() throws {
        let provider = try Provider.start()
        let server = try WeirServer.start(Self.closed + provider.settings())
        for path in ["/v1/chat/completions", "/v1/messages", "/v1/files", "/keys"] {
            for framing in ["Content-Length: 1000000", "Transfer-Encoding: chunked"] {
                let connection = try Connection(port: server.port)
                try connection.send(server.head("POST \(path) HTTP/1.1", [framing, "Expect: 100-continue"]))
                let (line, headers) = try connection.readHead(within: .seconds(5))
                #expect(line == "HTTP/1.1 401 Unauthorized", "\(path)")
                #expect(headers.contains { $0.name == "WWW-Authenticate" && $0.value == "Bearer" })
                #expect(connection.waitForEnd() != .timedOut)
            }
        }
        #expect(try provider.calls().total == 0)
        #expect(try server.requests().isEmpty)
    }

    @Test("S4: 401 is the same bytes for every cause, apart from the request id")
    func oneAnswerForAllCauses() throws {
        let server = try WeirServer.start(Self.closed)
        let revoked = try server.createKey("gone")
        let id = try server.client.get("/keys").json()["keys"][0]["id"].string ?? ""
        #expect(try server.client.request("DELETE", "/keys/\(id)").status == 200)
        let causes: [[String]] = [
            [], ["Authorization: Bearer weir-wrong"], ["Authorization: Bearer \(revoked)"], ["x-api-key: \(revoked)"],
            ["x-api-key: weir-wrong"], ["x-api-key:"], ["Authorization: Bearer "], ["Authorization: Basic YTpi"],
            ["Authorization: \(server.adminKey)"], ["Authorization: Bearer \(server.adminKey) " + "x"],
            ["Authorization: Bearer \(server.adminKey.uppercased())"],
            ["Authorization: Bearer \(server.adminKey.dropLast())"],
            ["x-api-key: \(String(repeating: "k", count: 5_000))"],
            ["Cookie: key=\(server.adminKey)"],
        ]
        for path in ["/v1/chat/completions", "/v1/messages", "/keys", "/status", "/no/such/route"] {
            let answers = try causes.map { cause in
                try server.raw(server.head("GET \(path) HTTP/1.1", ["Connection: close"] + cause), within: .seconds(5))
            }
            #expect(answers.allSatisfy { $0.status == 401 && $0.count == 1 }, "\(path)")
            #expect(Set(answers.map(\.withoutIDs)).count == 1, "\(path): \(Set(answers.map(\.withoutIDs)))")
        }
        let byQuery = try server.raw(server.head("GET /status?key=\(server.adminKey) HTTP/1.1", ["Connection: close"]))
        #expect(byQuery.status == 401)
    }

    @Test("S4: on loopback too, a route that wants a key says the same to no key, an unknown and a revoked one")
    func oneAnswerOnLoopback() throws {
        let server = try WeirServer.start()
        let revoked = try server.createKey("gone")
        let id = try server.client.get("/keys").json()["keys"][0]["id"].string ?? ""
        #expect(try server.client.request("DELETE", "/keys/\(id)").status == 200)
        let answers = try [[], ["x-api-key: unknown"], ["x-api-key: \(revoked)"]].map { cause in
            try server.raw(server.head("GET /keys HTTP/1.1", ["Connection: close"] + cause), within: .seconds(5))
        }
        #expect(answers.allSatisfy { $0.status == 401 })
        #expect(Set(answers.map(\.withoutIDs)).count == 1, "\(answers.map(\.withoutIDs))")
    }

    @Test("S4: without a key, or with one of somebody else's, loopback may use the AI routes and nothing more")
    func anonymousIsAIOnly() throws {
        let rig = try Rig()
        for key in [nil, "sk-proj-some-openai-key"] {
            let client = rig.server.client(key: key)
            #expect(try client.post("/v1/chat/completions", Body.chat).status == 200)
            #expect(try client.get("/v1/models").status == 200)
            for path in ["/v1/files", "/keys", "/metrics", "/status", "/config", "/requests"] {
                #expect(try client.get(path).status == 401, "\(path)")
            }
        }
        #expect(try rig.server.ledgerRow { _ in true }["tenant"].string == "anonymous")
    }

    @Test(
        "S4: what a proxy has forwarded is not anonymous",
        arguments: [
            "Forwarded", "X-Forwarded-For", "x-forwarded-host", "X-Forwarded-Proto", "X-FORWARDED-PORT", "X-Real-IP",
        ])
    func forwardedIsNotAnonymous(name: String) throws {
        let rig = try Rig()
        let anonymous = rig.server.client(key: nil)
        let fields = [(name, "203.0.113.7")]
        #expect(try anonymous.post("/v1/chat/completions", Body.chat, headers: fields).status == 401)
        #expect(try rig.provider.calls().total == 0)
        #expect(try rig.client.post("/v1/chat/completions", Body.chat, headers: fields).status == 200)
    }

    @Test("S4: a revoked key is 401 everywhere, loopback or not, and a key works in either header")
    func revokedKey() throws {
        let rig = try Rig()
        let secret = try rig.server.createKey("short")
        let client = rig.server.client(key: secret)
        #expect(try client.post("/v1/chat/completions", Body.chat).status == 200)
        let none = rig.server.client(key: nil)
        #expect(try none.post("/v1/messages", Body.messages, headers: [("X-API-Key", secret)]).status == 200)
        #expect(try none.get("/v1/models", headers: [("authorization", "bearer \(secret)")]).status == 200)
        let id = try rig.client.get("/keys").json()["keys"][0]["id"].string ?? ""
        #expect(try rig.client.request("DELETE", "/keys/\(id)").status == 200)
        #expect(try client.post("/v1/chat/completions", Body.chat).status == 401)
        #expect(try none.post("/v1/messages", Body.messages, headers: [("x-api-key", secret)]).status == 401)
        #expect(try client.get("/v1/models").status == 401)
        #expect(try client.get("/health/live").status == 200)
    }
}
