internal import Base

/// What became of the requests of a replay.
struct ReplayTally {
    /// By who answered: `l1`, `l2`, `l3`, `stale`, `collapsed`, `miss`, and anything else by its `Cache-Status`.
    var outcomes: [String: Int] = [:]

    mutating func add(_ other: ReplayTally) { outcomes.merge(other.outcomes, uniquingKeysWith: +) }

    /// `weir; hit; ttl=9; detail=l1` is `l1`.
    static func outcome(_ cacheStatus: String) -> String {
        if cacheStatus.hasPrefix("weir; hit") { return String(cacheStatus.split(separator: "=").last ?? "") }
        if cacheStatus.hasSuffix("; collapsed") { return "collapsed" }
        return cacheStatus.hasPrefix("weir; fwd=miss") ? "miss" : cacheStatus
    }
}

/// A few kept connections, a thread each, that together send requests in their order.
struct ReplayClients: Sendable {
    static let connections = 8

    let port: Int
    /// By prompt: what is sent, and what must come.
    let prompts: [(request: [UInt8], answer: Answer)]

    /// A body, as far as it takes to know it again.
    struct Answer: Equatable {
        let bytes: Int
        let sum: UInt32

        init(_ response: PlainResponse, from whom: String) throws(BenchmarkFailure) {
            guard response.status == 200 else {
                throw .wrongAnswers("\(whom) answered \(response.status): \(response.text.prefix(200))")
            }
            bytes = response.body.count
            sum = response.body.withUnsafeBytes { checksum($0) }
        }
    }

    private struct State {
        var waiting: ArraySlice<Int>
        var tally = ReplayTally()
        var failure: (any Error)?
    }

    /// - Throws: when any answer was not, byte for byte, the provider's to that very prompt.
    func run(_ requests: ArraySlice<Int>) throws -> ReplayTally {
        let state = Locked(State(waiting: requests))
        let threads = (0..<Self.connections).map { number in
            OSThread.start("bench-replay-\(number)") {
                do {
                    let tally = try work { state.withLock { $0.waiting.popFirst() } }
                    state.withLock { $0.tally.add(tally) }
                } catch {
                    state.withLock { ($0.failure, $0.waiting) = ($0.failure ?? error, []) }
                }
            }
        }
        for thread in threads { thread.join() }
        return try state.withLock { state in
            if let failure = state.failure { throw failure }
            return state.tally
        }
    }

    private func work(next: () -> Int?) throws -> ReplayTally {
        let client = PlainClient(port: port)
        var tally = ReplayTally()
        while let prompt = next() {
            let answer = try client.send(prompts[prompt].request)
            guard try Answer(answer, from: "weir") == prompts[prompt].answer else {
                throw BenchmarkFailure.wrongAnswers("prompt \(prompt) got another answer: \(answer.text.prefix(300))")
            }
            tally.outcomes[ReplayTally.outcome(answer.headers["cache-status"] ?? "none"), default: 0] += 1
        }
        return tally
    }
}
