internal import Base

extension Measure {
    private static let streams = 500
    private static let blockStreams = 50

    /// From the moment the provider sends the first token to the moment the client has it.
    static let firstToken = Measure(
        name: "first-token", title: "\(streams) streams one after the other", tools: []
    ) { workbench in
        // The first token leaves alone, two milliseconds after the head, as from a model that thinks.
        let simulator = try workbench.startSimulator(["--first-token", "2ms", "--tokens-per-second", "500"])
        defer { simulator.stop() }
        let weir = try workbench.startWeir(WeirSetup(mock: simulator.port))
        defer { weir.stop() }
        let direct = FirstTokenLane(port: simulator.port, key: weir.key)
        let through = FirstTokenLane(port: weir.port, key: weir.key)
        for lane in [direct, through] { try lane.run(blockStreams, records: false) }
        for _ in 0..<(streams / blockStreams) {
            for lane in [direct, through] { try lane.run(blockStreams, records: true) }
        }
        let plain = try Percentiles.required(direct.delays), delayed = try Percentiles.required(through.delays)
        return [
            LoadRow(
                "first-token", "delay p50", delayed.p50, .milliseconds, "direct", plain.p50, .added,
                target: .atMost(0.3)),
            LoadRow("first-token", "delay p99", delayed.p99, .milliseconds, "direct", plain.p99, .added),
        ]
    }
}

/// One connection that streams short answers.
private final class FirstTokenLane {
    private static let tokens = 3
    private let client: PlainClient
    private let request: [UInt8]
    /// Milliseconds from sent to read.
    private(set) var delays: [Double] = []

    init(port: Int, key: String) {
        client = PlainClient(port: port)
        request = ChatRequest.stream(client, key: key, tokens: Self.tokens)
    }

    func run(_ count: Int, records: Bool) throws {
        for _ in 0..<count {
            var stamps: [(sent: UInt64, received: MonotonicInstant)] = []
            var isDone = false
            let answer = try client.stream(request) { event in
                if event.data == "[DONE]" { isDone = true }
                var reader = TokenStamps()
                reader.feed(event.data.utf8) { stamps.append(($0, event.received)) }
                return true
            }
            guard answer.status == 200, isDone, stamps.count == Self.tokens else {
                throw BenchmarkFailure.wrongAnswers(
                    "status \(answer.status), \(stamps.count) of \(Self.tokens) tokens: \(answer.text.prefix(200))")
            }
            let first = stamps[0].received.nanoseconds(since: MonotonicInstant(nanoseconds: stamps[0].sent))
            if records { delays.append(Double(first) / 1e6) }
        }
    }
}
