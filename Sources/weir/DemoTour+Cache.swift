import Base
import Benchmark
import FoundationEssentials
import Gateway
import Simulator

/// What the response cache does: a hit in memory, plain and streamed, many callers at once, a restart, and the sum.
extension DemoTour {
    /// A chat answer that came as events.
    struct Streamed {
        let answer: PlainResponse
        let events: Int
        let text: String
        let firstEvent: UInt64
        let nanoseconds: UInt64
    }

    private struct Chunk: Decodable {
        struct Choice: Decodable {
            struct Delta: Decodable { var content: String? }
            var delta: Delta
        }
        var choices: [Choice]
    }

    private struct Completion: Decodable {
        struct Choice: Decodable {
            struct Message: Decodable { var content: String }
            var message: Message
        }
        var choices: [Choice]

        init(_ answer: PlainResponse) throws {
            self = try JSONDecoder().decode(Completion.self, from: Data(answer.body))
        }

        var text: String { choices.map(\.message.content).joined() }
    }

    func askForStream(_ question: String) throws -> Streamed {
        let body = Array(question.replacingFirst("{", with: "{\"stream\":true,").utf8)
        let begin = MonotonicInstant.now()
        var events: [PlainEvent] = []
        let answer = try weir.stream("POST", "/v1/chat/completions", headers: Self.json, body: body) {
            events.append($0)
            return true
        }
        let took = MonotonicInstant.now().nanoseconds(since: begin)
        try check(answer.status == 200, "the answer was \(answer.status): \(answer.text)")
        try check(events.last?.data == "[DONE]", "the stream did not end with [DONE]")
        let chunks = try events.dropLast().map { try JSONDecoder().decode(Chunk.self, from: Data($0.data.utf8)) }
        return Streamed(
            answer: answer, events: events.count,
            text: chunks.flatMap(\.choices).compactMap(\.delta.content).joined(),
            firstEvent: events.first?.received.nanoseconds(since: begin) ?? 0, nanoseconds: took)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = "\(number)"
        return String(repeating: " ", count: max(0, width - digits.count)) + digits
    }

    private func callsSince(_ before: CallCounts) -> Int { provider.calls.total - before.total }

    private func isHit(_ answer: PlainResponse, _ layer: String) -> Bool {
        let status = answer.headers["cache-status"] ?? ""
        return status.hasPrefix("weir; hit;") && status.hasSuffix("; detail=\(layer)")
    }

    private func saved(_ answer: PlainResponse) -> String { "$\(answer.headers["x-weir-saved"] ?? "unknown")" }

    func repeats(of first: Timed) throws {
        say("\nThe same request again is answered from memory (L1)")
        let before = provider.calls
        let hit = try ask(Self.question("What is a weir?"))
        line("the first time, above", "\(first.summary)   Cache-Status: \(first.cacheStatus)")
        line("again", "\(hit.summary)   Cache-Status: \(hit.cacheStatus)")
        line("saved", saved(hit.answer))
        line("same bytes", hit.answer.body == first.answer.body ? "yes" : "no")
        try check(first.cacheStatus == "weir; fwd=miss; stored", "the first answer was not stored")
        try check(isHit(hit.answer, "l1"), "that was no hit in memory")
        try check(hit.answer.body == first.answer.body, "the cache changed the answer's bytes")
        let streamed = try askForStream(Self.question("What is a weir?"))
        let isSame = try streamed.text == Completion(first.answer).text
        let time = Timed(answer: streamed.answer, nanoseconds: streamed.nanoseconds)
        line("streamed, \(streamed.events) events", "\(time.summary)   Cache-Status: \(time.cacheStatus)")
        line("same text", isSame ? "yes" : "no")
        line("calls of the provider", "\(callsSince(before))")
        try check(isHit(streamed.answer, "l1") && isSame, "that was no streamed hit of the same answer")
        try check(callsSince(before) == 0, "a hit asked the provider")
    }

    func together() throws {
        let callers = 50
        say("\n\(callers) identical requests at once make one call (collapsed)")
        let before = provider.calls
        let begin = MonotonicInstant.now()
        let answers = try crowd(callers, Self.question("What do fifty callers ask at once?"))
        let took = MonotonicInstant.now().nanoseconds(since: begin)
        let statuses = answers.map { $0.headers["cache-status"] ?? "none" }
        line("answers", "\(answers.count { $0.status == 200 }) with status 200, all in \(Self.milliseconds(took))")
        for status in Set(statuses).sorted().reversed() {
            line("", Self.padded(statuses.count { $0 == status }, 2) + "  Cache-Status: \(status)")
        }
        let savings = Set(answers.compactMap { $0.headers["x-weir-saved"] }).sorted()
        line("saved by each of those", savings.map { "$\($0)" }.joined(separator: ", "))
        line("same bytes", Set(answers.map(\.body)).count == 1 ? "yes" : "no")
        line("calls of the provider", "\(callsSince(before))")
        try check(answers.allSatisfy { $0.status == 200 }, "not every caller was answered")
        try check(Set(answers.map(\.body)).count == 1, "the callers' answers differ")
        try check(statuses.contains("weir; fwd=miss; collapsed"), "no request joined another one's call")
        try check(callsSince(before) == 1, "\(callsSince(before)) calls were made")
    }

    /// The same request by that many callers, each on a thread and a connection of its own.
    private func crowd(_ callers: Int, _ question: String) throws -> [PlainResponse] {
        let (port, body) = (server.port, Array(question.utf8))
        let results = Locked<[Result<PlainResponse, any Error>]>([])
        let threads = (1...callers).map { number in
            OSThread.start("caller-\(number)") {
                let answer = Result<PlainResponse, any Error> {
                    try PlainClient(port: port).request("POST", "/v1/chat/completions", headers: Self.json, body: body)
                }
                results.withLock { $0.append(answer) }
            }
        }
        for thread in threads { thread.join() }
        return try results.withLock { $0 }.map { try $0.get() }
    }

    func restart(_ first: Timed) throws {
        say("\nWeir is stopped and started again: its memory is empty, the disk (L2) has the answer")
        let before = provider.calls
        let begin = MonotonicInstant.now()
        try server.restart()
        line("stopped and started in", Self.milliseconds(MonotonicInstant.now().nanoseconds(since: begin)))
        let fromDisk = try ask(Self.question("What is a weir?"))
        line("the request from above", "\(fromDisk.summary)   Cache-Status: \(fromDisk.cacheStatus)")
        let again = try ask(Self.question("What is a weir?"))
        line("and again", "\(again.summary)   Cache-Status: \(again.cacheStatus)")
        let isSame = fromDisk.answer.body == first.answer.body && again.answer.body == first.answer.body
        line("same bytes", isSame ? "yes" : "no")
        line("calls of the provider", "\(callsSince(before))")
        try check(isHit(fromDisk.answer, "l2"), "the disk did not have the answer")
        try check(isHit(again.answer, "l1"), "the answer did not go back into memory")
        try check(isSame && callsSince(before) == 0, "the restart cost an answer")
    }

    private struct Savings: Decodable {
        struct Total: Decodable {
            var requests: Int
            var billedRequests: Int
            var billedDollars: Double
            var cachedRequests: Int
            var cachedDollars: Double
            var coalescedRequests: Int
            var coalescedDollars: Double
        }
        var total: Total
    }

    func savings() throws {
        let answer = try weir.request("GET", "/savings", headers: Self.admin)
        try check(answer.status == 200, "GET /savings: \(answer.status)")
        let total = try JSONDecoder().decode(Savings.self, from: Data(answer.body)).total
        func sum(_ requests: Int, _ amount: Double) -> String {
            Self.padded(requests, 2) + " requests   $" + dollars(Int64((amount * 1e9).rounded()))
        }
        say("\nWhat was saved, as GET /savings shows it")
        line("answered by the provider", sum(total.billedRequests, total.billedDollars))
        line("from the cache", sum(total.cachedRequests, total.cachedDollars) + " saved")
        line("collapsed", sum(total.coalescedRequests, total.coalescedDollars) + " saved")
        line(
            "calls of the provider",
            "\(provider.calls.total) by its own count: these, the one that went straight, the one it refused")
        try check(provider.calls.total == total.billedRequests + 2, "the ledger and the provider count differently")
        try check(total.cachedRequests >= 4 && total.coalescedRequests > 0, "the savings are not counted")
        try check(total.cachedDollars > 0 && total.coalescedDollars > 0, "the savings have no price")
    }
}
