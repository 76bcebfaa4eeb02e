import Base
import Testing

/// Items 31 and 32: what a client says to the cache, and what it is told.
@Suite struct CacheControlTests {
    private let hour = "[cache]\nttl = \"1h\"\n"

    @Test("item 32: no-cache asks anew and keeps the new answer; so does max-age=0")
    func noCache() throws {
        let rig = try NumberedRig()
        #expect(try rig.text(question("x")) == "answer 1")
        let renewed = try rig.ask(question("x"), "no-cache")
        #expect(try renewed.chatText() == "answer 2")
        #expect(renewed.cacheStatus == "weir; fwd=request; stored")
        #expect(try rig.text(question("x")) == "answer 2")
        #expect(try rig.text(question("x"), "max-age=0") == "answer 3")
        #expect(try rig.ask(question("x")).chatText() == "answer 3")
        #expect(rig.calls == 3)
    }

    @Test("item 32: no-store neither reads nor writes")
    func noStore() throws {
        let rig = try NumberedRig()
        let first = try rig.ask(question("x"), "no-store")
        #expect(first.cacheStatus == "weir; fwd=bypass; detail=no_store")
        #expect(try rig.text(question("x")) == "answer 2")
        #expect(try rig.text(question("x"), "max-age=60, No-Store") == "answer 3")
        #expect(try rig.text(question("x")) == "answer 2")
    }

    @Test("items 26 and 32: max-age opts in to an earlier answer where chance was asked for, and only for who says it")
    func optIn() throws {
        let rig = try NumberedRig()
        for (index, more) in [#","temperature":0.9"#, #","n":2"#].enumerated() {
            let body = question("x\(index)", more)
            let first = try rig.ask(body, "max-age=3600")
            #expect(first.cacheStatus == "weir; fwd=miss; stored")
            let again = try rig.ask(body, "max-age=3600")
            #expect(again.isHit && again.body == first.body)
            #expect(try rig.ask(body).cacheStatus.hasPrefix("weir; fwd=bypass"))
            #expect(try rig.ask(body, "no-cache").cacheStatus.hasPrefix("weir; fwd=bypass"))
            #expect(try rig.ask(body, "max-age=nonsense").cacheStatus.hasPrefix("weir; fwd=bypass"))
        }
    }

    @Test("item 32: only-if-cached is answered from the cache or with 504, in the dialect of the route")
    func onlyIfCached() throws {
        let rig = try Rig(caches: true)
        for kind in [StreamKind.chat, .messages] {
            let miss = try rig.client.post(kind.path, kind.plainBody, headers: [("Cache-Control", "only-if-cached")])
            #expect(miss.status == 504)
            #expect(try miss.json()["error"][kind == .chat ? "code" : "type"].string != nil)
            #expect(miss.text.contains("only-if-cached"))
            let first = try rig.client.post(kind.path, kind.plainBody)
            let hit = try rig.client.post(kind.path, kind.plainBody, headers: [("Cache-Control", "only-if-cached")])
            #expect(hit.isHit && hit.body == first.body)
        }
        let bypassed = try rig.client.post(
            chatPath, question("y", #","temperature":1"#), headers: [("Cache-Control", "only-if-cached")])
        #expect(bypassed.status == 504)
        #expect(try rig.provider.calls().total == 2)
    }

    @Test("item 32: min-fresh and max-age refuse what is not fresh enough")
    func minFresh() throws {
        let rig = try NumberedRig(hour)
        #expect(try rig.text(question("x")) == "answer 1")
        #expect(try rig.text(question("x"), "min-fresh=3000") == "answer 1")
        #expect(try rig.text(question("x"), "max-age=100") == "answer 1")
        #expect(try rig.text(question("x"), "min-fresh=3601") == "answer 2")
        #expect(try rig.text(question("x"), "max-age=100, min-fresh=\"4000\"") == "answer 3")
        #expect(try rig.text(question("x"), "an-unknown-directive=1, max-age=100") == "answer 3")
    }

    @Test("item 32: Cache-Status, Age, X-Weir-Saved and Server-Timing of a hit")
    func headers() throws {
        let rig = try NumberedRig(hour)
        let first = try rig.ask(question("x"))
        #expect(first.cacheStatus == "weir; fwd=miss; stored")
        #expect(first.header("Age") == nil && first.header("X-Weir-Saved") == nil)
        // 7 tokens in at 0.15 dollars a million, 5 out at 0.60.
        #expect(first.header("X-Weir-Cost") == "0.000004050")
        let hit = try rig.ask(question("x"))
        #expect(hit.header("X-Weir-Saved") == "0.000004050")
        let ttl = try #require(hit.ttl)
        #expect((3_590...3_600).contains(ttl))
        #expect(hit.cacheStatus == "weir; hit; ttl=\(ttl); detail=l1")
        let age = try #require(hit.age)
        #expect((0...10).contains(age))
        #expect(hit.header("Server-Timing")?.hasPrefix("weir;dur=") == true)
        #expect(hit.header("Server-Timing")?.contains("upstream") == false)
        #expect(hit.requestID != first.requestID && hit.requestID != nil)
        #expect(hit.header("Content-Length") == "\(first.body.count)")
    }

    @Test("item 31: hits cost nothing, are told with the tokens they saved, and add up in /savings and the metrics")
    func ledger() throws {
        let rig = try NumberedRig(hour)
        let miss = try rig.ask(question("x"))
        let hits = try (0..<3).map { _ in try rig.ask(question("x")) }
        let bypassed = try rig.ask(question("x", #","temperature":1"#))
        let missRow = try rig.server.ledgerRow(miss.requestID)
        #expect(missRow["cache"].string == "miss" && missRow["cacheDetail"].isNull && missRow["saved"].isNull)
        for hit in hits {
            let row = try rig.server.ledgerRow(hit.requestID)
            #expect(row["cache"].string == "l1")
            #expect(row["saved"] == missRow["cost"])
            #expect(row["cost"].string.flatMap { Double($0) } == 0)
            for name in ["inputTokens", "outputTokens", "modelAnswered", "provider", "tenant", "status"] {
                #expect(row[name] == missRow[name], "\(name)")
            }
            #expect(row["sends"].int == 0, "no provider was asked")
        }
        #expect(try rig.server.ledgerRow(bypassed.requestID)["cacheDetail"].string == "randomness")
        #expect(try rig.server.requests("cache=l1").count == 3)
        let savings = try awaited("the savings") {
            let total = try rig.client.get("/savings").json()["total"]
            return total["requests"].int == 5 ? total : nil
        }
        #expect(savings["billedRequests"].int == 2 && savings["cachedRequests"].int == 3)
        #expect(savings["coalescedRequests"].int == 0)
        #expect(savings["cachedInputTokens"].int == 21 && savings["cachedOutputTokens"].int == 15)
        #expect(savings["billedInputTokens"].int == 14)
        #expect(abs((savings["cachedDollars"].double ?? 0) - 3 * 0.00000405) < 1e-12)
        #expect(try rig.server.metric("weir_cache_hits_total", label: "layer=\"l1\"") == 3)
        #expect(try rig.server.metric("weir_cache_misses_total", label: "reason=\"absent\"") == 1)
        #expect(try rig.server.metric("cache_hit_ratio", label: "layer=\"l1\"") == 0.75)
    }

    @Test("item 29: an answer is kept under the model that answered")
    func answeringModel() throws {
        let scripted = try ScriptedProvider.start(
            answering: plainAnswer(200, chatDocument("hi", model: "gpt-4o-mini-2024-07-18")))
        let server = try WeirServer.start(scripted.settings(), caches: true)
        _ = try server.client.post(chatPath, Body.chat)
        let hit = try server.client.post(chatPath, Body.chat)
        #expect(hit.isHit)
        let row = try server.ledgerRow(hit.requestID)
        #expect(row["modelAnswered"].string == "gpt-4o-mini-2024-07-18")
        #expect(row["model"].string == "gpt-4o-mini")
    }
}
