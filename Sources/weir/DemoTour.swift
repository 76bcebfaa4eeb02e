import Base
import Benchmark
import Simulator

/// The requests of `weir demo`, each printed with what it took. What is not as it should be ends the tour.
struct DemoTour {
    let server: DemoServer
    let provider: SimulatorServer
    let weir: PlainClient
    private let direct: PlainClient

    init(server: DemoServer, provider: SimulatorServer) {
        self.server = server
        self.provider = provider
        weir = PlainClient(port: server.port)
        direct = PlainClient(port: provider.boundPort)
    }

    func run() throws {
        say(
            "weir \(Weir.release) on http://127.0.0.1:\(server.port), in front of a simulated provider"
                + " that thinks for 150 ms\n"
        )
        let first = try plain()
        try repeats(of: first)
        try together()
        try restart(first)
        try stream()
        try messages()
        try embeddings()
        try refusal()
        try pool()
        try ledger()
        try savings()
    }

    /// An answer, and how long it took.
    struct Timed {
        let answer: PlainResponse
        let nanoseconds: UInt64

        var cacheStatus: String { answer.headers["cache-status"] ?? "none" }
        /// Status and time, right-aligned so that times stand under each other.
        var summary: String {
            let text = DemoTour.milliseconds(nanoseconds)
            return "\(answer.status) in " + String(repeating: " ", count: max(0, 9 - text.count)) + text
        }
    }

    static let json = [("Content-Type", "application/json")]

    private func post(_ client: PlainClient, _ path: String, _ body: String, _ headers: [(String, String)] = []) throws
        -> Timed
    {
        let begin = MonotonicInstant.now()
        let answer = try client.request("POST", path, headers: Self.json + headers, body: Array(body.utf8))
        return Timed(answer: answer, nanoseconds: MonotonicInstant.now().nanoseconds(since: begin))
    }

    /// A chat completion through Weir, which must succeed.
    func ask(_ body: String) throws -> Timed {
        let timed = try post(weir, "/v1/chat/completions", body)
        try check(timed.answer.status == 200, "the answer was \(timed.answer.status): \(timed.answer.text)")
        return timed
    }

    static func milliseconds(_ nanoseconds: UInt64) -> String {
        let hundredths = nanoseconds / 10_000
        return "\(hundredths / 100).\(String(hundredths % 100 + 100).dropFirst()) ms"
    }

    func line(_ name: String, _ result: String) {
        say("  " + name + String(repeating: " ", count: max(1, 28 - name.count)) + result)
    }

    /// The demonstration has shown something that must not be.
    struct Surprise: Failure {
        let code = "demo_failed"
        let what: String
        var message: String { "the demonstration went wrong: \(what)" }
    }

    func check(_ isSo: Bool, _ otherwise: @autoclosure () -> String) throws {
        guard isSo else { throw Surprise(what: otherwise()) }
    }

    /// A chat request to the alias.
    static func question(_ text: String) -> String {
        #"{"model":"fast","max_tokens":200,"messages":[{"role":"user","content":"\#(text)"}]}"#
    }

    private func plain() throws -> Timed {
        say("POST /v1/chat/completions   (OpenAI dialect; 'fast' is an alias for gpt-4o-mini)")
        let ours = try ask(Self.question("What is a weir?"))
        let real = Self.question("What is a weir?").replacingFirst("\"fast\"", with: "\"gpt-4o-mini\"")
        let theirs = try post(direct, "/v1/chat/completions", real)
        let isSame = ours.answer.body == theirs.answer.body
        line("straight to the provider", theirs.summary)
        line("through Weir", "\(ours.summary)   \(ours.answer.headers["server-timing"] ?? "")")
        line("cost of the answer", "$\(ours.answer.headers["x-weir-cost"] ?? "unknown")")
        line("same bytes", isSame ? "yes" : "no")
        try check(isSame, "Weir changed the answer's bytes")
        return ours
    }

    private func stream() throws {
        say("\nA streamed answer that nobody has asked for yet")
        let streamed = try askForStream(Self.question("How does water pass a weir?"))
        line("first event", "200 after \(Self.milliseconds(streamed.firstEvent))")
        line("last of \(streamed.events) events", "after \(Self.milliseconds(streamed.nanoseconds))")
    }

    private func messages() throws {
        say("\nPOST /v1/messages   (Anthropic dialect, on the same port)")
        let body = #"{"model":"claude-sonnet-4-5","max_tokens":24,"messages":[{"role":"user","content":"hello"}]}"#
        let timed = try post(weir, "/v1/messages", body, [("anthropic-version", "2023-06-01")])
        line("answer", "\(timed.summary), $\(timed.answer.headers["x-weir-cost"] ?? "unknown")")
        try check(timed.answer.status == 200, "the answer was \(timed.answer.text)")
    }

    private func embeddings() throws {
        say("\nPOST /v1/embeddings")
        let body = #"{"model":"text-embedding-3-small","input":["one","two"],"encoding_format":"base64"}"#
        let timed = try post(weir, "/v1/embeddings", body)
        line("answer", "\(timed.summary), \(timed.answer.body.count) bytes")
        try check(timed.answer.status == 200, "the answer was \(timed.answer.text)")
    }

    private func refusal() throws {
        say("\nA provider that says no is passed on as it is")
        let question = Self.question("What is refused?")
        let timed = try post(weir, "/v1/chat/completions", question, [("X-Simulate", "status=429,retry-after=2")])
        line("answer", "\(timed.answer.status), Retry-After: \(timed.answer.headers["retry-after"] ?? "none")")
        line("body", String(timed.answer.text.prefix(90)))
        try check(timed.answer.status == 429, "the provider's 429 did not arrive")
    }

    private func pool() throws {
        let before = provider.calls
        let rounds = 50
        let begin = MonotonicInstant.now()
        for round in 1...rounds {
            let body = Self.question("What is a weir? \(round)")
            _ = try post(weir, "/v1/chat/completions", body, [("X-Simulate", "latency=0ms")])
        }
        let took = MonotonicInstant.now().nanoseconds(since: begin)
        let after = provider.calls
        say("\n\(rounds) different requests in a row")
        line("each", Self.milliseconds(took / UInt64(rounds)))
        line("calls of the provider", "\(after.total - before.total)")
        line("connections opened", "\(after.connectionsOpened - before.connectionsOpened) (the pool keeps them)")
        try check(after.total - before.total == rounds, "\(rounds) different requests need \(rounds) calls")
    }

    static let admin = [("Authorization", "Bearer \(DemoServer.adminKey)")]

    private func ledger() throws {
        let status = try weir.request("GET", "/status", headers: Self.admin)
        say("\nThe ledger, as `weir status` and GET /requests show it")
        let table = try TextTable(
            status.text, list: "lastDay",
            columns: ["model", "requests", "inputTokens", "outputTokens", "costDollars", "saved", "savedDollars"])
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
