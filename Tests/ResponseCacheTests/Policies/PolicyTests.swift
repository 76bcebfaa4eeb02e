import Base
import ResponseCache
import Testing

/// Every trace that came with the project. One in ten of its keys fits the cache: between the sizes of the LIRS paper,
/// too small for the working set and large enough that policies differ.
private let traceNames = [
    "lirs-2_pools", "lirs-cpp", "lirs-cs", "lirs-gli", "lirs-loop", "lirs-multi1", "lirs-multi2", "lirs-multi3",
    "lirs-ps", "lirs-scan", "lirs-sprite", "lirs-zigzag", "cache2k-web07", "cache2k-web12", "cloudPhysicsIO",
]

@Suite(.enabled(if: TraceFolder.isThere, "no traces: set WEIR_DATA, or put them in ../shared/data"))
struct PolicyTests {
    @Test("LRU and FIFO miss exactly as often as libCacheSim says, at eight sizes in bytes")
    func libCacheSim() throws {
        let trace = try TraceFolder.trace("cloudPhysicsIO")
        #expect(trace.requests.count == 113_872 && trace.keyCount == 48_974)
        let lru = [93374, 89783, 83572, 81722, 72494, 72104, 71972, 71704]
        let fifo = [93403, 89386, 84387, 84025, 72498, 72228, 72182, 72140]
        for step in 1...8 {
            let capacity = step * 128 << 20
            #expect(trace.requests.count - LRU.hits(trace, capacity: capacity, sized: true) == lru[step - 1])
            #expect(trace.requests.count - FIFO.hits(trace, capacity: capacity, sized: true) == fifo[step - 1])
        }
    }

    @Test("W-TinyLFU is within 2 points of the best of LRU, ARC, S3-FIFO and LIRS", arguments: traceNames)
    func withinTwoPoints(name: String) throws {
        let whole = try TraceFolder.trace(name)
        // 49 laps of the loop tell what its 500 tell.
        let trace = name == "lirs-loop" ? whole.prefix(50_000) : whole
        let capacity = trace.keyCount / 10, count = Double(trace.requests.count)
        let rivals = [
            ("LRU", LRU.hits(trace, capacity: capacity)), ("ARC", ARC.hits(trace, capacity: capacity)),
            ("S3-FIFO", S3FIFO.hits(trace, capacity: capacity)), ("LIRS", LIRS.hits(trace, capacity: capacity)),
        ]
        let ours = WTinyLFU.hits(trace, capacity: capacity), bound = beladyHits(trace, capacity: capacity)
        let row = (rivals + [("W-TinyLFU", ours), ("Belady", bound)]).map { "\($0) \(percent($1, count))" }
        print("\(name), \(capacity) of \(trace.keyCount) keys: \(row.joined(separator: "  "))")
        let best = rivals.map(\.1).max() ?? 0
        #expect(Double(best - ours) / count <= 0.02)
        #expect(max(best, ours) <= bound)
    }

    private func percent(_ hits: Int, _ count: Double) -> Double { (Double(hits) / count * 1000).rounded() / 10 }
}

struct SmallPolicyTests {
    private func replay<Policy: ReplayPolicy>(_: Policy.Type, _ requests: [Int], _ capacity: Int) -> String {
        var policy = Policy(capacity: capacity, keys: 10)
        return requests.map { policy.access($0, size: 1) ? "h" : "." }.joined()
    }

    @Test("the policies do on a few requests what they do on paper")
    func byHand() {
        let requests = [1, 2, 3, 1, 4, 1, 2]
        #expect(replay(FIFO.self, requests, 3) == "...h...")
        #expect(replay(LRU.self, requests, 3) == "...h.h.")
        #expect(replay(ARC.self, requests, 3) == "...h.h.")
        var trace = Trace()
        for key in requests { trace.append(key) }
        #expect(beladyHits(trace, capacity: 3) == 3)
        // A loop of four through three places: only who resists new entries gains anything.
        let loop = Array(repeating: [1, 2, 3, 4], count: 4).flatMap { $0 }
        #expect(!replay(LRU.self, loop, 3).contains("h"))
        #expect(replay(LIRS.self, loop, 3).filter { $0 == "h" }.count >= 6)
    }

    @Test("an object larger than the cache displaces nothing")
    func tooLarge() {
        var policy = LRU(capacity: 10, keys: 3)
        let requests = [(0, 4), (1, 11), (1, 11), (0, 4), (2, 7), (0, 4)]
        #expect(requests.map { policy.access($0, size: $1) } == [false, false, false, true, false, false])
    }
}
