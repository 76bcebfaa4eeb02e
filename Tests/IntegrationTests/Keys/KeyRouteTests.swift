import Base
import Synchronization
import Testing

/// Keys by HTTP: made, listed, revoked; the secret is seen once.
@Suite struct KeyRouteTests {
    @Test("a key is made with 201, its secret in this answer only, and works at once")
    func create() throws {
        let rig = try Rig()
        let answer = try rig.client.post(
            "/keys", #"{"name":"app","tenant":"team-a","scopes":["ai","queue:jobs-*:put"]}"#)
        #expect(answer.status == 201)
        let made = try answer.json()
        let secret = try #require(made["key"].string)
        #expect(newKeys(in: secret) == [secret])
        #expect(made["id"].string?.hasPrefix("key_") == true)
        #expect(made["name"].string == "app" && made["tenant"].string == "team-a")
        #expect(made["scopes"].elements.map(\.string) == ["ai", "queue:jobs-*:put"])
        #expect(made["revoked"].isNull)
        #expect(try rig.server.client(key: secret).post("/v1/chat/completions", Body.chat).status == 200)
        let list = try rig.client.get("/keys")
        #expect(!list.text.contains(secret) && !list.text.contains("weir-"))
        #expect(try list.json()["keys"][0]["id"] == made["id"])
        #expect(try rig.server.ledgerRow { $0["tenant"].string == "team-a" }["key"] == made["id"])
    }

    @Test("without tenant and scopes a key is its own tenant and may use the AI routes")
    func defaults() throws {
        let server = try WeirServer.start()
        let made = try server.client.post("/keys", #"{"name":"solo"}"#).json()
        #expect(made["tenant"].string == "solo")
        #expect(made["scopes"].elements.map(\.string) == ["ai"])
    }

    @Test("what cannot be a key is refused with a reason, and nothing is made")
    func refusals() throws {
        let server = try WeirServer.start()
        let long = String(repeating: "n", count: 129)
        for (body, status, word) in [
            (#"{"name":"x","scopes":["root"]}"#, 422, "invalid_scope"), (#"{"name":"x","scopes":[]}"#, 422, "no_scope"),
            (#"{"name":"../x"}"#, 422, "invalid_key_name"), (#"{"name":""}"#, 422, "invalid_key_name"),
            (#"{"name":"\#(long)"}"#, 422, "invalid_key_name"),
            (#"{"name":"x","tenant":"a b"}"#, 422, "invalid_tenant"),
            (#"{"name":"x","scopes":["queue:a:steal"]}"#, 422, "invalid_scope"),
            (#"{"name":"x","scopes":["ai "]}"#, 422, "invalid_scope"),
            (#"{"name":"x","budget":"5usd/day"}"#, 422, "not_supported"),
            (#"{"name":"x","rate":"60/min"}"#, 422, "not_supported"),
            (#"{"tenant":"x"}"#, 400, "invalid_body"), ("{", 400, "invalid_body"), ("[]", 400, "invalid_body"),
            (#"{"name":7}"#, 400, "invalid_body"), (#"{"name":"x","scopes":"ai"}"#, 400, "invalid_body"),
        ] {
            let answer = try server.client.post("/keys", body)
            #expect(answer.status == status, "\(body.prefix(60)): \(answer.text)")
            let problem = try answer.json()
            #expect(answer.header("Content-Type") == "application/problem+json")
            #expect(problem["type"].string == "urn:weir:problem:\(word)", "\(answer.text)")
            #expect(problem["detail"].string?.isEmpty == false)
            #expect(problem["requestId"].string == answer.header("X-Request-Id"))
        }
        #expect(try server.client.get("/keys").json()["keys"].elements.isEmpty)
    }

    @Test("a revoked key stays in the list, is revoked once, and no other is touched")
    func revoke() throws {
        let rig = try Rig()
        let (first, second) = (try rig.server.createKey("first"), try rig.server.createKey("second"))
        let keys = try rig.client.get("/keys").json()["keys"].elements
        let id = try #require(keys.first { $0["name"].string == "first" }?["id"].string)
        #expect(try rig.client.request("DELETE", "/keys/\(id)").status == 200)
        #expect(try rig.client.request("DELETE", "/keys/\(id)").status == 404)
        #expect(try rig.client.request("DELETE", "/keys/key_0000000000000000").status == 404)
        let left = try rig.client.get("/keys").json()["keys"].elements
        #expect(left.count == 2)
        #expect(left.filter { $0["revoked"].string != nil }.map { $0["id"].string } == [id])
        #expect(try rig.server.client(key: first).get("/v1/models").status == 401)
        #expect(try rig.server.client(key: second).get("/v1/models").status == 200)
    }

    @Test("the list can be narrowed to a tenant, its name escaped or not")
    func listOfTenant() throws {
        let server = try WeirServer.start()
        for (name, tenant) in [("a1", "team-a"), ("a2", "team-a"), ("b1", "team-b")] {
            _ = try server.createKey(name, tenant: tenant)
        }
        for query in ["tenant=team-a", "tenant=team%2Da"] {
            let found = try server.client.get("/keys?\(query)").json()["keys"].elements
            #expect(Set(found.compactMap { $0["name"].string }) == ["a1", "a2"])
        }
        #expect(try server.client.get("/keys?tenant=none").json()["keys"].elements.isEmpty)
    }

    @Test("a hundred keys made at the same time are a hundred keys, all of them good")
    func concurrentCreation() throws {
        let server = try WeirServer.start(
            "[auth]\nadmin-key = \"env:ADMIN_KEY\"\nanonymous = \"none\"\n")
        let client = server.client
        let secrets = Shared<[String]>([])
        try concurrently(10) { thread in
            for index in 0..<10 {
                let answer = try client.post("/keys", #"{"name":"k-\#(thread)-\#(index)"}"#)
                guard let secret = try answer.json()["key"].string else { throw HarnessFailure(answer.text) }
                secrets.value.withLock { $0.append(secret) }
            }
        }
        #expect(Set(secrets.now).count == 100)
        for secret in secrets.now { #expect(try server.client(key: secret).get("/v1/models").status == 200) }
    }
}
