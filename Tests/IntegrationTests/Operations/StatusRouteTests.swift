import Base
import Testing

/// `GET /status`, `/config` and `/health/*`.
@Suite struct StatusRouteTests {
    @Test("status counts the day's requests, tokens and dollars, and never names a secret")
    func status() throws {
        let rig = try Rig("[models.\"gpt-4o-mini\"]\ntargets = [\"sim\"]\nprice-input = 1\nprice-output = 1\n")
        for _ in 0..<5 { _ = try rig.client.post("/v1/chat/completions", Body.chat) }
        _ = try rig.client.post("/v1/messages", Body.messages)
        let status = try rig.client.get("/status").json()
        #expect(status["listen"].string == "127.0.0.1:\(rig.server.port)")
        #expect(status["draining"].bool == false)
        #expect(status["uptimeSeconds"].int ?? -1 >= 0)
        #expect(status["memoryBytes"].int ?? 0 > 1 << 20)
        #expect(status["openFiles"].int ?? 0 > 5)
        #expect(status["openConnections"].int == 1)
        #expect(Set(status["providers"].elements.compactMap { $0["name"].string }) == ["sim", "anth"])
        #expect(status["ledger"]["dropped"].int == 0 && status["ledger"]["movedAside"].int == 0)
        let day = status["lastDay"].elements
        #expect(day.reduce(0) { $0 + ($1["requests"].int ?? 0) } == 6)
        let chat = try #require(day.first { $0["requests"].int == 5 })
        #expect(chat["inputTokens"].int ?? 0 > 0 && chat["outputTokens"].int ?? 0 > 0)
        let tokens = Double((chat["inputTokens"].int ?? 0) + (chat["outputTokens"].int ?? 0))
        #expect(abs((chat["costDollars"].double ?? -1) - tokens / 1e6) < 1e-9)
        #expect(!(try rig.client.get("/config").text.contains(rig.server.adminKey)))
    }

    @Test("config tells each setting's value and where it came from")
    func config() throws {
        let server = try WeirServer.start("[server]\nbody-limit = \"3MiB\"\n")
        let text = try server.client.get("/config").text
        #expect(text.contains("3MiB"))
        #expect(text.contains("appliance.conf:"))
        #expect(text.contains("default"))
    }

    @Test("health needs no key and tells nothing but itself")
    func health() throws {
        let server = try WeirServer.start("[auth]\nadmin-key = \"env:ADMIN_KEY\"\nanonymous = \"none\"\n")
        for path in ["/health/live", "/health/ready"] {
            let answer = try server.client(key: nil).get(path)
            #expect(answer.status == 200)
            #expect(answer.text == #"{"status":"ok"}"#)
        }
    }
}
