import Base
import Synchronization
import Testing

/// Items 20 to 22: what a refusal asks for, what must not be done twice, why it failed.
@Suite struct RetryTests {
    private static let hints: [(simulate: String, header: String)] = [
        ("retry-after=7", "retry-after"), ("retry-after=86400", "retry-after"), ("retry-after-date=30", "retry-after"),
        ("retry-after-ms=250", "retry-after-ms"), ("x-ms-retry-after-ms=300", "x-ms-retry-after-ms"),
        ("reset-header=3", "anthropic-ratelimit-requests-reset"),
    ]

    @Test("item 20: the provider's hint when to come back reaches the client in every form", arguments: hints)
    func hintsPass(simulate: String, header: String) throws {
        let rig = try Rig()
        for (kind, status) in [(StreamKind.chat, 429), (.messages, 429), (.messages, 529), (.responses, 503)] {
            if header.hasPrefix("anthropic") && kind != .messages { continue }
            let behaviour = "status=\(status),\(simulate)"
            let direct = try rig.direct.post(kind.path, kind.body, simulate: behaviour)
            let answer = try rig.client.post(kind.path, kind.body, simulate: behaviour)
            #expect(answer.status == status)
            let hint = try #require(answer.header(header), "\(kind)")
            // A moment may have changed between the two calls.
            #expect(hint == direct.header(header) || simulate.contains("date") || simulate.contains("reset"))
        }
    }

    @Test("item 20: an error page that has to be wrapped keeps its Retry-After", arguments: StreamKind.allCases)
    func hintOfAPage(kind: StreamKind) throws {
        let rig = try Rig()
        let answer = try rig.client.post(kind.path, kind.body, simulate: "html=503,retry-after=7")
        #expect(answer.status == 503)
        #expect(answer.header("retry-after") == "7")
    }

    @Test("item 20: a refusal of the gateway's own says when to come back")
    func ownRefusal() throws {
        let rig = try Rig(lines: "max-connections = 1\nwaiting-limit = 1\nwaiting-timeout = \"200ms\"")
        let (head, stream) = try rig.client.stream("/v1/chat/completions", Body.chatStream, simulate: "stall=1")
        #expect(head.status == 200)
        let refused = try rig.client.post("/v1/chat/completions", Body.chat)
        #expect(refused.status == 503)
        #expect(try refused.json()["error"]["code"].string == "waiting_timeout")
        #expect((refused.header("retry-after").flatMap { Int($0) } ?? 0) >= 1)
        stream.connection.close()
    }

    /// A provider that refuses one of its keys with the given answer, and notes which key came.
    private func twoKeys(_ refusal: String, _ lines: String = "") throws -> (ScriptedProvider, WeirServer) {
        let scripted = try ScriptedProvider.start { connection in
            while let request = try connection.readRequest() {
                try connection.send(request.header("authorization") == "Bearer bad" ? refusal : plainAnswer(200, "{}"))
            }
        }
        let keys = "keys = [\"env:BAD\", \"env:GOOD\"]\n"
        let server = try WeirServer.start(
            scripted.settings(lines: keys + lines), environment: ["BAD": "bad", "GOOD": "good"])
        return (scripted, server)
    }

    private func keys(_ scripted: ScriptedProvider) -> [String] {
        scripted.requests.map { $0.header("authorization")?.replacing("Bearer ", with: "") ?? "none" }
    }

    private static let refusals = [
        plainAnswer(429, #"{"error":{"message":"slow"}}"#, headers: [("Retry-After", "60")]),
        plainAnswer(429, #"{"error":{"message":"slow"}}"#, headers: [("retry-after-ms", "60000")]),
        plainAnswer(429, #"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#),
        plainAnswer(401, #"{"error":{"message":"revoked"}}"#), plainAnswer(403, #"{"error":{"message":"no"}}"#),
    ]

    @Test("item 20: of two keys the one that was refused rests and the other goes on", arguments: refusals)
    func refusedKeyRests(refusal: String) throws {
        let (scripted, server) = try twoKeys(refusal)
        let statuses = try (0..<6).map { _ in try server.client.post("/v1/chat/completions", Body.chat).status }
        #expect(keys(scripted) == ["bad"] + Array(repeating: "good", count: 5))
        #expect(statuses.dropFirst().allSatisfy { $0 == 200 })
    }

    @Test(
        "item 20: keys are used in turn, and an error that is not the key's fault rests none",
        arguments: [
            plainAnswer(503, "{}", headers: [("Retry-After", "60")]), plainAnswer(400, "{}"), plainAnswer(200, "{}"),
        ])
    func keysTakeTurns(answer: String) throws {
        let (scripted, server) = try twoKeys(answer)
        for _ in 0..<6 { _ = try server.client.post("/v1/chat/completions", Body.chat) }
        #expect(keys(scripted) == ["bad", "good", "bad", "good", "bad", "good"])
    }

    @Test("item 20: a hint of a day does not freeze a key: key-cooldown-max is the longest rest")
    func hintIsCapped() throws {
        let (scripted, server) = try twoKeys(
            plainAnswer(429, "{}", headers: [("Retry-After", "86400")]), "key-cooldown-max = \"300ms\"")
        #expect(try server.client.post("/v1/chat/completions", Body.chat).header("retry-after") == "86400")
        #expect(try server.client.post("/v1/chat/completions", Body.chat).status == 200)
        #expect(
            try eventually(within: .seconds(5)) {
                try server.client.post("/v1/chat/completions", Body.chat).status == 429
            })
        #expect(keys(scripted).count { $0 == "bad" } == 2)
    }

    @Test("item 20: a single key never rests: the provider's own answer is the truth")
    func singleKey() throws {
        let scripted = try ScriptedProvider.start(answering: plainAnswer(429, "{}", headers: [("Retry-After", "60")]))
        let server = try WeirServer.start(scripted.settings(lines: #"key = "env:ONE""#), environment: ["ONE": "one"])
        for _ in 0..<3 { #expect(try server.client.post("/v1/chat/completions", Body.chat).status == 429) }
        #expect(keys(scripted) == ["one", "one", "one"])
    }

    /// Answers a connection's first request, and closes the connection when the next one has come; `revives`: other
    /// connections than the first are served without end.
    private func dyingConnection() throws -> (ScriptedProvider, WeirServer) {
        let scripted = try ScriptedProvider.start { connection in
            while try connection.readRequest() != nil {
                let served = connection.number > 0 || connection.requestCount == 1
                guard served else { return }
                try connection.send(plainAnswer(200, #"{"id":"resp_x"}"#))
            }
        }
        let server = try WeirServer.start(scripted.settings())
        #expect(try server.client.post("/v1/chat/completions", Body.chat).status == 200)
        return (scripted, server)
    }

    @Test("item 21: a chat on a kept connection that dies is sent again once, and the ledger says so")
    func chatIsResent() throws {
        let (scripted, server) = try dyingConnection()
        let answer = try server.client.post("/v1/chat/completions", Body.chat)
        #expect(answer.status == 200)
        #expect(scripted.requests.map(\.connection) == [0, 0, 1])
        #expect(try server.ledgerRow(answer.requestID)["sends"].int == 2)
    }

    private static let notTwice: [(path: String, body: String)] = [
        ("/v1/responses", #"{"model":"gpt-4o","input":"hi","background":true}"#), ("/v1/images/generations", "{}"),
        ("/v1/batches", #"{"endpoint":"/v1/embeddings"}"#),
    ]

    @Test("item 21: what must not be done twice is not: 502 unknown_outcome", arguments: notTwice)
    func unsafeIsNotResent(path: String, body: String) throws {
        let (scripted, server) = try dyingConnection()
        let answer = try server.client.post(path, body)
        #expect(answer.status == 502)
        #expect(try answer.json()["error"]["code"].string == "unknown_outcome")
        #expect(scripted.requests.count == 2)
        #expect(try server.ledgerRow(answer.requestID)["error"].string == "unknown_outcome")
        #expect(try server.client.post(path, body).status == 200, "the next one gets a new connection")
    }

    @Test("item 21: with an Idempotency-Key it is sent again")
    func idempotencyKey() throws {
        let (scripted, server) = try dyingConnection()
        let (path, body) = Self.notTwice[0]
        let answer = try server.client.post(path, body, headers: [("Idempotency-Key", "k-1")])
        #expect(answer.status == 200)
        #expect(scripted.requests.map(\.connection) == [0, 0, 1])
        #expect(scripted.requests.allSatisfy { $0.body.text == body || $0.uri == "/v1/chat/completions" })
        #expect(scripted.requests.last?.header("idempotency-key") == "k-1")
    }

    @Test("item 21: a new connection that dies is not tried again for anybody")
    func freshConnectionDies() throws {
        let scripted = try ScriptedProvider.start { connection in _ = try connection.readRequest() }
        let server = try WeirServer.start(scripted.settings())
        let answer = try server.client.post("/v1/chat/completions", Body.chat)
        #expect(answer.status == 502)
        #expect(scripted.requests.count == 1)
        #expect(try server.ledgerRow(answer.requestID)["sends"].int == 1)
    }

    private static let causes: [(status: Int, body: String, cause: String)] = [
        (400, #"{"error":{"message":"x","code":"context_length_exceeded"}}"#, "context_length_exceeded"),
        (
            400, #"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9"}}"#,
            "context_length_exceeded"
        ),
        (400, #"{"error":{"message":"x","code":"content_policy_violation"}}"#, "content_policy"),
        (400, #"{"error":{"message":"bad temperature"}}"#, "invalid_request"),
        (401, #"{"error":{"message":"x"}}"#, "key_rejected"), (403, "{}", "key_rejected"),
        (402, #"{"error":{"message":"pay"}}"#, "quota_exhausted"),
        (429, #"{"error":{"message":"x","code":"insufficient_quota"}}"#, "quota_exhausted"),
        (429, #"{"error":{"message":"x","code":"rate_limit_exceeded"}}"#, "rate_limited"),
        (404, #"{"error":{"message":"x","code":"model_not_found"}}"#, "not_found"),
        (503, #"{"error":{"message":"x"}}"#, "overloaded"),
        (529, #"{"error":{"type":"overloaded_error"}}"#, "overloaded"),
        (500, #"{"error":{"message":"x"}}"#, "provider_error"), (413, #"{"error":{"message":"x"}}"#, "invalid_request"),
    ]

    @Test("item 22: the ledger names the cause of each refusal")
    func causes() throws {
        let next = Shared(0)
        let scripted = try ScriptedProvider.start { connection in
            while try connection.readRequest() != nil {
                let (status, body, _) = Self.causes[next.now]
                try connection.send(plainAnswer(status, body))
            }
        }
        let server = try WeirServer.start(scripted.settings())
        for (index, (status, _, cause)) in Self.causes.enumerated() {
            next.value.withLock { $0 = index }
            let answer = try server.client.post("/v1/chat/completions", Body.chat)
            #expect(answer.status == status)
            let row = try server.ledgerRow(answer.requestID)
            #expect(row["error"].string == cause)
            #expect(row["status"].int == status)
            #expect(row["cost"].isNull)
        }
    }
}
