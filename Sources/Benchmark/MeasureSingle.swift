internal import Base

extension Measure {
    private static let warmUp = 500
    private static let blocks = 12
    private static let blockRequests = 250

    /// What Weir adds to a request that has the machine to itself.
    static let single = Measure(
        name: "single", title: "one connection, one request at a time, \(blocks * blockRequests) requests",
        tools: [.nginx]
    ) { workbench in
        let peers = try workbench.startMockAndProxy()
        defer { peers.nginx.stop() }
        let weir = try workbench.startWeir(WeirSetup(mock: peers.mock))
        defer { weir.stop() }
        let lanes = [(peers.mock, "the mock"), (peers.proxy, "nginx"), (weir.port, "weir")]
            .map { Lane(port: $0.0, name: $0.1, key: weir.key) }
        for lane in lanes { try lane.run(warmUp, records: false) }
        for _ in 0..<blocks {
            for lane in lanes { try lane.run(blockRequests, records: true) }
        }
        let direct = try lanes[0].percentiles(), nginx = try lanes[1].percentiles()
        let through = try lanes[2].percentiles()
        return [
            LoadRow(
                "single", "latency p50", through.p50, .milliseconds, "direct", direct.p50, .added,
                target: .atMost(0.15)),
            LoadRow("single", "latency p99", through.p99, .milliseconds, "direct", direct.p99, .added),
            LoadRow("single", "latency p50 of nginx's proxy", nginx.p50, .milliseconds, "direct", direct.p50, .added),
            LoadRow("single", "latency p99 of nginx's proxy", nginx.p99, .milliseconds, "direct", direct.p99, .added),
        ]
    }
}

/// One connection on which the same request is made again and again, and how long each took.
final class Lane {
    private let client: PlainClient
    private let request: [UInt8]
    private let check: (PlainResponse) throws -> Void
    private var times: [Double] = []

    init(_ client: PlainClient, _ request: [UInt8], check: @escaping (PlainResponse) throws -> Void) {
        (self.client, self.request, self.check) = (client, request, check)
    }

    /// Every answer is compared with what the mock sends.
    convenience init(port: Int, name: String, key: String) {
        let client = PlainClient(port: port)
        self.init(client, ChatRequest.plain(client, key: key)) { try ChatRequest.check($0, from: name) }
    }

    /// Milliseconds. Fails while nothing was recorded.
    func percentiles() throws -> Percentiles { try Percentiles.required(times) }

    func run(_ count: Int, records: Bool) throws {
        for _ in 0..<count {
            let start = MonotonicInstant.now()
            let answer = try client.send(request)
            let time = MonotonicInstant.now().nanoseconds(since: start)
            try check(answer)
            if records { times.append(Double(time) / 1e6) }
        }
    }
}
