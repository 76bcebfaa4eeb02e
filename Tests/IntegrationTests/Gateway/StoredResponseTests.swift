import Base
import Testing

/// Item 39: a stored response belongs to the tenant that made it and lives at the provider that has it.
@Suite struct StoredResponseTests {
    let rig: Rig
    let alice: HTTPClient
    let bob: HTTPClient

    init() throws {
        rig = try Rig()
        alice = rig.server.client(key: try rig.server.createKey("alice", scopes: ["ai"]))
        bob = rig.server.client(key: try rig.server.createKey("bob", scopes: ["ai"]))
    }

    private func create(_ client: HTTPClient, _ more: String = "") throws -> String {
        let answer = try client.post("/v1/responses", #"{"model":"gpt-4o","input":"hi"\#(more)}"#)
        #expect(answer.status == 200, "\(answer.text)")
        return try #require(try answer.json()["id"].string)
    }

    @Test("item 39: only its tenant reads, continues, cancels, deletes a stored response; for others there is none")
    func byOwner() throws {
        let id = try create(alice)
        let before = try rig.provider.calls().total
        for (method, path) in [
            ("GET", "/v1/responses/\(id)"), ("GET", "/v1/responses/\(id)/input_items"),
            ("DELETE", "/v1/responses/\(id)"),
            ("POST", "/v1/responses/\(id)/cancel"), ("GET", "/v1/responses/resp_never_made"),
        ] {
            let answer = try bob.request(method, path, body: method == "POST" ? "{}" : nil)
            #expect(answer.status == 404, "\(method) \(path)")
            #expect(try answer.json()["error"]["code"].string == "not_found")
        }
        let follow = #"{"model":"gpt-4o","input":"more","previous_response_id":"\#(id)"}"#
        #expect(try bob.post("/v1/responses", follow).status == 404)
        #expect(try rig.provider.calls().total == before, "no provider was asked")

        let read = try alice.get("/v1/responses/\(id)")
        #expect(read.status == 200)
        #expect(try read.body == rig.direct.get("/v1/responses/\(id)").body)
        #expect(try alice.get("/v1/responses/\(id)/input_items?limit=5").status == 200)
        #expect(try rig.provider.last().uri == "/v1/responses/\(id)/input_items?limit=5")
        #expect(try alice.post("/v1/responses", follow).json()["previous_response_id"].string == id)
        #expect(try alice.request("DELETE", "/v1/responses/\(id)").status == 200)
        #expect(try alice.get("/v1/responses/\(id)").status == 404)
    }

    @Test("item 39: a streamed response is remembered as well, one that is not stored is not")
    func streamedAndUnstored() throws {
        let events = try alice.stream("/v1/responses", Body.responsesStream).events.all()
        let id = try #require(try eventObjects(events).last?["response"]["id"].string)
        #expect(try alice.get("/v1/responses/\(id)").status == 200)
        #expect(try bob.get("/v1/responses/\(id)").status == 404)
        let unstored = try create(alice, #","store":false,"instructions":"other""#)
        #expect(try alice.get("/v1/responses/\(unstored)").status == 404)
    }

    @Test("item 39: a background response can be cancelled by its tenant")
    func background() throws {
        let id = try create(alice, #","background":true"#)
        let cancelled = try alice.post("/v1/responses/\(id)/cancel", "{}")
        #expect(cancelled.status == 200, "\(cancelled.text)")
        #expect(try cancelled.json()["id"].string == id)
    }

    @Test("item 39: what goes on with a response goes to the provider that holds it, after a restart too")
    func pinned() throws {
        let other = try Provider.start(arguments: ["--seed", "2"])
        let settings =
            rig.provider.settings() + """
                [providers.second]
                dialect = "openai"
                base-url = "http://127.0.0.1:\(other.port)/v1"
                models = ["second-*"]

                """
        #expect(try rig.server.reload(settings))
        let made = try alice.post("/v1/responses", #"{"model":"second-a","input":"hi"}"#)
        let id = try #require(try made.json()["id"].string)
        #expect(try other.calls().total == 1)
        #expect(try alice.get("/v1/responses/\(id)").status == 200)
        // The name alone would lead to the first provider.
        let follow = #"{"model":"gpt-4o","input":"more","previous_response_id":"\#(id)"}"#
        let next = try alice.post("/v1/responses", follow)
        #expect(next.status == 200, "\(next.text)")
        #expect(try other.calls().total == 3)
        #expect(try rig.provider.calls().total == 0)
        #expect(try rig.server.ledgerRow(next.requestID)["provider"].string == "second")
    }
}
