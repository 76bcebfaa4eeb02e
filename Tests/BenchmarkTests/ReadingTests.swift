import Base
import Testing

@testable import Benchmark

@Suite("reading figures")
struct ReadingTests {
    @Test("percentiles are values that were measured, by nearest rank")
    func percentiles() throws {
        let hundred = try #require(Percentiles((1...100).map(Double.init).reversed()))
        #expect(hundred == Percentiles((1...100).map(Double.init).shuffled()))
        #expect([hundred.p50, hundred.p99, hundred.max, hundred.mean] == [50, 99, 100, 50.5])
        let one = try #require(Percentiles([7]))
        #expect([one.p50, one.p99, one.max, one.mean, Double(one.count)] == [7, 7, 7, 7, 1])
        #expect(Percentiles((1...3).map(Double.init))?.p50 == 2)
        #expect(Percentiles([]) == nil)
    }

    @Test("a median lies in the middle, between two in their middle")
    func medians() {
        #expect(median([3, 1, 2]) == 2 && median([4, 1, 2, 3]) == 2.5 && median([]) == 0)
    }

    private static let wrkOutput = """
        Running 2s test @ http://127.0.0.1:9103/v1/chat/completions
          1 threads and 64 connections
          Thread Stats   Avg      Stdev     Max   +/- Stdev
            Latency     1.55ms  626.48us  18.22ms   91.53%
            Req/Sec    41.32k     2.01k   44.93k    75.00%
          82361 requests in 2.00s, 51.21MB read
        Requests/sec:  41150.24
        weir-wrk requests=82361 duration=2001467 mean=1551 p50=1437 p99=3712 errors=0 status=3

        """

    @Test("wrk's figures come from the line that our script makes it print")
    func wrk() throws {
        let result = try #require(WrkResult(output: Self.wrkOutput))
        #expect(result.requests == 82_361 && result.badStatus == 3 && result.socketErrors == 0)
        #expect([result.seconds, result.mean, result.p50, result.p99] == [2.001467, 1.551, 1.437, 3.712])
        #expect(Int(result.perSecond) == 41_150)
    }

    @Test("a missing or mangled line gives no figures")
    func mangledWrk() {
        let line = "weir-wrk requests=1 duration=2 mean=3 p50=4 p99=5 errors=6 status=7"
        #expect(WrkResult(output: line) != nil)
        for wrong in ["", "weir-wrk", "weir-wrk requests=1", line + " x", line + "x", "weir-wrk duration=0"] {
            #expect(WrkResult(output: wrong) == nil, "\(wrong)")
        }
        for field in line.split(separator: " ").dropFirst() {
            let without = line.split(separator: " ").filter { $0 != field }.joined(separator: " ")
            #expect(WrkResult(output: without) == nil, "without \(field)")
        }
    }

    @Test("the script carries the key and the request")
    func wrkScript() {
        let script = Wrk.script(key: "weir-0123")
        #expect(script.contains(#"wrk.headers["Authorization"] = "Bearer weir-0123""#))
        #expect(script.contains("wrk.body = [[\(ChatRequest.body)]]"))
        #expect(script.contains(#"status=%d\n","#))
    }

    @Test("stamps are found in pieces of any size, and only whole ones")
    func stamps() {
        let text = """
            data: {"delta":{"role":"assistant","content":""}}\n\ndata: {"delta":{"content":"00000000000123456789"}}\n\n\
            data: {"content":"12ab"}\n\ndata: {"x":"\\"content\\":5","content":"18446744073709551615"}\n\n\
            data: {"content":"0000000000012345678"}\n\n
            """
        let bytes = Array(text.utf8)
        for size in [1, 2, 5, 19, bytes.count] {
            var stamps = TokenStamps()
            var found: [UInt64] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                stamps.feed(bytes[start..<min(start + size, bytes.count)]) { found.append($0) }
            }
            #expect(found == [123_456_789, .max], "pieces of \(size)")
        }
    }

    @Test("events end at blank lines; comments and empty events are none")
    func events() {
        var reader = EventReader()
        let text = ": comment\n\nevent: a\r\ndata:1\r\n\r\nid: 4\n\ndata\n\ndata: left over"
        let events = reader.feed(text.utf8, received: MonotonicInstant(nanoseconds: 5))
        #expect(events.map(\.name) == ["a", ""] && events.map(\.data) == ["1", ""])
        #expect(events.allSatisfy { $0.received.nanoseconds == 5 })
    }
}
