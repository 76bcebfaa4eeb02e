import Base
import Testing

@testable import Benchmark

@Suite("the replay of the cache")
struct ReplayTests {
    @Test("Zipf's law: each rank is drawn as often as it says")
    func zipf() {
        let zipf = Zipf(count: 5, exponent: 1)
        #expect(zipf.index(0) == 0 && zipf.index(0x1.fffffffffffffp-1) == 4)
        var random = SeededRandom(seed: 7), drawn = [0, 0, 0, 0, 0]
        let draws = 200_000
        for _ in 0..<draws { drawn[zipf.index(random.nextUnit())] += 1 }
        let whole = 1 + 1.0 / 2 + 1.0 / 3 + 1.0 / 4 + 1.0 / 5
        for (index, count) in drawn.enumerated() {
            let expected = Double(draws) / Double(index + 1) / whole
            // Five standard deviations.
            #expect(
                abs(Double(count) - expected) < 5 * expected.squareRoot(), "rank \(index + 1): \(count), \(expected)")
        }
    }

    @Test("the same seed makes the same trace, another seed another")
    func trace() {
        let trace = ReplayTrace(requests: 2_000, prompts: 300, seed: 3)
        let again = ReplayTrace(requests: 2_000, prompts: 300, seed: 3)
        #expect(trace.requests == again.requests && trace.prompts.map(\.body) == again.prompts.map(\.body))
        #expect(trace.requests != ReplayTrace(requests: 2_000, prompts: 300, seed: 4).requests)
        #expect(trace.halves.map(\.count) == [1_000, 1_000] && trace.halves.flatMap { $0 } == trace.requests)
        #expect(Set(trace.prompts.map(\.body)).count == 300)
        let tokens = trace.prompts.map(\.tokens).sorted()
        #expect((100...220).contains(tokens[150]) && tokens[0] >= 8 && tokens[299] > 4 * tokens[150])
    }

    @Test("Bélády's rule and LRU on traces that fit on paper")
    func bounds() {
        let even = [1, 1, 1, 1]
        // Room for two: 0 1 | 2 pushes out 1 (wanted last) | 0 hit | 2 hit | 1 | 0 hit
        #expect(ReplayBound.belady([0, 1, 2, 0, 2, 1, 0], even, budget: 2) == 3)
        // The same with LRU: only the second use of 2 is a hit.
        #expect(ReplayBound.lru([0, 1, 2, 0, 2, 1, 0], even, budget: 2) == 1)
        // A loop one larger than the room: LRU never hits, Bélády keeps two of the three.
        let loop = Array(repeating: [0, 1, 2], count: 4).flatMap { $0 }
        #expect(ReplayBound.lru(loop, even, budget: 2) == 0)
        #expect(ReplayBound.belady(loop, even, budget: 2) == 6)
        // All fits: every use but the first; nothing fits: none.
        #expect(ReplayBound.lru(loop, even, budget: 3) == 9 && ReplayBound.belady(loop, even, budget: 3) == 9)
        #expect(ReplayBound.lru(loop, even, budget: 0) == 0 && ReplayBound.belady(loop, even, budget: 0) == 0)
    }

    @Test("a heavy prompt takes the room of several, and one too heavy for the cache leaves it at once")
    func weights() {
        #expect(ReplayBound.lru([0, 1, 2, 0, 1], [1, 1, 2], budget: 3) == 0)
        #expect(ReplayBound.belady([0, 1, 2, 0, 1], [1, 1, 2], budget: 3) == 2)
        #expect(ReplayBound.belady([0, 1, 0, 1], [5, 1], budget: 4) == 1)
        #expect(ReplayBound.lru([0, 1, 0, 1], [5, 1], budget: 4) == 0)
    }

    @Test("who answered is read from Cache-Status")
    func outcomes() {
        #expect(ReplayTally.outcome("weir; hit; ttl=86399; detail=l1") == "l1")
        #expect(ReplayTally.outcome("weir; hit; ttl=-5; detail=stale") == "stale")
        #expect(ReplayTally.outcome("weir; fwd=miss; stored") == "miss")
        #expect(ReplayTally.outcome("weir; fwd=miss; collapsed") == "collapsed")
        #expect(ReplayTally.outcome("weir; fwd=bypass; detail=no_store") == "weir; fwd=bypass; detail=no_store")
    }

    @Test("the report sets hits, calls and dollars beside their bounds")
    func report() {
        let trace = ReplayTrace(requests: 1_000, prompts: 100, seed: 1)
        var report = CacheBenchmarkReport(trace, weights: Array(repeating: 40_000, count: 100))
        let distinct = trace.distinct.count
        #expect(report.memoryBytes == distinct * 20_000)
        report.tally = ReplayTally(outcomes: ["l1": 700, "l2": 150, "l3": 10, "collapsed": 40, "miss": 100])
        report.calls = 100
        report.dollars = .init(billedDollars: 1, cachedDollars: 3.5, coalescedDollars: 0.5)
        let lines = report.description.split(separator: "\n")
        #expect(lines.contains { $0.contains("hit ratio [%]") && $0.hasSuffix(">= 80   ok") }, "\(report)")
        #expect(lines.contains { $0.contains("provider calls saved [%]") && $0.contains("90.0") }, "\(report)")
        #expect(lines.contains { $0.contains("billed [$]") && $0.contains("80.0 % less") }, "\(report)")
        #expect(report.rows.filter { $0.meetsTarget == false }.isEmpty)
        let json = report.json.text
        #expect(
            json.hasPrefix(#"{"benchmark":"cache","requests":1000,"distinctPrompts":\#(distinct),"providerCalls":100"#))
        #expect(json.contains(#""outcomes":{"collapsed":40,"l1":700,"l2":150,"l3":10,"miss":100}"#))
    }

    @Test("numbered requests differ in twelve digits, for wrk as for us")
    func numbered() {
        #expect(ChatRequest.body(42).contains("Case 000000000042: What is"))
        #expect(ChatRequest.body(0).utf8.count == ChatRequest.body(999_999_999_999).utf8.count)
        let script = Wrk.numbering(2_000)
        #expect(script.contains("[[\(ChatRequest.numberedParts.0)]]") && script.contains("% 2000"))
        #expect(!ChatRequest.body(7).contains("]]"), "it would end Lua's text")
    }
}
