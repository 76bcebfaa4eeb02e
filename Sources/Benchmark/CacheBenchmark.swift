internal import Base
internal import FoundationEssentials

/// What `weir bench cache` is asked for.
package struct CacheBenchmarkOptions: Sendable {
    /// The program under test: the running executable's own path.
    package var weirPath: String
    /// From 1,000 to 10,000,000.
    package var requests = 100_000
    /// The same seed asks the same prompts in the same order.
    package var seed: UInt64 = 1
    /// Told what is going on, a line at a time.
    package var say: @Sendable (String) -> Void = { _ in }

    package init(weirPath: String) { self.weirPath = weirPath }
}

/// A day of an application, replayed: prompts by Zipf's law, answers of different lengths, a memory layer that holds
/// half of what is asked for, and a restart in the middle. Over HTTP, by the built binary, from a simulated provider
/// that counts its calls.
package enum CacheBenchmark {
    static let prompts = 5_000

    /// Blocks for about half a minute. Every answer is compared with what the provider gives.
    /// - Throws: `BenchmarkFailure`, `PlainClientFailure`, `SystemFailure`.
    package static func run(_ options: CacheBenchmarkOptions) throws -> CacheBenchmarkReport {
        let workbench = try Workbench(LoadOptions(weirPath: options.weirPath))
        let interrupts = InterruptWatch(folder: workbench.folder)
        defer {
            interrupts.end()
            workbench.close()
        }
        let trace = ReplayTrace(
            requests: min(max(1_000, options.requests), 10_000_000), prompts: prompts, seed: options.seed)
        let simulator = try workbench.startSimulator([])
        defer { simulator.stop() }
        options.say("\(prompts) prompts to the provider itself: their answers' lengths …")
        let answers = try ask(simulator.port, trace)
        var report = CacheBenchmarkReport(trace, weights: zip(trace.prompts, answers).map { weight($0.body, $1) })
        var setup = WeirSetup(mock: simulator.port)
        (setup.cachePolicy, setup.cacheMemory) = ("standard", ByteCount(bytes: report.memoryBytes))
        var weir = try workbench.startWeir(setup)
        defer { weir.stop() }
        let client = PlainClient(port: weir.port)
        let requests = trace.prompts.map { request(client, $0, key: weir.key) }
        let clients = ReplayClients(port: weir.port, prompts: Array(zip(requests, answers)))
        for (half, name) in zip(trace.halves, ["first", "second"]) {
            options.say("the \(name) half, \(half.count) requests over \(ReplayClients.connections) connections …")
            let began = MonotonicInstant.now()
            report.tally.add(try clients.run(half))
            report.seconds += MonotonicInstant.now().duration(since: began).seconds
            if name == "first" { weir = try workbench.restart(weir) }
        }
        report.calls = try calls(simulator.port)
        report.dollars = try weir.dollars()
        return report
    }

    /// What each prompt's answer is; the provider's count of calls begins anew afterwards.
    private static func ask(_ provider: Int, _ trace: ReplayTrace) throws -> [ReplayClients.Answer] {
        let client = PlainClient(port: provider)
        let answers = try trace.prompts.map { prompt in
            try ReplayClients.Answer(try client.send(request(client, prompt, key: "none")), from: "the simulator")
        }
        _ = try client.request("POST", "/simulator/reset")
        return answers
    }

    private static func request(_ client: PlainClient, _ prompt: ReplayTrace.Prompt, key: String) -> [UInt8] {
        let headers = ChatRequest.headers(key: key) + [("X-Simulate", "tokens=\(prompt.tokens)")]
        return client.prepare("POST", ChatRequest.path, headers: headers, body: Array(prompt.body.utf8))
    }

    /// As the cache counts it: request, answer, bookkeeping.
    private static func weight(_ body: String, _ answer: ReplayClients.Answer) -> Int {
        body.utf8.count + answer.bytes + 512
    }

    private static func calls(_ provider: Int) throws -> Int {
        struct Calls: Decodable { var total: Int }
        let answer = try PlainClient(port: provider).request("GET", "/simulator/calls")
        return try JSONDecoder().decode(Calls.self, from: Data(answer.body)).total
    }
}
