internal import Base

extension Measure {
    static let streams1000 = streams("streams-1000", count: 1_000, tokensPerSecond: 10)
    static let streams100 = streams("streams-100", count: 100, tokensPerSecond: 80)

    /// Many streams at the pace of a model: what Weir adds to each token, and what it needs in memory.
    private static func streams(_ name: String, count: Int, tokensPerSecond: Int) -> Measure {
        Measure(
            name: name, title: "\(count) streams of \(tokensPerSecond) tokens a second", tools: []
        ) { workbench in
            let seconds = max(workbench.seconds, 10)
            let simulator = try workbench.startSimulator(["--tokens-per-second", "\(tokensPerSecond)"])
            defer { simulator.stop() }
            var setup = WeirSetup(mock: simulator.port)
            setup.maxConnections = 1_200
            let weir = try workbench.startWeir(setup)
            defer { weir.stop() }
            func run(_ port: Int) throws -> Percentiles {
                // Two seconds more than is measured: streams start over one, and end over one.
                let tokens = (seconds + 2) * tokensPerSecond
                let request = ChatRequest.stream(PlainClient(port: port), key: weir.key, tokens: tokens)
                let load = StreamLoad(
                    port: port, request: request, streams: count, tokensPerStream: tokens,
                    // Not a whole second: the phases of the streams then spread over the time of a token.
                    startsOver: .microseconds(1_013_700), settlesAfter: .milliseconds(1_500),
                    atMost: .seconds(seconds + 30))
                return try Percentiles.required(try load.run())
            }
            let direct = try run(simulator.port)
            let through = try run(weir.port)
            return rows(name, through, direct, memory: try weir.server.peakMegabytes())
        }
    }

    private static func rows(_ name: String, _ weir: Percentiles, _ direct: Percentiles, memory: Double) -> [LoadRow] {
        return [
            LoadRow(name, "token delay p50", weir.p50, .milliseconds, "direct", direct.p50, .added),
            LoadRow(
                name, "token delay p99", weir.p99, .milliseconds, "direct", direct.p99, .added, target: .atMost(10)),
            LoadRow(name, "tokens measured", Double(weir.count), .count, "direct", Double(direct.count), .ratio),
            LoadRow(name, "memory at the peak", memory, .megabytes, target: .atMost(100)),
        ]
    }
}
