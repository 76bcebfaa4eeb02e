internal import Base

extension Measure {
    /// Throughput beside nginx's reverse proxy in front of the same provider.
    static let passthrough = Measure(
        name: "passthrough", title: "wrk with \(Wrk.connections) connections, the cache's policy off",
        tools: [.nginx, .wrk]
    ) { workbench in
        let peers = try workbench.startMockAndProxy()
        defer { peers.nginx.stop() }
        let weir = try workbench.startWeir(WeirSetup(mock: peers.mock))
        defer { weir.stop() }
        for (port, whom) in [(peers.proxy, "nginx"), (weir.port, "weir")] {
            let client = PlainClient(port: port)
            try ChatRequest.check(try client.send(ChatRequest.plain(client, key: weir.key)), from: whom)
        }
        let rounds = try Wrk(workbench, key: weir.key).rounds(
            weir, beside: "nginx proxy", peers.proxy, seconds: workbench.seconds)
        return try rounds.rows("passthrough", target: 0.35, sentBefore: 1)
    }
}

extension Wrk {
    static let connections = 64
    /// Of each, in turns, so that a slow moment of the machine strikes both.
    private static let rounds = 3

    /// Weir under load beside a peer.
    struct Rounds {
        let weir: WeirServer
        let peerName: String
        fileprivate(set) var weirResults: [WrkResult] = []
        fileprivate(set) var peerResults: [WrkResult] = []
        /// By wrk to Weir, the warming up included.
        fileprivate(set) var sent = 0
    }

    func rounds(_ weir: WeirServer, beside peerName: String, _ peer: Int, seconds: Int) throws -> Rounds {
        /// No number comes twice to Weir: each run has a thousand million.
        func run(_ port: Int, _ seconds: Int, _ number: Int) throws -> WrkResult {
            try self.run(port: port, connections: Self.connections, seconds: seconds, after: number * 1_000_000_000)
        }
        var rounds = Rounds(weir: weir, peerName: peerName)
        _ = try run(peer, 1, 0)
        rounds.sent += try run(weir.port, 1, 0).requests
        for round in 1...Self.rounds {
            rounds.peerResults.append(try run(peer, seconds, round))
            let result = try run(weir.port, seconds, round)
            rounds.weirResults.append(result)
            rounds.sent += result.requests
        }
        return rounds
    }
}

extension Wrk.Rounds {
    /// - Parameters:
    ///   - target: the least share of the peer's rate.
    ///   - sentBefore: requests to Weir that wrk did not send.
    func rows(_ measure: String, target: Double, sentBefore: Int) throws -> [LoadRow] {
        func row(
            _ quantity: String, _ unit: LoadRow.Unit, _ value: (WrkResult) -> Double,
            _ kind: LoadRow.Comparison.Kind, target: LoadRow.Target? = nil
        ) -> LoadRow {
            LoadRow(
                measure, quantity, median(weirResults.map(value)), unit, peerName, median(peerResults.map(value)), kind,
                target: target)
        }
        // wrk leaves with requests under way: the ledger may hold a few more than wrk saw answered, never fewer.
        let counted = try weir.ledgerCount()
        return [
            row("requests", .perSecond, \.perSecond, .ratio, target: .atLeast(target)),
            row("latency p50", .milliseconds, \.p50, .added),
            row("latency p99", .milliseconds, \.p99, .added),
            LoadRow(
                measure, "requests in the ledger", Double(counted), .count, "sent", Double(sent + sentBefore), .ratio,
                target: .atLeast(1)),
            LoadRow(measure, "memory at the peak", try weir.server.peakMegabytes(), .megabytes),
        ]
    }
}
