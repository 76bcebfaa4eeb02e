internal import Base

extension Measure {
    private static let starts = 10

    /// From `exec` to the first answer, and what an idle server needs.
    static let start = Measure(
        name: "start", title: "\(starts) first starts, \(starts) restarts", tools: [.nginx]
    ) { workbench in
        let peers = try workbench.startMockAndProxy()
        defer { peers.nginx.stop() }
        var first: [Double] = []
        for _ in 0..<starts {
            let place = try workbench.placeForWeir(WeirSetup(mock: peers.mock))
            first.append(try time(workbench, place))
        }
        let place = try workbench.placeForWeir(WeirSetup(mock: peers.mock))
        _ = try time(workbench, place)
        var again: [Double] = []
        for _ in 0..<starts { again.append(try time(workbench, place)) }
        let idle = try idleMegabytes(workbench, place)
        return [
            LoadRow("start", "to first answer", median(again), .milliseconds, target: .atMost(100)),
            LoadRow("start", "the same, new data folder", median(first), .milliseconds, target: .atMost(100)),
            LoadRow("start", "idle memory", idle, .megabytes, target: .atMost(30)),
        ]
    }

    /// Milliseconds until a chat request is answered; the server is stopped again.
    private static func time(_ workbench: Workbench, _ place: Workbench.WeirPlace) throws -> Double {
        let start = MonotonicInstant.now()
        let server = try workbench.launchWeir(place)
        defer { server.stop() }
        try answerOnce(server, place)
        return Double(MonotonicInstant.now().nanoseconds(since: start)) / 1e6
    }

    private static func idleMegabytes(_ workbench: Workbench, _ place: Workbench.WeirPlace) throws -> Double {
        let server = try workbench.launchWeir(place)
        defer { server.stop() }
        try answerOnce(server, place)
        pauseThread(.seconds(2))
        return try server.residentMegabytes()
    }

    /// Asks until the server is there; a refused connection costs next to nothing.
    private static func answerOnce(_ server: LocalServer, _ place: Workbench.WeirPlace) throws {
        let deadline = MonotonicInstant.now().advanced(by: LocalServer.readyWithin)
        let client = PlainClient(port: place.port, timeout: .seconds(5))
        let request = ChatRequest.plain(client, key: place.adminKey)
        while true {
            do {
                try ChatRequest.check(try client.send(request), from: "weir")
                return
            } catch PlainClientFailure.cannotConnect(let what) {
                guard server.child.isRunning, MonotonicInstant.now() < deadline else {
                    throw BenchmarkFailure.notReady("\(what): \(server.logEnd)")
                }
            }
            pauseThread(.microseconds(500))
        }
    }
}
