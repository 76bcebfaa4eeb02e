import Base
import Testing

/// Items 24 and 25: what makes two requests the same.
@Suite struct CacheIdentityTests {
    private static let base =
        #"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"In Zürich?"}],"temperature":0,"max_tokens":100,"#
        + #""top_p":0.5,"stop":["a","b"]}"#

    private static let same = [
        #"{"stop":["a","b"],"top_p":0.5,"max_tokens":100,"temperature":0,"#
            + #""messages":[{"content":"In Zürich?","role":"user"}],"model":"gpt-4o-mini"}"#,
        "\n{ \"model\" : \"gpt-4o-mini\",\t\"messages\":\r\n[ {\"role\":\"user\",\"content\":\"In Zürich?\"} ],"
            + "\"temperature\":0 ,\"max_tokens\": 100,\"top_p\":0.5,\"stop\":[\"a\" , \"b\"]}\n",
        base.replacing(":0,", with: ":0.0,").replacing("0.5", with: "5e-1").replacing("100", with: "1.00E2"),
        base.replacing(":0,", with: ":0e9,").replacing("0.5", with: "0.500").replacing("100", with: "1000e-1"),
        base.replacing("ü", with: "\\u00fc").replacing("content", with: "\\u0063ontent"),
        base.replacing("}]", with: #"}],"user":"someone","metadata":{"a":"b"},"safety_identifier":"x""#),
        base.replacing("{\"model\"", with: #"{"prompt_cache_key":"k","stream":false,"stream_options":null,"model""#),
    ]

    @Test("item 24: key order, white space, number spelling, escapes and who asks make no difference")
    func equal() throws {
        let rig = try Rig(caches: true)
        let first = try rig.client.post(chatPath, Self.base)
        #expect(first.status == 200)
        #expect(first.cacheStatus == "weir; fwd=miss; stored")
        for body in Self.same {
            let answer = try rig.client.post(chatPath, body)
            #expect(answer.isHit && answer.body == first.body, "\(answer.status) \(answer.cacheStatus): \(body)")
        }
        #expect(try rig.provider.calls().total == 1)
    }

    private static let image =
        #"[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"data:image/png;base64,"#

    /// Members in place of the base's; each makes another request of it.
    private static let changes: [(String, String)] = [
        ("In Zürich?", "In Zürich? "), ("In Zürich?", "in Zürich?"), ("In Zürich?", "In Zu\u{308}rich?"),
        (#""temperature":0"#, #""seed":1"#), (#""temperature":0"#, #""seed":2"#),
        (#""temperature":0"#, #""temperature":0,"seed":1"#), ("100", "101"), ("100", "100.5"), ("100", #""100""#),
        ("0.5", "0.5000000000000000000001"), (#"["a","b"]"#, #"["b","a"]"#), (#"["a","b"]"#, #"["a"]"#),
        (#"["a","b"]"#, #""ab""#), ("max_tokens", "max_completion_tokens"), ("max_tokens", "Max_tokens"),
        ("user", "system"), ("gpt-4o-mini", "gpt-4o"), ("gpt-4o-mini", "GPT-4o-mini".lowercased() + "-2"),
        (#""top_p":0.5"#, #""presence_penalty":0.5"#), (#""top_p":0.5"#, #""logprobs":true"#),
        (#""top_p":0.5"#, #""logprobs":1"#), (#""top_p":0.5"#, #""response_format":{"type":"json_object"}"#),
        (#""top_p":0.5"#, #""reasoning_effort":"low""#), (#""top_p":0.5"#, #""service_tier":"flex""#),
        (#""top_p":0.5"#, #""tools":[{"type":"function","function":{"name":"f"}}]"#),
        (#""top_p":0.5"#, #""tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"none""#),
        (#""top_p":0.5"#, #""a_field_of_tomorrow":1"#), (#""top_p":0.5"#, #""a_field_of_tomorrow":[1]"#),
        ("\"In Zürich?\"}]", "\"In Zürich?\",\"name\":\"n\"}]"),
        (#""In Zürich?""#, "\(image)AAAA\"}}]"), (#""In Zürich?""#, "\(image)AAAB\"}}]"),
        (
            "}]",
            #"},{"role":"assistant","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]}]"#
        ),
        (
            "}]",
            #"},{"role":"assistant","tool_calls":[{"id":"call_2","type":"function","function":{"name":"f","arguments":"{}"}}]}]"#
        ),
    ]

    @Test("items 24 and 25: any other field, known or not, makes another request, which is then kept for itself")
    func different() throws {
        let rig = try NumberedRig()
        #expect(try rig.text(Self.base) == "answer 1")
        for (index, change) in Self.changes.enumerated() {
            let body = Self.base.replacing(change.0, with: change.1)
            let first = try rig.ask(body)
            #expect(try first.chatText() == "answer \(index + 2)", "\(change): \(first.cacheStatus)")
            let again = try rig.ask(body)
            #expect(again.isHit && again.body == first.body, "\(change): \(again.cacheStatus)")
        }
        #expect(try rig.ask(Self.base).chatText() == "answer 1")
    }

    @Test("item 24: headers that change an answer divide, others do not; so does the query")
    func headers() throws {
        let rig = try NumberedRig()
        func ask(_ headers: [(String, String)], _ query: String = "") throws -> Response {
            try rig.client.post(chatPath + query, Self.base, headers: headers)
        }
        #expect(try !ask([]).isHit)
        let others = [
            ("User-Agent", "x"), ("X-Stainless-Lang", "swift"), ("X-Request-Id", "r"), ("Accept", "*/*"),
            ("traceparent", "00-1"),
        ]
        #expect(try ask(others).isHit)
        let dividing = [
            ("anthropic-beta", "a"), ("Anthropic-Beta", "b"), ("anthropic-version", "2023-06-01"),
            ("OpenAI-Organization", "o"),
            ("OpenAI-Project", "p"), ("openai-project", "q"), ("OpenAI-Beta", "v2"),
        ]
        for header in dividing {
            #expect(try !ask([header]).isHit, "\(header)")
            #expect(try ask([header]).isHit, "\(header)")
        }
        #expect(try !ask([dividing[0], dividing[4]]).isHit)
        #expect(try !ask([], "?beta=true").isHit)
        #expect(try ask([], "?beta=true").isHit)
        #expect(try ask([]).isHit)
        #expect(rig.calls == 1 + dividing.count + 2)
    }

    @Test("items 24 and S11: tenants and namespaces never share an answer, keys of one tenant do")
    func tenants() throws {
        let rig = try NumberedRig()
        func client(_ name: String, _ tenant: String) throws -> HTTPClient {
            rig.server.client(key: try rig.server.createKey(name, tenant: tenant))
        }
        let (a, sibling, b) = (try client("a", "team-a"), try client("a2", "team-a"), try client("b", "team-b"))
        #expect(try rig.ask(Self.base, client: a).chatText() == "answer 1")
        #expect(try rig.ask(Self.base, client: sibling).chatText() == "answer 1")
        #expect(try rig.ask(Self.base, client: b).chatText() == "answer 2")
        #expect(try rig.ask(Self.base).chatText() == "answer 3")
        func inSpace(_ name: String) throws -> String? {
            try a.post(chatPath, Self.base, headers: [("X-Weir-Namespace", name)]).chatText()
        }
        #expect(try inSpace("one") == "answer 4")
        #expect(try inSpace("two") == "answer 5")
        #expect(try inSpace("one") == "answer 4")
        #expect(try rig.ask(Self.base, client: a).chatText() == "answer 1")
        let bad = try a.post(chatPath, Self.base, headers: [("X-Weir-Namespace", "no space")])
        #expect(bad.status == 400)
        #expect(try bad.json()["error"]["code"].string == "invalid_cache_header")
    }

    @Test("item 24: the provider and the model that is really asked stand in the key, an alias does not")
    func aliases() throws {
        let rig = try Rig(
            """
            [models.fast]
            targets = [{provider = "sim", model = "gpt-4o-mini"}]
            [models.other]
            targets = [{provider = "second", model = "gpt-4o-mini"}]
            [providers.second]
            dialect = "openai"
            base-url = "http://localhost:1/v1"
            """, caches: true)
        #expect(try !rig.client.post(chatPath, Self.base).isHit)
        #expect(try rig.client.post(chatPath, Self.base.replacing("gpt-4o-mini", with: "fast")).isHit)
        let elsewhere = try rig.client.post(chatPath, Self.base.replacing("gpt-4o-mini", with: "other"))
        #expect(elsewhere.status == 502)
        #expect(try rig.provider.calls().total == 1)
    }

    @Test("item 24: two routes are two requests, whatever their bodies")
    func routes() throws {
        let rig = try Rig(caches: true)
        let body =
            #"{"model":"MODEL","messages":[{"role":"user","content":"x"}],"input":"x","max_tokens":90,"store":false}"#
        let routes = [
            (chatPath, "gpt-4o"), ("/v1/completions", "gpt-4o"), ("/v1/embeddings", "gpt-4o"),
            ("/v1/messages", "claude-a"),
            ("/v1/messages/count_tokens", "claude-a"),
        ]
        let bodies = try routes.map { path, model in
            let answer = try rig.client.post(path, body.replacing("MODEL", with: model))
            #expect(answer.status == 200 && !answer.isHit, "\(path): \(answer.text)")
            return answer.body
        }
        for (index, (path, model)) in routes.enumerated() {
            let answer = try rig.client.post(path, body.replacing("MODEL", with: model))
            #expect(answer.isHit && answer.body == bodies[index], "\(path): \(answer.cacheStatus)")
        }
        #expect(try rig.provider.calls().total == routes.count)
    }

    @Test("item 34: who may not ask gets nothing from the cache either")
    func accessComesFirst() throws {
        let rig = try NumberedRig()
        let made = try rig.client.post("/keys", #"{"name":"k","tenant":"admin","scopes":["ai"]}"#).json()
        let client = rig.server.client(key: made["key"].string)
        #expect(try !rig.ask(Self.base, client: client).isHit)
        #expect(try rig.ask(Self.base, client: client).isHit)
        let weak = rig.server.client(key: try rig.server.createKey("m", tenant: "admin", scopes: ["metrics"]))
        #expect(try rig.ask(Self.base, client: weak).status == 403)
        #expect(try rig.client.request("DELETE", "/keys/\(made["id"].string ?? "")").status == 200)
        #expect(try rig.ask(Self.base, client: client).status == 401)
        #expect(rig.calls == 1)
    }
}
