import Base
import Testing

/// Items 26 and 27: what goes past the cache, and under which policy.
@Suite struct CacheBypassTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let reason: String
        let path: String
        let body: String
        var testDescription: String { "\(reason) \(path)" }
    }

    private static func chat(_ reason: String, _ more: String, content: String = #""x""#) -> Case {
        let body = #"{"model":"gpt-4o-mini","messages":[{"role":"user","content":\#(content)}]\#(more)}"#
        return Case(reason: reason, path: chatPath, body: body)
    }

    private static func responses(_ reason: String, _ more: String, input: String = #""x""#) -> Case {
        Case(reason: reason, path: "/v1/responses", body: #"{"model":"gpt-4o-mini","input":\#(input)\#(more)}"#)
    }

    private static func messages(_ reason: String, _ more: String, content: String = #""x""#) -> Case {
        let body =
            #"{"model":"claude-a","max_tokens":99,"messages":[{"role":"user","content":\#(content)}]\#(more)}"#
        return Case(reason: reason, path: "/v1/messages", body: body)
    }

    private static let chance = [
        chat("randomness", #","temperature":0.7"#), chat("randomness", #","temperature":1"#),
        messages("randomness", #","temperature":0.1"#), responses("randomness", #","store":false,"temperature":2"#),
        chat("several_choices", #","n":2"#), chat("several_choices", #","n":3,"temperature":0"#),
        Case(
            reason: "several_choices", path: "/v1/completions",
            body: #"{"model":"gpt-4o-mini","prompt":"x","n":2,"seed":1}"#),
    ]

    private static let tools = [
        chat("server_tool", #","web_search_options":{}"#),
        responses("server_tool", #","store":false,"tools":[{"type":"web_search"}]"#),
        responses("server_tool", #","store":false,"tools":[{"type":"web_search_preview"}]"#),
        responses("server_tool", #","store":false,"tools":[{"type":"file_search","vector_store_ids":["v"]}]"#),
        responses("server_tool", #","store":false,"tools":[{"type":"code_interpreter","container":{"type":"auto"}}]"#),
        responses("server_tool", #","store":false,"tools":[{"type":"mcp","server_label":"l","server_url":"u"}]"#),
        responses("server_tool", #","store":false,"tools":[{"type":"image_generation"}]"#),
        responses("server_tool", #","store":false,"tools":[{"type":"computer_use_preview"}]"#),
        responses(
            "server_tool", #","store":false,"tools":[{"type":"function","name":"f"},{"type":"a_tool_of_tomorrow"}]"#),
        messages("server_tool", #","tools":[{"type":"web_search_20250305","name":"web_search"}]"#),
        messages("server_tool", #","tools":[{"type":"code_execution_20250825","name":"c"}]"#),
        messages("server_tool", #","tools":[{"type":"computer_20250124","name":"c"}]"#),
        messages("server_tool", #","mcp_servers":[{"type":"url","url":"https://x","name":"n"}]"#),
    ]

    private static let outside = [
        chat("file_id", "", content: #"[{"type":"file","file":{"file_id":"file-1"}}]"#),
        messages("file_id", "", content: #"[{"type":"document","source":{"type":"file","file_id":"file_1"}}]"#),
        responses(
            "file_id", #","store":false"#,
            input: #"[{"role":"user","content":[{"type":"input_file","file_id":"file-1"}]}]"#),
        chat("remote_url", "", content: #"[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]"#),
        messages(
            "remote_url", "", content: #"[{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}]"#),
        responses(
            "remote_url", #","store":false"#,
            input: #"[{"role":"user","content":[{"type":"input_image","image_url":"http://example.com/a"}]}]"#),
        responses(
            "remote_url", #","store":false"#,
            input: #"[{"role":"user","content":[{"type":"input_file","file_url":"https://example.com/a.pdf"}]}]"#),
    ]

    private static let state = [
        responses("stored", ""), responses("stored", #","store":true"#), responses("stored", #","store":null"#),
        chat("stored", #","store":true"#), responses("background", #","background":true,"store":false"#),
        responses("server_state", #","store":false,"conversation":"conv_1""#),
        responses("server_state", #","store":false"#, input: #"[{"type":"item_reference","id":"msg_1"}]"#),
        messages("server_state", #","container":"c_1""#),
        responses("stored_prompt", #","store":false,"prompt":{"id":"pmpt_1"}"#),
        chat("audio_output", #","modalities":["text","audio"],"audio":{"voice":"alloy","format":"wav"}"#),
        chat("duplicate_member", #","logit_bias":{"1":1,"1":2}"#),
    ]

    /// A provider that answers everything with the same.
    private func rig(_ more: String = "") throws -> (ScriptedProvider, WeirServer, String) {
        let scripted = try ScriptedProvider.start(answering: plainAnswer(200, chatDocument("hello")))
        let settings = scripted.settings() + more
        let server = try WeirServer.start(settings, caches: true)
        server.companions = [scripted]
        return (scripted, server, settings)
    }

    @Test("items 26 and 27: chance, the provider's tools, files, links and state go past the cache, and say why")
    func bypasses() throws {
        let (scripted, server, _) = try rig()
        let cases = Self.chance + Self.tools + Self.outside + Self.state
        for item in cases {
            let before = scripted.requests.count
            for _ in 0..<2 {
                let answer = try server.client.post(item.path, item.body)
                #expect(answer.status == 200, "\(item.testDescription): \(answer.text)")
                #expect(answer.cacheStatus == "weir; fwd=bypass; detail=\(item.reason)", "\(item.body)")
                #expect(answer.header("Age") == nil)
            }
            #expect(scripted.requests.count == before + 2, "\(item.body)")
        }
        for layer in ["l1", "l2", "l3"] { #expect(try server.entries(layer) == 0) }
        for reason in Set(cases.map(\.reason)) {
            let count = cases.filter { $0.reason == reason }.count
            let metric = try server.metric("weir_cache_bypasses_total", label: "reason=\"\(reason)\"")
            #expect(Int(metric) == 2 * count, "\(reason)")
        }
        let rows = try awaited("the rows") {
            let rows = try server.requests("cache=bypass&limit=1000")
            return rows.count == 2 * cases.count ? rows : nil
        }
        #expect(Set(rows.map { $0["cacheDetail"].string }) == Set(cases.map(\.reason)))
        #expect(rows.allSatisfy { $0["saved"].isNull })
    }

    @Test("item 27: a request that goes on with a stored response goes past the cache")
    func previousResponse() throws {
        let rig = try Rig(caches: true)
        let id = try #require(try rig.client.post("/v1/responses", Body.responses).json()["id"].string)
        let body = #"{"model":"gpt-4o-mini","input":"more","store":false,"previous_response_id":"\#(id)"}"#
        for _ in 0..<2 {
            #expect(try rig.client.post("/v1/responses", body).cacheStatus == "weir; fwd=bypass; detail=server_state")
        }
        #expect(try rig.provider.calls().total == 3)
    }

    private static let kept = [
        chat("", ""), chat("", #","temperature":0"#), chat("", #","temperature":0.9,"seed":7"#), chat("", #","n":1"#),
        chat("", #","store":false"#), chat("", #","tools":[{"type":"function","function":{"name":"f"}}]"#),
        chat("", #","modalities":["text"]"#), chat("", #","web_search_options":null,"audio":null"#),
        chat("", "", content: #"[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]"#),
        chat("", "", content: #""see https://example.com/a.png and file_id file-1""#),
        messages(
            "", #","tools":[{"name":"f","input_schema":{"type":"object"}},{"type":"bash_20250124","name":"bash"}]"#),
        messages(
            "", "", content: #"[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]"#),
        responses("", #","store":false,"tools":[{"type":"function","name":"f"},{"type":"custom","name":"g"}]"#),
        responses("", #","store":false,"previous_response_id":null,"background":false"#),
    ]

    @Test("item 27: what only looks like those is kept")
    func kept() throws {
        let rig = try Rig(caches: true)
        for (index, item) in Self.kept.enumerated() {
            let first = try rig.client.post(item.path, item.body)
            #expect(first.cacheStatus == "weir; fwd=miss; stored", "\(item.body): \(first.text)")
            let again = try rig.client.post(item.path, item.body)
            #expect(again.isHit && again.body == first.body, "\(item.body): \(again.cacheStatus)")
            #expect(try rig.provider.calls().total == index + 1)
        }
    }

    /// What the cache says to a request without temperature, with 0, with a seed, with 0.7, and with n = 2.
    private func verdicts(_ client: HTTPClient, _ model: String, _ round: String) throws -> [String] {
        let extras = [
            "", #","temperature":0"#, #","temperature":0.7,"seed":1"#, #","temperature":0.7"#, #","n":2,"seed":1"#,
        ]
        return try extras.map { more in
            let body = question(round, more).replacing("gpt-4o-mini", with: model)
            _ = try client.post(chatPath, body)
            let answer = try client.post(chatPath, body)
            return answer.isHit ? "hit" : answer.cacheDetail ?? answer.cacheStatus
        }
    }

    @Test("item 26: the policies standard, strict, all and off, by setting and by model, changed while running")
    func policies() throws {
        let models = "[models.\"gpt-strict\"]\ncache = \"strict\"\n[models.\"gpt-off\"]\ncache = \"off\"\n"
        let (_, server, settings) = try rig(models)
        let off = Array(repeating: "policy_off", count: 5)
        let strict = ["not_reproducible", "hit", "hit", "not_reproducible", "several_choices"]
        #expect(
            try verdicts(server.client, "gpt-4o", "a") == ["hit", "hit", "hit", "randomness", "several_choices"])
        for (policy, expected) in [("strict", strict), ("all", Array(repeating: "hit", count: 5)), ("off", off)] {
            #expect(try server.reload(settings + "[cache]\npolicy = \"\(policy)\"\n"))
            #expect(try verdicts(server.client, "gpt-4o", policy) == expected, "\(policy)")
            #expect(try verdicts(server.client, "gpt-strict", policy) == strict)
            #expect(try verdicts(server.client, "gpt-off", policy) == off)
        }
    }
}
