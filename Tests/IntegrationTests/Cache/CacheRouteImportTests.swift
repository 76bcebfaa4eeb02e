import Base
import Testing

/// `weir cache import`: what it takes in is found by the requests it answers, and nothing else.
@Suite struct CacheRouteImportTests {
    private static let alias = "\n[models.fast]\ntargets = [{provider = \"sim\", model = \"gpt-4o-mini\"}]\n"
    private static let fast = #"{"model":"fast","messages":[{"role":"user","content":"hello"}],"seed":7}"#
    private static let embeddings = #"{"model":"text-embedding-3-small","input":"hello"}"#
    private static let random = #"{"model":"gpt-4o-mini","temperature":0.7,"messages":[]}"#
    private static let version = [("anthropic-version", "2023-06-01")]

    /// Lines of what the provider itself answers, as a log would hold them; then its count begins anew.
    private func lines(_ provider: Provider) throws -> [String] {
        func ask(_ path: String, _ body: String) throws -> String {
            let answer = try provider.client.post(path, body)
            #expect(answer.status == 200)
            return answer.text
        }
        func line(_ path: String, _ body: String, _ answer: String, _ more: String = "") -> String {
            #"{"route":"\#(path)","request":\#(body),\#(answer)\#(more)}"#
        }
        let streamed = Body.chatStreamWithUsage.replacing("hello", with: "stream")
        let chat = try ask("/v1/chat/completions", Body.chat)
        defer { try? provider.reset() }
        return [
            line("/v1/chat/completions", Body.chat, #""response":\#(chat)"#, #","headers":{"X-Weir-Tags":"warm"}"#),
            line("/v1/chat/completions", Self.fast, #""response":\#(chat)"#, #","provider":"sim""#),
            line(
                "/v1/chat/completions", streamed,
                #""events":\#(JSONText.quote(try ask("/v1/chat/completions", streamed)))"#),
            line("/v1/messages", Body.messages, #""response":\#(try ask("/v1/messages", Body.messages))"#),
            line("/v1/embeddings", Self.embeddings, #""response":\#(try ask("/v1/embeddings", Self.embeddings))"#),
        ]
    }

    /// The layers that answered the requests of `lines`, each in both shapes where there are two.
    private func layers(_ client: HTTPClient) throws -> [String] {
        let requests: [(String, String, [(String, String)])] = [
            ("/v1/chat/completions", #"{"messages":[{"content":"hello","role":"user"}], "model":"gpt-4o-mini"}"#, []),
            ("/v1/chat/completions", Body.chatStream, []), ("/v1/chat/completions", Self.fast, []),
            ("/v1/chat/completions", Body.chat.replacing("hello", with: "stream"), []),
            ("/v1/messages", Body.messages, Self.version), ("/v1/messages", Body.messagesStream, Self.version),
            ("/v1/embeddings", Self.embeddings, []),
        ]
        return try requests.map { path, body, headers in
            let answer = try client.post(path, body, headers: headers)
            #expect(answer.status == 200, "\(path) \(answer.text)")
            let status = answer.header("Cache-Status") ?? ""
            return status.firstRange(of: "detail=").map { String(status[$0.upperBound...]) } ?? status
        }
    }

    @Test("into a running server: each answer serves its request in every shape, without a call of the provider")
    func running() throws {
        let rig = try Rig(Self.alias, caches: true)
        let folder = try TemporaryFolder()
        let file = try folder.write("past.jsonl", try lines(rig.provider).joined(separator: "\n") + "\n")
        let verb = try Verb.run([
            "cache", "import", file, "--tenant", "admin", "--json", "--data", rig.server.dataFolder,
        ])
        #expect(verb.status == 0 && verb.output.contains(#"{"imported":5,"refused":0}"#), "\(verb.output)")
        #expect(verb.output.contains("importing: 100 %"))
        #expect(try layers(rig.client) == Array(repeating: "l1", count: 7))
        #expect(try rig.provider.calls().total == 0)
        #expect(try rig.client.get("/cache?recent=10").json()["recent"].elements.count == 5)
        let other = rig.server.client(key: try rig.server.createKey("other"))
        #expect(try other.post("/v1/chat/completions", Body.chat).header("Cache-Status") == "weir; fwd=miss; stored")
        let removed = try rig.client.request("DELETE", "/cache", body: #"{"tag":"warm"}"#).json()["removed"]
        #expect(removed == (try JSON(#"{"l1":1,"l2":1,"l3":1}"#)))
    }

    @Test("into the stores while no server runs: the next one finds all of it")
    func stopped() throws {
        let provider = try Provider.start()
        let folder = try TemporaryFolder()
        let (settings, data) = (provider.settings() + Self.alias, "\(folder.path)/data")
        let config = try folder.write("appliance.conf", settings)
        let file = try folder.write("past.jsonl", try lines(provider).joined(separator: "\r\n\r\n"))
        let verb = try Verb.run(["cache", "import", file, "--config", config, "--data", data])
        #expect(verb.status == 0 && verb.output.contains("5 imported, 0 refused"), "\(verb.output)")
        let serving = try Serving(["--listen", "127.0.0.1:0"], settings: settings, folder: folder)
        let client = HTTPClient(port: try serving.port(), key: nil)
        #expect(try layers(client) == ["l2", "l1", "l2", "l2", "l2", "l1", "l2"])
        #expect(try provider.calls().total == 0)
    }

    @Test("a bad line is told with its number and reason, and the lines around it are taken")
    func bad() throws {
        let rig = try Rig(caches: true)
        let folder = try TemporaryFolder()
        let good = try lines(rig.provider)
        func line(_ request: String, _ response: String, _ more: String = "") -> String {
            #"{"route":"/v1/chat/completions","request":\#(request),"response":\#(response)\#(more)}"#
        }
        let cut = #"{"model":"m","choices":[{"index":0,"message":{"content":"a"},"finish_reason":"length"}]}"#
        let now = #"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"the news of today"}]}"#
        let whole = cut.replacing("length", with: "stop")
        let bad: [(line: String, code: String)] = [
            ("not JSON", "invalid_json"), (#"{"route":"/v1/files"}"#, "unknown_route"),
            (line(Self.random, whole), "randomness"), (line(Body.chat, cut), "unfinished"),
            (line(Self.fast, whole), "model_not_found"), (line(Body.messages, whole), "wrong_dialect"),
            (line(Body.chat, whole, #","provider":"anth""#), "other_provider"), (line(now, whole), "unknown_age"),
            (line(Body.chat, whole, #","created":1600000000"#), "expired"), (line("{}", whole), "missing_model"),
            (line(Body.chat, whole, #","headers":{"X-Weir-Tags":"a b"}"#), "invalid_cache_header"),
            (good[2].replacing(#"\"usage\":{"#, with: #"\"unused\":{"#), "no_usage"),
        ]
        let all = [good[0]] + bad.map(\.line) + ["", good[4]]
        let file = try folder.write("past.jsonl", all.joined(separator: "\n"))
        let verb = try Verb.run([
            "cache", "import", file, "--tenant", "admin", "--namespace", "n", "--data", rig.server.dataFolder,
        ])
        #expect(verb.status == 0 && verb.output.contains("2 imported, \(bad.count) refused"), "\(verb.output)")
        for (index, bad) in bad.enumerated() {
            #expect(verb.output.contains("\(file):\(index + 2): \(bad.code): "), "\(bad.code) in \(verb.output)")
        }
        let named = try rig.client.post("/v1/chat/completions", Body.chat, headers: [("X-Weir-Namespace", "n")])
        #expect(named.header("Cache-Status")?.hasPrefix("weir; hit") == true)
        #expect(
            try rig.client.post("/v1/chat/completions", Body.chat).header("Cache-Status") == "weir; fwd=miss; stored")

        let none = try folder.write("none.jsonl", bad.map(\.line).joined(separator: "\n"))
        #expect(try Verb.run(["cache", "import", none, "--data", rig.server.dataFolder]).status == 1)
        #expect(try Verb.run(["cache", "import", "/nowhere", "--data", rig.server.dataFolder]).status == 74)
        #expect(
            try Verb.run(["cache", "import", none, "--tenant", "a b", "--data", rig.server.dataFolder]).status == 64)
    }
}
