import Base
import NIOCore
import Testing

@testable import ResponseCache

@Suite("what may be cached")
struct CacheRuleTests {
    @Test("each rule of the table sends its requests past the cache, and no others", arguments: RuleCase.all.indices)
    func rules(_ index: Int) throws {
        let example = RuleCase.all[index]
        for body in example.bypassed {
            #expect(try RuleDesk.decide(body, example.family) == .bypass(example.reason), "\(body)")
        }
        for body in example.kept {
            guard case .cacheable = try RuleDesk.decide(body, example.family) else { Issue.record("\(body)"); continue }
        }
    }

    @Test("every reason has its one rule with a sentence, and a test")
    func table() {
        #expect(CacheRule.table.map(\.reason) == BypassReason.allCases)
        #expect(CacheRule.table.allSatisfy { !$0.sentence.isEmpty })
        let elsewhere: Set<BypassReason> = [
            .noStore, .policyOff, .invalidJSON, .invalidText, .duplicateMember, .numberOutOfRange, .tooDeep,
            .tooComplex, .notReproducible,
        ]
        #expect(elsewhere.union(RuleCase.all.map(\.reason)) == Set(BypassReason.allCases))
    }

    @Test("policy strict keeps temperature 0 or a seed, all keeps what may be kept, off nothing")
    func policies() throws {
        #expect(try RuleDesk.decide("{}", .chat, .strict) == .bypass(.notReproducible))
        #expect(try RuleDesk.decide(#"{"temperature":0.2}"#, .chat, .strict) == .bypass(.notReproducible))
        #expect(try RuleDesk.decide(#"{"temperature":0}"#, .chat, .strict) == .cacheable(.deterministic))
        #expect(try RuleDesk.decide(#"{"seed":1,"temperature":1}"#, .chat, .strict) == .cacheable(.deterministic))
        #expect(try RuleDesk.decide(#"{"temperature":0,"n":3}"#, .chat, .strict) == .bypass(.severalChoices))
        #expect(try RuleDesk.decide(#"{"temperature":2,"n":3}"#, .chat, .all) == .cacheable(.ordinary))
        #expect(try RuleDesk.decide(#"{"store":true}"#, .chat, .all) == .bypass(.stored))
        #expect(try RuleDesk.decide(#"{"temperature":0}"#, .chat, .off) == .bypass(.policyOff))
    }

    @Test(
        "embeddings and counts are the same each time under every policy but off",
        arguments: [AnswerFamily.embeddings, .countTokens])
    func fixed(_ family: AnswerFamily) throws {
        for policy in [CachePolicy.standard, .strict, .all] {
            #expect(try RuleDesk.decide(#"{"input":["the latest price","x"]}"#, family, policy) == .cacheable(.fixed))
        }
        #expect(try RuleDesk.decide(#"{"input":"x"}"#, family, .off) == .bypass(.policyOff))
    }

    @Test("max-age opts in to what only the policy's care for randomness keeps out")
    func optsIn() throws {
        let maxAge = [("cache-control", "max-age=60")]
        #expect(try RuleDesk.decide(#"{"temperature":1,"n":2}"#, .chat, .standard, maxAge) == .cacheable(.ordinary))
        #expect(try RuleDesk.decide("{}", .chat, .strict, maxAge) == .cacheable(.ordinary))
        #expect(try RuleDesk.decide("{}", .chat, .off, maxAge) == .bypass(.policyOff))
        #expect(try RuleDesk.decide(#"{"store":true}"#, .chat, .standard, maxAge) == .bypass(.stored))
        #expect(
            try RuleDesk.decide("{}", .chat, .all, [("cache-control", "no-store, max-age=60")]) == .bypass(.noStore))
        #expect(try RuleDesk.decide("{}", .chat, .all, [("cache-control", "no-cache")]) == .cacheable(.ordinary))
    }

    @Test("every known field has a place in every family, and an unknown one enters the key")
    func places() {
        for family in AnswerFamily.allCases {
            let table = FieldTable.of(family)
            for field in RequestField.allCases {
                let name = Array(field.rawValue.utf8)
                name.withUnsafeBufferPointer { #expect(table.place($0) == field.place(in: family)) }
            }
            for name in ["", "users", "use", "modeL", "x", String(repeating: "y", count: 99)] {
                Array(name.utf8).withUnsafeBufferPointer { #expect(table.place($0) == .key, "\(name)") }
            }
        }
        let ignored = RequestField.allCases.filter { $0.place(in: .chat) == .ignored }.map(\.rawValue)
        #expect(
            Set(ignored) == [
                "stream", "stream_options", "user", "metadata", "safety_identifier", "prompt_cache_key",
                "prompt_cache_retention",
            ])
    }

    @Test("fields that do not change an answer are not in the key, all others are, unknown ones too")
    func key() throws {
        let plain = try #require(RuleDesk.ask(#"{"model":"a","messages":[]}"#).identity)
        for same in [
            #""stream":true"#, #""user":"u""#, #""metadata":{"a":[1]}"#, #""safety_identifier":"s""#,
            #""prompt_cache_key":"p""#,
            #""stream_options":{"include_usage":true}"#,
        ] {
            #expect(RuleDesk.ask(#"{"model":"b","messages":[],\#(same)}"#).identity == plain)
        }
        for other in [
            #""temperature":0"#, #""service_tier":"flex""#, #""num_ctx":2048"#, #""users":"u""#, #""Model":"a""#,
            #""tools":[]"#,
        ] {
            #expect(RuleDesk.ask(#"{"model":"a","messages":[],\#(other)}"#).identity?.key != plain.key)
        }
    }

    @Test(
        "tenant, namespace, family, model, query and the headers that change an answer part identities; other headers do not"
    )
    func scopes() throws {
        let plain = try #require(RuleDesk.ask("{}").identity)
        let others =
            [
                RuleDesk.scope(tenant: "u"), RuleDesk.scope(namespace: "n"), RuleDesk.scope(.messages),
                RuleDesk.scope(model: "m2"),
                RuleDesk.scope(query: "beta=true"), RuleDesk.scope(tenant: "tn"),
                RuleDesk.scope(tenant: "", namespace: "t"),
            ] + CacheScope.headerNames.map { RuleDesk.scope(headers: [($0, "1")]) }
        let keys = others.map { RuleDesk.ask("{}", $0).identity?.key }
        #expect(Set(keys + [plain.key]).count == others.count + 1)
        #expect(
            RuleDesk.ask("{}", RuleDesk.scope(headers: [("User-Agent", "x"), ("Authorization", "y")])).identity == plain
        )
        let beta = RuleDesk.ask("{}", RuleDesk.scope(headers: [("Anthropic-Beta", "1")])).identity
        #expect(beta == RuleDesk.ask("{}", RuleDesk.scope(headers: [("x", "2"), ("anthropic-beta", "1")])).identity)
        #expect(
            beta
                != RuleDesk.ask("{}", RuleDesk.scope(headers: [("anthropic-beta", "1"), ("anthropic-beta", "2")]))
                .identity)
        #expect(beta != RuleDesk.ask("{}", RuleDesk.scope(headers: [("anthropic-beta", "1 ")])).identity)
    }

    @Test("an identity moves to the model that answered")
    func moved() throws {
        let asked = try #require(RuleDesk.ask(#"{"model":"m","b":1,"a":2}"#).identity)
        let moved = asked.moved(to: RuleDesk.scope(model: "m2"))
        #expect(moved == RuleDesk.ask(#"{"model":"x","a":2,"b":1}"#, RuleDesk.scope(model: "m2")).identity)
        #expect(moved.key != asked.key)
        #expect(String(buffer: moved.canonicalBody) == #"{"a":2,"b":1}"#)
    }

    @Test(
        "the wording of the user's last message decides whether an answer lasts",
        arguments: [
            (#"{"messages":[{"role":"user","content":"What is the LATEST release?"}]}"#, LifeClass.volatile),
            (#"{"messages":[{"content":"weather","role":"user"}],"temperature":0}"#, .volatile),
            (
                #"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:now"}},{"type":"text","text":"a\nnow"}]}]}"#,
                .volatile
            ),
            (#"{"messages":[{"role":"user","content":"what happened this\tweek?"}]}"#, .volatile),
            (#"{"messages":[{"role":"user","content":"Welchen PREIS hat HEUTE ein Brot"}]}"#, .volatile),
            (#"{"messages":[{"role":"user","content":"Quelle MÉTÉO demain"}]}"#, .volatile),
            (#"{"messages":[{"role":"user","content":"请问今天天气怎么样"}]}"#, .volatile),
            (#"{"messages":[{"role":"user","content":"что сегодня в мире"}]}"#, .volatile),
            (#"{"messages":[{"role":"user","content":"I know the prefix of nowhere and todays"}]}"#, .ordinary),
            (#"{"messages":[{"role":"user","content":"last this, for a week"}]}"#, .ordinary),
            (
                #"{"messages":[{"role":"system","content":"today"},{"role":"user","content":"hi"},{"role":"assistant","content":"now"}]}"#,
                .ordinary
            ),
            (
                #"{"messages":[{"role":"user","content":"today"},{"role":"user","content":"hi"}],"seed":1}"#,
                .deterministic
            ),
            (
                #"{"messages":[{"role":"user","content":"news?"},{"role":"user","content":[{"type":"tool_result","content":"x"}]}]}"#,
                .volatile
            ),
            (
                #"{"messages":[{"role":"user","content":"hi"},{"role":"user","content":[{"type":"tool_result","content":"now"}]}]}"#,
                .ordinary
            ),
            (#"{"messages":[],"temperature":0}"#, .deterministic),
        ])
    func wording(_ body: String, _ life: LifeClass) throws { #expect(try RuleDesk.decide(body) == .cacheable(life)) }

    @Test("Responses and completions are read for their wording too, and only the ends of a long text")
    func otherWording() throws {
        #expect(
            try RuleDesk.decide(#"{"store":false,"input":"the current head"}"#, .responses) == .cacheable(.volatile))
        #expect(
            try RuleDesk.decide(
                #"{"store":false,"input":[{"role":"user","content":[{"type":"input_text","text":"now"}]}]}"#, .responses
            )
                == .cacheable(.volatile))
        #expect(try RuleDesk.decide(#"{"prompt":["a","now"]}"#, .completions) == .cacheable(.volatile))
        let long = String(repeating: "word ", count: 500)
        func ask(_ text: String) throws -> Cacheability {
            try RuleDesk.decide(#"{"messages":[{"role":"user","content":"\#(text)"}]}"#)
        }
        #expect(try ask("\(long) now \(long)") == .cacheable(.ordinary))
        #expect(try ask("now \(long)") == .cacheable(.volatile))
        #expect(try ask("\(long) now") == .cacheable(.volatile))
    }

    @Test("an answer that names collections lasts until they change")
    func collections() throws {
        let body = #"{"messages":[{"role":"user","content":"today's price"}]}"#
        #expect(try RuleDesk.decide(body, .chat, .standard, [("X-Weir-Collections", "docs")]) == .cacheable(.fixed))
    }
}
