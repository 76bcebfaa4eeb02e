internal import Base

/// Throughput with the cache on: of hits beside nginx answering the same POST itself, of misses beside its proxy.
extension Measure {
    static let hitL1 = cacheLoad(
        "hit-l1", "one request over and over, its answer in memory", layer: "l1", prompts: 1, target: 0.5)
    static let hitL2 = cacheLoad(
        "hit-l2", "2,000 requests in turns, their answers in LMDB; memory is off", layer: "l2", prompts: 2_000,
        target: 0.3)
    static let miss = cacheLoad(
        "miss", "each request different, looked for in every layer and kept", layer: nil, prompts: 1_000_000_000_000,
        target: 0.33)

    /// - Parameter layer: the one that must give every answer; nil: none may.
    private static func cacheLoad(
        _ name: String, _ title: String, layer: String?, prompts: Int, target: Double
    ) -> Measure {
        Measure(name: name, title: title, tools: [.nginx, .wrk]) { workbench in
            let peers = try workbench.startMockAndProxy()
            defer { peers.nginx.stop() }
            var setup = WeirSetup(mock: peers.mock)
            setup.cachePolicy = "standard"
            setup.usesCacheMemory = layer != "l2"
            let weir = try workbench.startWeir(setup)
            defer { weir.stop() }
            var asked = 0
            if let layer {
                let bodies = prompts == 1 ? [ChatRequest.body] : (0..<prompts).map { ChatRequest.body($0) }
                asked = try fill(weir, bodies, layer)
            }
            let (peer, port) = layer == nil ? ("nginx proxy", peers.proxy) : ("nginx itself", peers.mock)
            let rounds = try Wrk(workbench, key: weir.key, prompts: prompts).rounds(
                weir, beside: peer, port, seconds: workbench.seconds)
            let hits = try ["l1", "l2", "l3"].map { try ($0, weir.hits($0)) }
            guard hits.allSatisfy({ $0.0 == layer ? $0.1 >= rounds.sent : $0.1 == 0 }) else {
                throw BenchmarkFailure.wrongAnswers("of \(rounds.sent) requests, hits were \(hits)")
            }
            return try rounds.rows(name, target: target, sentBefore: asked)
        }
    }

    /// Asks each once, and then again until the layer has the answer: files are written behind the request.
    /// - Returns: how many requests that took.
    private static func fill(_ weir: WeirServer, _ bodies: [String], _ layer: String) throws -> Int {
        let client = PlainClient(port: weir.port)
        let requests = bodies.map { ChatRequest.plain(client, key: weir.key, body: $0) }
        for request in requests { try ChatRequest.check(try client.send(request), from: "weir") }
        var asked = requests.count
        for request in requests {
            var tries = 0
            while true {
                let answer = try client.send(request)
                try ChatRequest.check(answer, from: "weir")
                asked += 1
                let status = answer.headers["cache-status"] ?? ""
                if status.hasSuffix("; detail=\(layer)") { break }
                tries += 1
                guard tries < 500 else { throw BenchmarkFailure.wrongAnswers("\(layer) has nothing: \(status)") }
                pauseThread(.milliseconds(10))
            }
        }
        return asked
    }

    private static let warmUp = 500
    private static let blocks = 60
    private static let blockRequests = 50

    /// A hit that has the machine to itself, for a plain and for a streaming caller.
    static let hitSingle = Measure(
        name: "hit-single", title: "one connection, one hit at a time, \(blocks * blockRequests) of each",
        tools: [.nginx]
    ) { workbench in
        let peers = try workbench.startMockAndProxy()
        defer { peers.nginx.stop() }
        var setup = WeirSetup(mock: peers.mock)
        setup.cachePolicy = "standard"
        let weir = try workbench.startWeir(setup)
        defer { weir.stop() }
        _ = try fill(weir, [ChatRequest.body], "l1")
        let client = PlainClient(port: weir.port)
        let stream = ChatRequest.plain(client, key: weir.key, body: #"{"stream":true,"# + ChatRequest.body.dropFirst())
        let lanes = [
            Lane(port: peers.mock, name: "nginx", key: weir.key),
            Lane(client, ChatRequest.plain(client, key: weir.key)) { try ChatRequest.check($0, from: "weir") },
            Lane(client, stream) { answer in
                let status = answer.headers["cache-status"] ?? "none"
                let isWhole = answer.body.suffix(14).elementsEqual("data: [DONE]\n\n".utf8)
                guard isWhole, status.hasSuffix("detail=l1") else {
                    throw BenchmarkFailure.wrongAnswers("\(answer.status), \(status): \(answer.text.suffix(200))")
                }
            },
        ]
        for lane in lanes { try lane.run(warmUp, records: false) }
        for _ in 0..<blocks {
            client.close()  // the next connection is another event loop's, which may run on another processor
            for lane in lanes { try lane.run(blockRequests, records: true) }
        }
        let (nginx, plain, streamed) = try (lanes[0].percentiles(), lanes[1].percentiles(), lanes[2].percentiles())
        return [
            LoadRow("hit-single", "plain, p50", plain.p50, .milliseconds, target: .atMost(0.15)),
            LoadRow("hit-single", "streamed, p50", streamed.p50, .milliseconds, target: .atMost(0.15)),
            LoadRow("hit-single", "plain, p99", plain.p99, .milliseconds, "nginx itself", nginx.p99, .added),
            LoadRow("hit-single", "streamed, p99", streamed.p99, .milliseconds, "nginx itself", nginx.p99, .added),
            LoadRow("hit-single", "p50 of nginx itself", nginx.p50, .milliseconds),
        ]
    }
}
