import Base
import Benchmark
import Simulator

/// The requests of `weir demo`, each printed with what it took.
struct DemoTour {
    let port: Int
    let adminKey: String
    let provider: SimulatorServer
    private let weir: PlainClient
    private let direct: PlainClient

    init(port: Int, adminKey: String, provider: SimulatorServer) {
        self.port = port
        self.adminKey = adminKey
        self.provider = provider
        weir = PlainClient(port: port)
        direct = PlainClient(port: provider.boundPort)
    }

    func run() throws {
        say(
            "weir \(Weir.release) on http://127.0.0.1:\(port), in front of a simulated provider"
                + " that thinks for 150 ms\n"
        )
        try plain()
        try stream()
        try messages()
        try embeddings()
        try refusal()
        try pool()
        try ledger()
    }

    private static let json = [("Content-Type", "application/json")]

    private func post(_ client: PlainClient, _ path: String, _ body: String, _ headers: [(String, String)] = []) throws
        -> (answer: PlainResponse, milliseconds: String)
    {
        let begin = MonotonicInstant.now()
        let answer = try client.request("POST", path, headers: Self.json + headers, body: Array(body.utf8))
        return (answer, Self.milliseconds(MonotonicInstant.now().nanoseconds(since: begin)))
    }

    private static func milliseconds(_ nanoseconds: UInt64) -> String {
        let hundredths = nanoseconds / 10_000
        return "\(hundredths / 100).\(String(hundredths % 100 + 100).dropFirst()) ms"
    }

    private func line(_ name: String, _ result: String) {
        say("  " + name + String(repeating: " ", count: max(1, 28 - name.count)) + result)
    }

    private static let chat =
        #"{"model":"fast","max_tokens":24,"messages":[{"role":"user","content":"What is a weir?"}]}"#

    private func plain() throws {
        say("POST /v1/chat/completions   (OpenAI dialect; 'fast' is an alias for gpt-4o-mini)")
        let ours = try post(weir, "/v1/chat/completions", Self.chat)
        let real = Self.chat.replacingFirst("\"fast\"", with: "\"gpt-4o-mini\"")
        let theirs = try post(direct, "/v1/chat/completions", real)
        line("straight to the provider", "\(theirs.answer.status) in \(theirs.milliseconds)")
        line(
            "through Weir",
            "\(ours.answer.status) in \(ours.milliseconds)   \(ours.answer.headers["server-timing"] ?? "")")
        line("cost of the answer", "$\(ours.answer.headers["x-weir-cost"] ?? "unknown")")
        line("same bytes", ours.answer.body == theirs.answer.body ? "yes" : "no")
    }

    private func stream() throws {
        say("\nThe same, streamed")
        let body = Self.chat.replacingFirst("{", with: "{\"stream\":true,")
        let begin = MonotonicInstant.now()
        var first: UInt64?
        var events = 0
        let answer = try weir.stream("POST", "/v1/chat/completions", headers: Self.json, body: Array(body.utf8)) {
            event in
            if first == nil { first = event.received.nanoseconds(since: begin) }
            events += 1
            return true
        }
        line("first event", "\(answer.status) after \(Self.milliseconds(first ?? 0))")
        line("last of \(events) events", "after \(Self.milliseconds(MonotonicInstant.now().nanoseconds(since: begin)))")
    }

    private func messages() throws {
        say("\nPOST /v1/messages   (Anthropic dialect, on the same port)")
        let body = #"{"model":"claude-sonnet-4-5","max_tokens":24,"messages":[{"role":"user","content":"hello"}]}"#
        let (answer, time) = try post(weir, "/v1/messages", body, [("anthropic-version", "2023-06-01")])
        line("answer", "\(answer.status) in \(time), $\(answer.headers["x-weir-cost"] ?? "unknown")")
    }

    private func embeddings() throws {
        say("\nPOST /v1/embeddings")
        let body = #"{"model":"text-embedding-3-small","input":["one","two"],"encoding_format":"base64"}"#
        let (answer, time) = try post(weir, "/v1/embeddings", body)
        line("answer", "\(answer.status) in \(time), \(answer.body.count) bytes")
    }

    private func refusal() throws {
        say("\nA provider that says no is passed on as it is")
        let (answer, _) = try post(
            weir, "/v1/chat/completions", Self.chat, [("X-Simulate", "status=429,retry-after=2")])
        line("answer", "\(answer.status), Retry-After: \(answer.headers["retry-after"] ?? "none")")
        line("body", String(answer.text.prefix(90)))
    }

    private func pool() throws {
        let before = provider.calls
        let rounds = 50
        let begin = MonotonicInstant.now()
        for round in 1...rounds {
            let body = Self.chat.replacingFirst("weir?", with: "weir? \(round)")
            _ = try post(weir, "/v1/chat/completions", body, [("X-Simulate", "latency=0ms")])
        }
        let took = MonotonicInstant.now().nanoseconds(since: begin)
        let after = provider.calls
        say("\n\(rounds) requests in a row")
        line("each", Self.milliseconds(took / UInt64(rounds)))
        line("connections opened", "\(after.connectionsOpened - before.connectionsOpened) (the pool keeps them)")
    }

    private func ledger() throws {
        let admin = [("Authorization", "Bearer \(adminKey)")]
        let status = try weir.request("GET", "/status", headers: admin)
        say("\nThe ledger, as `weir status` and GET /requests show it")
        let table = try TextTable(
            status.text, list: "lastDay", columns: ["model", "requests", "inputTokens", "outputTokens", "costDollars"])
        for row in table.text.split(separator: "\n") { say("  " + row) }
    }
}

extension String {
    /// The text with the first occurrence of a part replaced.
    func replacingFirst(_ part: String, with other: String) -> String {
        guard let range = firstRange(of: part) else { return self }
        return String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
