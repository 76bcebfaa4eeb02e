import Base
import Testing

/// U3 and R10: a client may go away at any moment; the pool is whole afterwards.
@Suite struct CancelTests {
    /// What a client does before it goes.
    private enum Moment: CaseIterable {
        case inBody, afterRequest, waitingForHead, inStream, inPlain, inUpload, inWaitingLine, dripped
    }

    private func leave(at moment: Moment, _ rig: Rig, _ random: inout SeededRandom) throws {
        let connection = try rig.client.connect()
        func send(_ simulate: String?, _ body: String = Body.chat) throws {
            try connection.sendRequest(
                "POST", "/v1/chat/completions",
                headers: rig.client.headers(simulate.map { [("X-Simulate", $0)] } ?? []),
                body: Array(body.utf8))
        }
        switch moment {
        case .inBody:
            try connection.sendRequest(
                "POST", "/v1/chat/completions", headers: rig.client.headers([("Content-Length", "1000")]),
                body: Array("{\"m".utf8))
        case .afterRequest: try send(nil)
        case .waitingForHead: try send("hang")
        case .dripped: try send("drip")
        case .inStream:
            try send("stall=3", Body.chatStream)
            _ = try connection.read(until: "\n\n")
        case .inPlain:
            try send("big=5000000")
            _ = try connection.read(exactly: Int.random(in: 1..<400_000, using: &random))
        case .inUpload:
            try connection.sendRequest(
                "POST", "/v1/vector_stores", headers: rig.client.headers([("Content-Length", "1000000")]),
                body: [UInt8](repeating: 0x20, count: Int.random(in: 0..<100_000, using: &random)))
        case .inWaitingLine:
            // More than the pool holds: some wait when they are dropped.
            let others = try (0..<6).map { _ in try rig.client.connect() }
            for other in others + [connection] {
                try other.sendRequest(
                    "POST", "/v1/chat/completions", headers: rig.client.headers([("X-Simulate", "hang")]),
                    body: Array(Body.chat.utf8))
            }
            _ = try eventually { try rig.server.metric("weir_upstream_waiting", label: "\"sim\"") > 0 }
            for other in others { if Bool.random(using: &random) { other.reset() } else { other.close() } }
        }
        if Bool.random(using: &random) { connection.reset() } else { connection.close() }
    }

    @Test(
        "U3, R10: two hundred clients leave at every moment of a request; no transfer, slot or descriptor stays behind")
    func everyMoment() throws {
        let rig = try Rig(lines: "max-connections = 4\nwaiting-timeout = \"60s\"")
        let client = rig.client
        try concurrently(4) { _ in
            for _ in 0..<5 { _ = try client.post("/v1/chat/completions", Body.chat, simulate: "latency=5ms") }
        }
        let before = names(in: "/proc/\(rig.server.pid)/fd").count
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        for round in 0..<200 {
            // The waiting line takes seven clients a time: every tenth round is enough of it.
            let others = Moment.allCases.filter { $0 != .inWaitingLine }
            let moment = round % 10 == 9 ? .inWaitingLine : others[Int.random(in: others.indices, using: &random)]
            try leave(at: moment, rig, &random)
        }
        #expect(try eventually { try rig.server.metric("weir_upstream_transfers") == 0 }, "seed \(seed)")
        #expect(try rig.server.metric("weir_upstream_waiting") == 0, "seed \(seed)")
        #expect(try eventually { try rig.server.metric("weir_requests_active") == 0 }, "seed \(seed)")
        #expect(try eventually { try rig.server.metric("weir_connections_open") == 1 }, "seed \(seed)")
        try concurrently(4) { _ in
            for _ in 0..<5 {
                let answer = try client.post("/v1/chat/completions", Body.chat)
                guard answer.status == 200, try answer.json()["object"].string == "chat.completion" else {
                    throw HarnessFailure("seed \(seed): \(answer.status) \(answer.text)")
                }
            }
        }
        let slack = before + 2
        #expect(eventually { names(in: "/proc/\(rig.server.pid)/fd").count <= slack }, "seed \(seed)")
        #expect(try eventually { try rig.provider.calls().active == 0 }, "seed \(seed)")
    }

    @Test(
        "U1: the simulator's whole list of misbehaviours leaves the pool answering",
        arguments: [
            "reset=0", "reset=100", "close", "close=50", "truncate", "bad-chunk", "extra", "close-idle", "malformed",
            "bad-utf8",
            "missing-blank", "no-done", "error-first", "error-mid=2", "html=502", "status=500", "gzip=force",
            "long-line=300000",
            "crlf", "comments", "usage-delta", "no-usage", "utf8", "big=3000000",
        ])
    func misbehaviour(simulate: String) throws {
        let rig = try Rig(lines: "max-connections = 2\nidle-timeout = \"2s\"")
        for kind in StreamKind.allCases {
            for body in [kind.plainBody, kind.body] {
                // Whatever comes, or however it ends: it ends.
                let connection = try rig.client.connect()
                try connection.sendRequest(
                    "POST", kind.path,
                    headers: rig.client.headers([("X-Simulate", simulate), ("Connection", "close")]),
                    body: Array(body.utf8))
                #expect(connection.waitForEnd() != .timedOut, "\(kind)")
            }
            for _ in 0..<2 { #expect(try rig.client.post(kind.path, kind.plainBody).status == 200, "\(kind)") }
        }
        #expect(try rig.server.metric("weir_upstream_transfers") == 0)
        #expect(try rig.server.metric("weir_requests_active") == 0)
    }
}
