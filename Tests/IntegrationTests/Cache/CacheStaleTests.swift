import Base
import Testing

/// Item 32 and the issue's section 4: answers past their life, and answers of a life that ends at once.
@Suite struct CacheStaleTests {
    private func settings(_ ttl: String, revalidate: String = "0s", error: String = "0s") -> String {
        "[cache]\nttl = \"\(ttl)\"\nstale-while-revalidate = \"\(revalidate)\"\nstale-if-error = \"\(error)\"\n"
    }

    @Test("life: a ttl of zero keeps nothing, the longest does not overflow, and an ended life is a miss")
    func lives() throws {
        let rig = try NumberedRig(settings("0s"))
        #expect(try rig.ask(Body.chat).cacheStatus == "weir; fwd=miss; detail=not_kept")
        #expect(try rig.text(Body.chat) == "answer 2")
        #expect(try rig.reload(settings("365d", revalidate: "365d", error: "365d")))
        #expect(try rig.text(Body.chat) == "answer 3")
        let hit = try rig.ask(Body.chat)
        #expect((365 * 86_400 - 10...365 * 86_400).contains(hit.ttl ?? 0), "\(hit.cacheStatus)")
        #expect(try rig.reload(settings("300ms")))
        #expect(try rig.text(question("x")) == "answer 4")
        #expect(try rig.ask(question("x")).isHit)
        letPass(.milliseconds(310))
        #expect(try rig.text(question("x")) == "answer 5")
        #expect(try rig.server.metric("weir_cache_misses_total", label: "reason=\"absent\"") >= 4)
    }

    @Test("stale-while-revalidate: the old answer at once, and one call behind all who ask renews it")
    func whileRevalidate() throws {
        let rig = try NumberedRig(settings("700ms", revalidate: "60s"))
        #expect(try rig.text(Body.chat) == "answer 1")
        rig.provider?.hold()
        letPass(.milliseconds(720))
        for _ in 0..<6 {
            let answer = try rig.ask(Body.chat)
            #expect(try answer.chatText() == "answer 1")
            #expect(answer.cacheDetail == "stale" && answer.isHit && (answer.ttl ?? 1) <= 0, "\(answer.cacheStatus)")
        }
        #expect(eventually { rig.calls == 2 })
        rig.provider?.release()
        _ = try awaited("the new answer") { try rig.text(Body.chat) == "answer 1" ? nil : true }
        let row = try rig.server.ledgerRow { $0["cache"].string == "refresh" }
        #expect(row["cost"].string == "0.000004050" && row["saved"].isNull)
        let stale = try rig.server.requests("cache=stale")
        #expect(stale.count >= 6 && stale.allSatisfy { $0["cost"].string == "0.000000000" })
    }

    @Test("stale-while-revalidate: who joined another's call to renew an answer does not end its renewals for good")
    func renewalJoins() throws {
        let rig = try NumberedRig(settings("200ms", revalidate: "60s"))
        #expect(try rig.text(Body.chat) == "answer 1")
        letPass(.milliseconds(220))
        rig.provider?.hold()
        // Wants a fresher answer than there is, and waits for it.
        let demanding = try CacheFlightTests.send(rig.client, chatPath, Body.chat, [("Cache-Control", "min-fresh=100")])
        #expect(eventually { rig.calls == 2 })
        #expect(try rig.ask(Body.chat).cacheDetail == "stale")
        rig.provider?.release()
        #expect(try demanding.readResponse().chatText() == "answer 2")
        letPass(.milliseconds(220))
        #expect(try rig.ask(Body.chat).cacheDetail == "stale")
        #expect(eventually(within: .seconds(3)) { rig.calls == 3 }, "the stale answer is renewed")
    }

    @Test("early refresh: an answer in demand is renewed shortly before its life ends, and nobody waits for it")
    func earlyRefresh() throws {
        let rig = try NumberedRig(settings("900ms"))
        rig.provider?.hold()
        let first = try CacheFlightTests.send(rig.client, chatPath, Body.chat)
        // The provider is slow: that is why nobody should wait for it again.
        letPass(.milliseconds(200))
        rig.provider?.release()
        #expect(try first.readResponse().chatText() == "answer 1")
        let renewed = try eventually(within: .seconds(2)) {
            let answer = try rig.ask(Body.chat)
            #expect(answer.cacheDetail == "l1", "\(answer.cacheStatus)")
            return try answer.chatText() == "answer 2"
        }
        #expect(renewed && rig.calls == 2)
    }

    @Test("stale-while-revalidate: a renewal that fails leaves the old answer, and the next one tries again")
    func failedRenewal() throws {
        let rig = try NumberedRig(settings("200ms", revalidate: "60s"))
        #expect(try rig.text(Body.chat) == "answer 1")
        letPass(.milliseconds(220))
        rig.provider?.refusal.set(500)
        for round in 2...4 {
            #expect(try rig.text(Body.chat) == "answer 1")
            #expect(eventually { rig.calls >= round })
        }
        rig.provider?.refusal.set(nil)
        _ = try awaited("the new answer") { try rig.text(Body.chat) == "answer 1" ? nil : true }
    }

    /// Closes each connection after its answer, so that a stopped provider refuses the next one.
    private func closingProvider(_ status: Shared<Int>) throws -> ScriptedProvider {
        try ScriptedProvider.start { connection in
            guard try connection.readRequest() != nil else { return }
            let code = status.now
            if code == 0 { return connection.reset() }
            let body = code == 200 ? chatDocument("from before") : #"{"error":{"message":"no"}}"#
            try connection.send(plainAnswer(code, body, headers: [("Connection", "close")]))
        }
    }

    @Test("stale-if-error: while the provider fails or is gone, the old answer, marked; a refusal passes")
    func ifError() throws {
        let status = Shared(200)
        let scripted = try closingProvider(status)
        let server = try WeirServer.start(scripted.settings() + settings("150ms", error: "1h"), caches: true)
        func ask(_ body: String = Body.chat, _ control: String? = nil) throws -> Response {
            try server.client.post(chatPath, body, headers: control.map { [("Cache-Control", $0)] } ?? [])
        }
        #expect(try ask().status == 200)
        letPass(.milliseconds(160))
        func expectStale(_ what: String) throws {
            for body in [Body.chat, Body.chatStream] {
                let answer = try ask(body)
                #expect(
                    answer.status == 200 && answer.cacheDetail == "stale",
                    "\(what): \(answer.status) \(answer.cacheStatus)")
                #expect(answer.text.contains("from before") && (answer.ttl ?? 1) <= 0)
            }
        }
        for code in [500, 503, 529, 0] {
            status.set(code)
            try expectStale("\(code)")
        }
        status.set(400)
        #expect(try ask().status == 400)
        status.set(503)
        #expect(try ask(Body.chat, "stale-if-error=0").status == 503)
        #expect(try ask(Body.chat, "no-cache").status == 503)
        #expect(try ask(Body.chat, "no-cache, stale-if-error=60").cacheDetail == "stale")
        let before = scripted.requests.count
        scripted.stop()
        try expectStale("connection refused")
        #expect(try ask(question("never asked")).status == 502)
        #expect(scripted.requests.count == before)
        let row = try server.ledgerRow { $0["cache"].string == "stale" }
        #expect(row["status"].int == 200 && row["error"].isNull && row["cost"].string == "0.000000000")
    }

    @Test("max-stale: who takes an old answer gets it, for as long as it says")
    func maxStale() throws {
        let rig = try NumberedRig(settings("150ms", error: "1h"))
        #expect(try rig.text(Body.chat) == "answer 1")
        letPass(.milliseconds(160))
        rig.provider?.hold()
        for control in ["max-stale", "max-stale=60"] {
            let answer = try rig.ask(Body.chat, control)
            #expect(answer.cacheDetail == "stale", "\(control): \(answer.cacheStatus)")
            #expect(try answer.chatText() == "answer 1")
        }
        rig.provider?.release()
        #expect(try rig.text(Body.chat, "max-stale=0") != "answer 1")
    }
}
