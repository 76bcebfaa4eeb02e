internal import Base

extension Measure {
    /// Rounds of each, so that a slow moment of the machine strikes both.
    private static let rounds = 3
    private static let connections = 64

    /// Throughput beside nginx's reverse proxy in front of the same provider.
    static let passthrough = Measure(
        name: "passthrough", title: "wrk with \(connections) connections, \(rounds) rounds each", tools: [.nginx, .wrk]
    ) { workbench in
        let peers = try workbench.startMockAndProxy()
        defer { peers.nginx.stop() }
        let weir = try workbench.startWeir(WeirSetup(mock: peers.mock))
        defer { weir.stop() }
        for (port, whom) in [(peers.proxy, "nginx"), (weir.port, "weir")] {
            let client = PlainClient(port: port)
            try ChatRequest.check(try client.send(ChatRequest.plain(client, key: weir.key)), from: whom)
        }
        let wrk = try Wrk(workbench, key: weir.key)
        _ = try wrk.run(port: peers.proxy, connections: connections, seconds: 1)
        var sent = 1 + (try wrk.run(port: weir.port, connections: connections, seconds: 1).requests)
        var nginxRounds: [WrkResult] = [], weirRounds: [WrkResult] = []
        for _ in 0..<rounds {
            nginxRounds.append(try wrk.run(port: peers.proxy, connections: connections, seconds: workbench.seconds))
            weirRounds.append(try wrk.run(port: weir.port, connections: connections, seconds: workbench.seconds))
        }
        sent += weirRounds.reduce(0) { $0 + $1.requests }
        // wrk leaves with requests under way: the ledger may hold a few more than wrk saw answered, never fewer.
        let counted = try weir.ledgerCount()
        return rows(weirRounds, nginxRounds) + [
            LoadRow(
                "passthrough", "requests in the ledger", Double(counted), .count, "sent by wrk", Double(sent),
                .ratio, target: .atLeast(1)),
            LoadRow("passthrough", "memory at the peak", try weir.server.peakMegabytes(), .megabytes),
        ]
    }

    private static func rows(_ weir: [WrkResult], _ nginx: [WrkResult]) -> [LoadRow] {
        func row(
            _ quantity: String, _ unit: LoadRow.Unit, _ value: (WrkResult) -> Double,
            _ kind: LoadRow.Comparison.Kind, target: LoadRow.Target? = nil
        ) -> LoadRow {
            LoadRow(
                "passthrough", quantity, median(weir.map(value)), unit, "nginx proxy", median(nginx.map(value)), kind,
                target: target)
        }
        return [
            row("requests", .perSecond, \.perSecond, .ratio, target: .atLeast(0.35)),
            row("latency p50", .milliseconds, \.p50, .added),
            row("latency p99", .milliseconds, \.p99, .added),
        ]
    }
}
