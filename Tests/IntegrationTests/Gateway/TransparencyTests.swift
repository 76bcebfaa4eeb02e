import Base
import Testing

/// Items 1 to 5 of the study's checklist: nothing that the gateway does not own changes on its way.
@Suite struct TransparencyTests {
    /// A field nobody knows, spellings that a decoder would lose, white space, a duplicate.
    private static let oddities =
        #""x_new" : {"b":1.0e-7,"a":12345678901234567890.10} ,"dup":1,"dup":2,"#
        + #""esc":"\u00e9\/\ud83d\ude00","big":1e400,"minus":-0.0,  "last":null"#

    static let requests: [(path: String, body: String)] = [
        ("/v1/chat/completions", #"{"messages":[{"role":"user","content":"hi"}],"model":"gpt-4o",\#(oddities)}"#),
        ("/v1/completions", #"{ "prompt":"hi","model":"gpt-4o",\#(oddities)}"# + "\n"),
        ("/v1/embeddings", #"{"input":["a","b"],\#(oddities),"model":"text-embedding-3-small"}"#),
        ("/v1/responses", "\r\n\t" + #"{"input":"hi","model":"gpt-4o",\#(oddities)}"#),
        ("/v1/responses/input_tokens", #"{"input":"hi","model":"gpt-4o",\#(oddities)}"#),
        (
            "/v1/messages",
            #"{"max_tokens":9,"messages":[{"role":"user","content":"hi"}],"model":"claude-x",\#(oddities)}"#
        ),
        (
            "/v1/messages/count_tokens",
            #"{"messages":[{"role":"user","content":"hi"}],"model":"claude-x",\#(oddities)}"#
        ),
    ]

    @Test(
        "item 1: the body of every route reaches the provider byte for byte, unknown fields and all",
        arguments: requests)
    func bodyIsUntouched(path: String, body: String) throws {
        let rig = try Rig()
        let answer = try rig.client.post(path, body)
        #expect(answer.status == 200, "\(answer.text)")
        let call = try rig.provider.last()
        #expect(call.uri == path)
        #expect(call.body.text == body)
        #expect(try answer.body == rig.direct.post(path, body).body)
    }

    @Test("item 1: fields meant for the gateway and the caller's own secrets never go upstream")
    func gatewayFieldsStay() throws {
        let rig = try Rig(lines: #"key = "env:REAL_KEY""#, environment: ["REAL_KEY": "sk-provider-key"])
        let secret = try rig.server.createKey("alice")
        let own = [
            ("X-Weir-Tags", "a,b"), ("X-Weir-Namespace", "n"), ("X-Weir-Collections", "c"), ("Cookie", "session=1"),
            ("Forwarded", "for=10.0.0.1"), ("X-Forwarded-For", "10.0.0.1"), ("X-Real-IP", "10.0.0.1"),
            ("Connection", "keep-alive, X-Hop"), ("X-Hop", "1"), ("TE", "trailers"),
            ("Authorization", "Bearer \(secret)"),
        ]
        #expect(try rig.client.post("/v1/chat/completions", Body.chat, headers: own).status == 200)
        let names = Set(try rig.provider.last().headers.map { $0.name.lowercased() })
        #expect(names == ["host", "content-type", "accept-encoding", "content-length", "authorization"])
        #expect(try rig.provider.last().header("authorization") == "Bearer sk-provider-key")
        #expect(try rig.client.post("/v1/messages", Body.messages, headers: [("x-api-key", secret)]).status == 200)
        let call = try rig.provider.last()
        #expect(call.header("x-api-key") == "sk-provider-key")
        #expect(call.header("authorization") == nil)
    }

    @Test("item 1: a provider with its own auth header and extra headers gets them as the settings say")
    func ownAuthHeader() throws {
        let lines = """
            key = "env:REAL_KEY"
            auth-header = "api-key"
            headers = { "X-Team" = "search", "X-Token" = "env:TOKEN" }
            """
        let rig = try Rig(lines: lines, environment: ["REAL_KEY": "sk-azure", "TOKEN": "t-1"])
        #expect(try rig.client.post("/v1/chat/completions", Body.chat, headers: [("X-Team", "forged")]).status == 200)
        let call = try rig.provider.last()
        #expect(call.header("api-key") == "sk-azure")
        #expect(call.header("authorization") == nil)
        #expect(call.headers.filter { $0.name.lowercased() == "x-team" }.map(\.value) == ["search"])
        #expect(call.header("x-token") == "t-1")
    }

    private static let aliases = """
        [models.fast]
        targets = [{ provider = "sim", model = "gpt-4o-mini" }]
        [models."claude-fast"]
        targets = [{ provider = "anth", model = "claude-haiku-4-5" }]

        """

    @Test(
        """
        item 2: an alias is spliced in; number spelling, key order, duplicates and escapes of every other field \
        survive byte for byte
        """, arguments: [0, 100_000])
    func aliasIsSpliced(filler: Int) throws {
        let rig = try Rig(Self.aliases)
        let pad = String(repeating: "x", count: filler)
        func body(_ model: String) -> String {
            #"{"z":1.50,"m\u006fdel" :  \#(model) , "messages":[{"role":"user","content":"\u0068i \#(pad)"}],"#
                + Self.oddities + "}"
        }
        #expect(try rig.client.post("/v1/chat/completions", body(#""f\u0061st""#)).status == 200)
        let sent = try rig.provider.last().body.text
        #expect(sent == body(#""gpt-4o-mini""#))
        let messages =
            #"{"model":"claude-fast","max_tokens":5,"messages":[{"role":"user","content":"h"}],"#
            + Self.oddities + "}"
        #expect(try rig.client.post("/v1/messages", messages).status == 200)
        let expected = messages.replacing("claude-fast", with: "claude-haiku-4-5")
        #expect(try rig.provider.last().body.text == expected)
    }

    @Test("item 2: include_usage is spliced in beside an alias, and nothing else moves")
    func usageIsSpliced() throws {
        let rig = try Rig(Self.aliases)
        let body = #"{"stream" : true , "model":"fast","messages":[{"role":"user","content":"hi"}],\#(Self.oddities)}"#
        let (head, events) = try rig.client.stream("/v1/chat/completions", body)
        var reader = events
        #expect(head.status == 200)
        #expect(try reader.rest().last == "data: [DONE]\n\n")
        let expected = body.replacing("fast", with: "gpt-4o-mini")
            .replacing("true ,", with: #"true,"stream_options":{"include_usage":true} ,"#)
        #expect(try rig.provider.last().body.text == expected)
    }

    @Test("item 3: system blocks, cache_control and thinking blocks arrive verbatim and in their order")
    func systemBlocks() throws {
        let rig = try Rig(Self.aliases)
        let body =
            #"{"system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2.0; cch=\u0061b"},"#
            + #"{"type":"text","text":"You are\n\t\"kind\"","cache_control":{"type":"ephemeral","ttl":"1h"}}],"#
            + #""model":"claude-fast","max_tokens":50,"thinking":{"type":"enabled","budget_tokens":1024},"#
            + #""messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","#
            + #""thinking":"hm\u2026","signature":"EqQBCg=="},{"type":"redacted_thinking","data":"x=="}]},"#
            + #"{"role":"user","content":[{"type":"text","text":"b","cache_control":{"type":"ephemeral"}}]}]}"#
        let answer = try rig.client.post("/v1/messages", body)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try rig.provider.last().body.text == body.replacing("claude-fast", with: "claude-haiku-4-5"))
    }

    @Test("item 4: anthropic-version, anthropic-beta and headers nobody has heard of go to the provider unchanged")
    func requestHeadersPass() throws {
        let rig = try Rig()
        let sent = [
            ("anthropic-version", "2023-06-01"), ("anthropic-beta", "context-1m-2025-08-07,new-thing-2031"),
            ("anthropic-beta", "another"), ("anthropic-dangerous-direct-browser-access", "true"),
            ("User-Agent", "Anthropic/Python 9.9"), ("X-Stainless-Lang", "python"),
            ("X-Never-Heard-Of", "a, b ; c=\"d\""),
            ("Idempotency-Key", "key-1"), ("OpenAI-Organization", "org-1"), ("traceparent", "00-1-2-01"),
        ]
        #expect(try rig.client.post("/v1/messages", Body.messages, headers: sent).status == 200)
        let call = try rig.provider.last()
        for (name, value) in sent {
            let values = call.headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
            #expect(values.contains(value), "\(name)")
        }
        #expect(call.header("accept-encoding") == "identity")
    }

    @Test("item 4: every header of the answer passes but those of the hop and of the provider's own site")
    func responseHeadersPass() throws {
        let passing = [
            ("request-id", "req_1"), ("x-request-id", "req_2"), ("anthropic-ratelimit-tokens-remaining", "7"),
            ("x-ratelimit-reset-tokens", "6m0s"), ("openai-processing-ms", "312"), ("anthropic-organization-id", "o"),
            ("X-Never-Heard-Of", "a"), ("X-Never-Heard-Of", "b"), ("cf-ray", "8f"),
        ]
        let stopping = [
            ("Set-Cookie", "__cf_bm=1"), ("Strict-Transport-Security", "max-age=1"), ("alt-svc", "h3"),
            ("Connection", "X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5"),
        ]
        let scripted = try ScriptedProvider.start(
            answering: plainAnswer(200, #"{"id":"x"}"#, headers: passing + stopping))
        let server = try WeirServer.start(scripted.settings())
        let answer = try server.client.post("/v1/chat/completions", Body.chat)
        #expect(answer.status == 200)
        for (name, value) in passing {
            let values = answer.headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
            #expect(values.contains(value), "\(name)")
        }
        for name in ["set-cookie", "strict-transport-security", "alt-svc", "x-hop", "keep-alive"] {
            #expect(answer.header(name) == nil, "\(name)")
        }
    }

    @Test("item 5: Authorization: Bearer and x-api-key are both taken in both dialects")
    func bothKeyHeaders() throws {
        let provider = try Provider.start()
        let server = try WeirServer.start(
            "[auth]\nadmin-key = \"env:ADMIN_KEY\"\nanonymous = \"none\"\n" + provider.settings())
        let secret = try server.createKey("alice")
        let nobody = server.client(key: nil)
        for (path, body) in [("/v1/chat/completions", Body.chat), ("/v1/messages", Body.messages)] {
            let spellings = [
                ("Authorization", "Bearer \(secret)"), ("authorization", "bearer \(secret)"), ("x-api-key", secret),
            ]
            for header in spellings {
                #expect(try nobody.post(path, body, headers: [header]).status == 200, "\(path) \(header.0)")
            }
            let before = try provider.calls().total
            for headers in [[], [("Authorization", "Bearer wrong")], [("x-api-key", "wrong")]] {
                let refused = try nobody.post(path, body, headers: headers)
                #expect(refused.status == 401)
                #expect(try refused.json()["error"]["type"].string == "authentication_error")
            }
            #expect(try provider.calls().total == before)
        }
    }
}
