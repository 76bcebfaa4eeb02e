internal import Base

extension Measure {
    private static let requests = 500
    private static let warmUp = 20
    private static let connections = 16

    /// A request over a kept connection beside one that opens its own, both over TLS.
    static let pool = Measure(
        name: "pool", title: "kept connections beside a new TLS connection a request", tools: [.nginx, .openssl, .wrk]
    ) { workbench in
        let peers = try workbench.startMockAndProxy()
        defer { peers.nginx.stop() }
        let certificate = try Certificate.make(workbench)
        let front = try workbench.startTLSFront(of: peers.mock, certificate)
        defer { front.nginx.stop() }
        let pooled = try poolTimes(workbench, front, certificate, reuses: true)
        let fresh = try poolTimes(workbench, front, certificate, reuses: false)
        guard fresh.connections >= requests, pooled.connections < requests / 10 else {
            throw BenchmarkFailure.wrongAnswers(
                "\(requests) requests: \(pooled.connections) connections with pool-reuse, \(fresh.connections) without")
        }
        return [
            LoadRow(
                "pool", "mean, one at a time", pooled.single.mean, .milliseconds, "new connection", fresh.single.mean,
                .savingPercent, target: .atLeast(60)),
            LoadRow(
                "pool", "mean, \(connections) at once", pooled.wrk.mean, .milliseconds, "new connection",
                fresh.wrk.mean, .savingPercent, target: .atLeast(60)),
            LoadRow(
                "pool", "connections for \(requests) requests", Double(pooled.connections), .count, "new connection",
                Double(fresh.connections), .ratio),
        ]
    }

    private struct PoolTimes {
        var single: Percentiles
        var wrk: WrkResult
        /// Opened for the requests that were made one at a time.
        var connections: Int
    }

    private static func poolTimes(
        _ workbench: Workbench, _ front: Workbench.TLSFront, _ certificate: Certificate, reuses: Bool
    ) throws -> PoolTimes {
        var setup = WeirSetup(baseURL: "https://127.0.0.1:\(front.tls)/v1")
        setup.authorityFile = certificate.authority
        setup.reusesConnections = reuses
        let weir = try workbench.startWeir(setup)
        defer { weir.stop() }
        let lane = Lane(port: weir.port, name: "weir", key: weir.key)
        try lane.run(warmUp, records: false)
        let before = try front.connections()
        try lane.run(requests, records: true)
        let opened = try front.connections() - before - 1  // the question itself is one
        let wrk = try Wrk(workbench, key: weir.key)
        let load = try wrk.run(port: weir.port, connections: connections, seconds: workbench.seconds)
        return PoolTimes(single: try lane.percentiles(), wrk: load, connections: opened)
    }
}
