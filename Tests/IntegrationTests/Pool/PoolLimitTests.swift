import Base
import Testing

/// Connections to a provider are bounded; who comes later waits, and waits no longer than the settings say.
@Suite struct PoolLimitTests {
    /// A request that the simulator never answers.
    private func hanging(_ rig: Rig) throws -> Connection {
        let connection = try rig.client.connect()
        try connection.sendRequest(
            "POST", "/v1/chat/completions", headers: rig.client.headers([("X-Simulate", "hang")]),
            body: Array(Body.chat.utf8))
        return connection
    }

    private func waiting(_ rig: Rig) throws -> Connection {
        let connection = try rig.client.connect()
        try connection.sendRequest(
            "POST", "/v1/chat/completions", headers: rig.client.headers(), body: Array(Body.chat.utf8))
        return connection
    }

    @Test("the third of max-connections = 2 waits and is served when one is free; the fourth is 503 with Retry-After")
    func waitingLine() throws {
        let rig = try Rig(lines: "max-connections = 2\nwaiting-limit = 1\nwaiting-timeout = \"30s\"")
        let busy = [try hanging(rig), try hanging(rig)]
        #expect(try eventually { try rig.provider.calls().total == 2 })
        #expect(try rig.server.metric("connection_pool_usage", label: "\"sim\"") == 1)
        let third = try waiting(rig)
        #expect(try eventually { try rig.server.metric("weir_upstream_waiting", label: "\"sim\"") == 1 })
        let fourth = try rig.client.post("/v1/chat/completions", Body.chat)
        #expect(fourth.status == 503)
        #expect(try fourth.json()["error"]["code"].string == "waiting_line_full")
        #expect(fourth.header("Retry-After").flatMap { Int($0) } ?? 0 >= 1)
        #expect(try rig.server.metric("weir_upstream_refusals_total", label: "\"sim\"") == 1)
        // The other provider has a pool of its own.
        #expect(try rig.client.post("/v1/messages", Body.messages).status == 200)
        #expect(try rig.provider.calls().total == 3)
        busy[0].close()
        #expect(try third.readResponse().status == 200)
        #expect(try rig.server.metric("weir_upstream_waiting", label: "\"sim\"") == 0)
        let row = try rig.server.ledgerRow {
            $0["status"].int == 200 && ($0["waitMs"].double ?? 0) > 0 && $0["provider"].string == "sim"
        }
        #expect(row["overheadMs"].double ?? .infinity < row["durationMs"].double ?? 0)
        #expect(busy.count == 2)
    }

    @Test("who has waited for waiting-timeout is 503 in the route's dialect, and its place is free again")
    func waitingTimeout() throws {
        let rig = try Rig(lines: "max-connections = 1\nwaiting-limit = 1\nwaiting-timeout = \"200ms\"")
        let busy = try hanging(rig)
        #expect(try eventually { try rig.provider.calls().total == 1 })
        for _ in 0..<2 {
            let answer = try rig.client.post("/v1/chat/completions", Body.chat)
            #expect(answer.status == 503)
            #expect(try answer.json()["error"]["code"].string == "waiting_timeout")
            #expect(answer.header("Retry-After") != nil)
        }
        busy.close()
        #expect(try eventually { try rig.client.post("/v1/chat/completions", Body.chat).status == 200 })
    }

    @Test("first come, first served: ten waiting requests are answered in the order in which they came")
    func order() throws {
        let first = Gate()
        let scripted = try ScriptedProvider.start { connection in
            while let request = try connection.readRequest() {
                if request.body.text.contains("number-0\"") { first.wait() }
                try connection.send(plainAnswer(200, "{}"))
            }
        }
        let server = try WeirServer.start(scripted.settings(lines: "max-connections = 1"))
        var connections: [Connection] = []
        for number in 0..<10 {
            let connection = try server.client.connect()
            try connection.sendRequest(
                "POST", "/v1/embeddings", headers: server.client.headers(),
                body: Array(#"{"model":"gpt-4o","input":"number-\#(number)"}"#.utf8))
            connections.append(connection)
            #expect(
                try eventually {
                    try server.metric("weir_upstream_waiting") == Double(max(0, number)) && scripted.connections == 1
                })
        }
        first.open()
        for connection in connections { #expect(try connection.readResponse().status == 200) }
        #expect(scripted.requests.map { $0.body.text.contains("number-") } == Array(repeating: true, count: 10))
        let numbers = scripted.requests.compactMap {
            $0.body.text.split(separator: "number-").last?.first?.wholeNumberValue
        }
        #expect(numbers == Array(0..<10))
    }

    @Test("one connection serves a hundred requests in a row, and the metrics say so")
    func reuse() throws {
        let rig = try Rig()
        for _ in 0..<100 { #expect(try rig.client.post("/v1/chat/completions", Body.chat).status == 200) }
        #expect(try rig.server.metric("weir_upstream_connections_opened_total", label: "\"sim\"") == 1)
        #expect(try rig.server.metric("weir_upstream_connections_reused_total", label: "\"sim\"") == 99)
        #expect(try rig.server.metric("weir_upstream_resends_total", label: "\"sim\"") == 0)
    }

    @Test("under load there are never more connections than max-connections, and none is lost after it")
    func bound() throws {
        let rig = try Rig(lines: "max-connections = 3")
        let client = rig.client
        try concurrently(16) { _ in
            for _ in 0..<10 {
                let answer = try client.post("/v1/chat/completions", Body.chat, simulate: "latency=2ms")
                if answer.status != 200 { throw HarnessFailure("\(answer.status): \(answer.text)") }
            }
        }
        #expect(try rig.server.metric("weir_upstream_connections_opened_total", label: "\"sim\"") <= 3)
        #expect(try rig.provider.calls().total == 160)
        #expect(try rig.server.metric("weir_upstream_transfers") == 0)
    }

    @Test("flags.pool-reuse = false: every request opens and closes a connection of its own")
    func withoutReuse() throws {
        let rig = try Rig("[flags]\npool-reuse = false\n")
        for _ in 0..<10 { #expect(try rig.client.post("/v1/chat/completions", Body.chat).status == 200) }
        #expect(try rig.server.metric("weir_upstream_connections_opened_total", label: "\"sim\"") == 10)
        #expect(try rig.server.metric("weir_upstream_connections_reused_total", label: "\"sim\"") == 0)
        #expect(try eventually { try rig.provider.calls().connectionsOpen == 1 })
    }

    @Test("a reload keeps the connections of a provider that did not change")
    func reloadKeepsConnections() throws {
        let rig = try Rig()
        #expect(try rig.client.post("/v1/chat/completions", Body.chat).status == 200)
        #expect(try rig.server.reload(rig.provider.settings() + "[server]\nbody-limit = \"2MiB\"\n"))
        #expect(try rig.client.post("/v1/chat/completions", Body.chat).status == 200)
        #expect(try rig.server.metric("weir_upstream_connections_opened_total", label: "\"sim\"") == 1)
        #expect(try rig.server.reload(rig.provider.settings(lines: "max-connections = 7")))
        #expect(try rig.client.post("/v1/chat/completions", Body.chat).status == 200)
        #expect(try rig.server.metric("weir_upstream_connections_max", label: "\"sim\"") == 7)
    }
}
