import Base
import Glibc
import Testing

/// `GET`, `DELETE /cache` and `weir inspect cache`.
@Suite struct CacheRouteTests {
    private func chat(_ text: String) -> String {
        #"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"\#(text)"}]}"#
    }

    /// Whether the answer came from the cache.
    private func isHit(
        _ client: HTTPClient, _ text: String, _ headers: [(String, String)] = []
    ) throws -> Bool {
        let answer = try client.post("/v1/chat/completions", chat(text), headers: headers)
        #expect(answer.status == 200)
        return try #require(answer.header("Cache-Status")).hasPrefix("weir; hit")
    }

    private func delete(_ client: HTTPClient, _ body: String) throws -> JSON {
        let answer = try client.request("DELETE", "/cache", body: body)
        #expect(answer.status == 200, "\(answer.text)")
        return try answer.json()["removed"]
    }

    @Test("the report counts what happened, by layer and reason, and lists what L3 has with its keys")
    func report() throws {
        let rig = try Rig(caches: true)
        for hit in [false, true, true] { #expect(try isHit(rig.client, "one", [("X-Weir-Tags", "t")]) == hit) }
        _ = try rig.client.post("/v1/chat/completions", chat("x"), headers: [("Cache-Control", "no-store")])
        let report = try rig.client.get("/cache").json()
        #expect(report["requests"].int == 3 && report["hits"]["l1"].int == 2 && report["misses"]["absent"].int == 1)
        #expect(abs((report["hitRatio"].double ?? 0) - 2.0 / 3) < 0.001)
        #expect(report["bypasses"].keys == ["no_store"] && report["flights"].int == 0)
        #expect(report["layers"].elements.map { $0["layer"].string } == ["l1", "l2", "l3"])
        #expect(report["layers"].elements.allSatisfy { $0["on"].bool == true && $0["failure"].isNull })
        #expect(report["layers"][0]["entries"].int == 1 && (report["layers"][0]["bytes"].int ?? 0) > 512)
        #expect(report["layers"][0]["budgetBytes"].int == 64 << 20 && report["ttl"].string == "auto")
        #expect(report["lives"].elements.map { $0["seconds"].int } == [2_592_000, 604_800, 86_400, 60])
        #expect(report["recent"].isNull)
        let listed = try awaited("the entry of L3") {
            let listed = try rig.client.get("/cache?recent=5").json()
            return listed["recent"].elements.isEmpty ? nil : listed
        }
        let entry = listed["recent"][0]
        #expect(entry["key"].string?.count == 64 && entry["tenant"].string == "admin" && entry["tags"][0].string == "t")
        #expect(listed["models"][0]["entries"].int == 1 && (listed["models"][0]["outputTokens"].int ?? 0) > 0)
        #expect(try rig.client.get("/cache?recent=5&tenant=other").json()["recent"].elements.isEmpty)
        #expect(try rig.client.get("/cache?recent=1001").status == 422)

        let key = try #require(entry["key"].string)
        #expect(try delete(rig.client, #"{"key":"\#(key)"}"#) == (try JSON(#"{"l1":1,"l2":1,"l3":1}"#)))
        #expect(try !isHit(rig.client, "one"))
    }

    @Test("what a removal names goes, and nothing else")
    func selectors() throws {
        let rig = try Rig(caches: true)
        let asks: [(text: String, headers: [(String, String)])] = [
            ("tag", [("X-Weir-Tags", "a,b")]), ("collection", [("X-Weir-Collections", "a,b")]),
            ("namespace", [("X-Weir-Namespace", "a")]), ("plain", []),
        ]
        func hits() throws -> [String] { try asks.filter { try isHit(rig.client, $0.text, $0.headers) }.map(\.text) }
        #expect(try hits().isEmpty)
        for (body, gone) in [
            (#"{"tag":"b"}"#, ["tag"]), (#"{"collection":"a"}"#, ["collection"]),
            (#"{"namespace":"a"}"#, ["namespace"]),
            (#"{"namespace":"b"}"#, []), (#"{"tag":"a","tenant":"other"}"#, []), (#"{"model":"gpt-4"}"#, []),
            (#"{"model":"gpt-4o-mini"}"#, asks.map(\.text)), (#"{"all":true,"tenant":"admin"}"#, asks.map(\.text)),
        ] {
            let removed = try delete(rig.client, body)
            #expect(removed["l1"].int == gone.count, "\(body): \(removed)")
            #expect(try hits() == asks.map(\.text).filter { !gone.contains($0) }, "\(body)")
        }
    }

    @Test("a tenant removes its own answers with a key for AI; numbers and others' answers are the operator's")
    func tenants() throws {
        let rig = try Rig(caches: true)
        let (a, b) = (
            rig.server.client(key: try rig.server.createKey("team-a", scopes: ["ai"])),
            rig.server.client(key: try rig.server.createKey("team-b", scopes: ["ai"]))
        )
        for client in [a, b] { #expect(try !isHit(client, "same")) }
        #expect(try delete(a, #"{"all":true}"#)["l1"].int == 1)
        #expect(try !isHit(a, "same"))
        #expect(try isHit(b, "same"))
        #expect(try a.request("DELETE", "/cache", body: #"{"all":true,"tenant":"team-b"}"#).status == 403)
        #expect(try a.get("/cache").status == 403)
        #expect(try a.post("/cache/import", #"{"lines":[""]}"#).status == 403)
        #expect(try delete(rig.client, #"{"all":true}"#)["l1"].int == 2)
    }

    @Test("what was removed does not come back after a kill")
    func durable() throws {
        let provider = try Provider.start()
        let folder = try TemporaryFolder()
        let settings = provider.settings()
        func serve() throws -> (Serving, HTTPClient) {
            let serving = try Serving(["--listen", "127.0.0.1:0"], settings: settings, folder: folder)
            return (serving, HTTPClient(port: try serving.port(), key: nil))
        }
        let (first, client) = try serve()
        for text in ["kept", "gone"] { #expect(try !isHit(client, text, [("X-Weir-Tags", text)])) }
        #expect(try delete(client, #"{"tag":"gone"}"#)["l2"].int == 1)
        first.child.signal(SIGKILL)
        #expect(try first.child.waitForEnd() == 128 + SIGKILL)
        let (second, again) = try serve()
        #expect(try isHit(again, "kept"))
        #expect(try !isHit(again, "gone"))
        #expect(second.child.reap() == nil)
    }

    @Test("inspect cache shows the running server's numbers; without one, its files and rules")
    func inspect() throws {
        let rig = try Rig(caches: true)
        for _ in 1...2 { _ = try isHit(rig.client, "one") }
        let data = rig.server.dataFolder
        let json = try Verb.run(["inspect", "cache", "--json", "--rules", "--data", data])
        #expect(json.status == 0, "\(json.output)")
        #expect(try JSON(json.output)["hits"]["l1"].int == 1)
        #expect(try JSON(json.output)["rules"]["requests"].elements.count > 15)
        let text = try Verb.run(["inspect", "cache", "--data", data]).output
        for part in ["hit ratio 0.5", "l1 1, l2 0, l3 0", "absent 1", "LAYER", "volatile"] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
        #expect(!text.contains("SENTENCE"))
        #expect(try rig.server.stop() == 0)
        let stopped = try Verb.run(["inspect", "cache", "--data", data])
        #expect(stopped.status == 0 && stopped.output.contains("no server runs"))
        for part in ["cache.lmdb", "no_store", "invalid_tool_arguments", "BECAUSE"] {
            #expect(stopped.output.contains(part), "\(part) in \(stopped.output)")
        }
        #expect(try Verb.run(["inspect", "cache", "--recent", "9999", "--data", data]).status == 64)
    }
}
