import Base
import NIOCore
import Synchronization
import Testing

@testable import ResponseCache

struct DiskLayerTests {
    @Test("A restart keeps every entry with its life as it was")
    func restart() async throws {
        let bench = try DiskBench()
        var layer = bench.open()
        let answers = (0..<100).map { bench.answer($0, bytes: $0 * 97, seconds: Int64(100 + $0), tags: ["a", "b"]) }
        for (index, answer) in answers.enumerated() { #expect(layer.store(diskKey(index), answer)) }
        layer.close()
        bench.pass(seconds: 50)
        bench.told.withLock { $0.present = [] }
        layer = bench.open()
        #expect(bench.told.withLock { $0.present } == Set((0..<100).map(diskKey)))
        for (index, answer) in answers.enumerated() {
            #expect(sameAnswer(layer.answer(for: diskKey(index), now: bench.now), answer))
        }
        #expect(layer.answer(for: diskKey(100), now: bench.now) == nil)
        bench.pass(seconds: 51)
        #expect(
            layer.answer(for: diskKey(0), now: bench.now) == nil && layer.answer(for: diskKey(1), now: bench.now) == nil
        )
        #expect(layer.answer(for: diskKey(2), now: bench.now) != nil)
        let statistics = layer.statistics
        #expect(statistics.hits == 101 && statistics.misses == 3 && statistics.entries == 100)
        #expect(statistics.renewals == 0 && statistics.failure == nil)
        layer.close()
        #expect(bench.files == ["cache.lmdb", "cache.lmdb-lock", "cache.lmdb.state"])
    }

    @Test("The budget holds under churn, and every answer is the one stored last")
    func churn() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let bench = try DiskBench()
        let budget = ByteCount.mebibytes(1)
        let layer = bench.open(budget: budget)
        var last: [Int: CachedAnswer] = [:]
        for round in 0..<40 {
            for _ in 0..<30 {
                let number = Int.random(in: 0..<200, using: &random)
                let size = [50, 700, 5_000, 60_000][Int.random(in: 0..<4, using: &random)]
                let answer = bench.answer(round, bytes: Int.random(in: 0...size, using: &random))
                if layer.store(diskKey(number), answer) { last[number] = answer }
            }
            await layer.settle()
            let bytes = layer.statistics.bytes
            #expect(bytes.bytes <= budget.bytes / 100 * 85, "seed \(seed)")
            for (number, answer) in last {
                if let found = layer.answer(for: diskKey(number), now: bench.now) {
                    #expect(sameAnswer(found, answer), "seed \(seed)")
                } else {
                    last[number] = nil
                }
            }
        }
        #expect(try bench.data().count <= budget.bytes, "seed \(seed)")
        let statistics = layer.statistics
        #expect(statistics.evictions > 100 && statistics.dropped == 0 && statistics.renewals == 0, "seed \(seed)")
        #expect(statistics.entries == last.count && statistics.corrupt == 0, "seed \(seed)")
        #expect(bench.told.withLock { $0.present } == Set(last.keys.map(diskKey)), "seed \(seed)")
        layer.close()
    }

    @Test("The oldest goes first, read or not, and is handed on whole")
    func order() async throws {
        let bench = try DiskBench()
        let layer = bench.open(budget: .mebibytes(1))
        for number in 0..<150 {
            layer.store(diskKey(number), bench.answer(number, bytes: 10_000))
            await layer.settle()
            _ = layer.answer(for: diskKey(0), now: bench.now)
        }
        let evicted = bench.told.withLock { $0.evicted }
        #expect(evicted.count > 50 && evicted.map(\.key) == (0..<evicted.count).map(diskKey))
        for (number, entry) in evicted.enumerated() {
            #expect(sameAnswer(entry.answer, bench.answer(number, bytes: 10_000)))
        }
        #expect(layer.statistics.evictions == evicted.count && layer.statistics.entries == 150 - evicted.count)
        layer.close()
    }

    @Test("Entries of a minute that is over leave together, and no others")
    func expiry() async throws {
        let bench = try DiskBench()
        let layer = bench.open()
        for number in 0..<300 { layer.store(diskKey(number), bench.answer(number, bytes: 100, seconds: 60)) }
        for number in 300..<400 { layer.store(diskKey(number), bench.answer(number, bytes: 100, seconds: 600)) }
        await layer.settle()
        bench.pass(seconds: 59)
        await layer.settle()
        #expect(layer.statistics.entries == 400)
        bench.pass(seconds: 61)
        await layer.settle()
        #expect(layer.statistics.entries == 100 && layer.statistics.expirations == 300)
        #expect(Set(bench.told.withLock { $0.gone }) == Set((0..<300).map(diskKey)))
        #expect(layer.statistics.evictions == 0 && bench.told.withLock { $0.evicted.isEmpty })
        bench.pass(seconds: 100_000_000)
        await layer.settle()
        #expect(layer.statistics.entries == 0)
        bench.pass(seconds: -100_000_000)
        layer.store(diskKey(1), bench.answer(1, seconds: 1_000_000))
        await layer.settle()
        #expect(layer.answer(for: diskKey(1), now: bench.now) != nil)
        layer.close()
    }

    @Test("Lives that are over at once, or never, do no harm", arguments: [Int64.min, -1, 0, 1, Int64.max])
    func oddLives(_ until: Int64) async throws {
        let bench = try DiskBench()
        let layer = bench.open()
        var answer = bench.answer(1)
        answer.facts.usableUntil = UnixTime(microseconds: until)
        layer.store(diskKey(1), answer)
        await layer.settle()
        #expect((layer.answer(for: diskKey(1), now: bench.now) != nil) == (until == .max))
        bench.pass(seconds: 1_000_000)
        await layer.settle()
        #expect(layer.statistics.entries == (until == .max ? 1 : 0))
        layer.close()
    }

    @Test("An entry larger than the layer is refused; the largest that fits is kept")
    func tooLarge() async throws {
        let bench = try DiskBench()
        let layer = bench.open(budget: .mebibytes(1))
        layer.store(diskKey(1), bench.answer(1, bytes: 100_000))
        layer.store(diskKey(2), bench.answer(2, bytes: 2_000_000))
        layer.store(diskKey(3), bench.answer(3, bytes: 300_000))
        await layer.settle()
        #expect(layer.answer(for: diskKey(1), now: bench.now) != nil)
        #expect(layer.answer(for: diskKey(2), now: bench.now) == nil)
        #expect(layer.statistics.tooLarge == 2 && layer.statistics.evictions == 0)
        for number in 10..<60 { layer.store(diskKey(number), bench.answer(number, bytes: 150_000)) }
        await layer.settle()
        #expect(layer.answer(for: diskKey(59), now: bench.now) != nil && layer.statistics.dropped == 0)
        layer.close()
    }

    @Test("What does not fit the mailbox is dropped and counted; removals still get through")
    func overflow() async throws {
        let bench = try DiskBench()
        let layer = bench.open(waitingMax: 4)
        let gate = ThreadGate()
        layer.drain { gate.wait() }
        let taken = (0..<50).count { layer.store(diskKey($0), bench.answer($0)) }
        async let removed = layer.remove(.key(diskKey(0)))
        gate.open()
        #expect(try await removed.get() == 1)
        await layer.settle()
        #expect(taken == 4 && layer.statistics.dropped == 46 && layer.statistics.stores == 4)
        layer.close()
        #expect(!layer.store(diskKey(1), bench.answer(1)))
    }

    @Test("Off: nothing is answered or stored, removals count; on again: what is left is there")
    func offSwitch() async throws {
        let bench = try DiskBench()
        let layer = bench.open()
        for number in 0..<3 { layer.store(diskKey(number), bench.answer(number)) }
        await layer.settle()
        layer.setEnabled(false)
        #expect(layer.answer(for: diskKey(1), now: bench.now) == nil && !layer.store(diskKey(9), bench.answer(9)))
        #expect(try await layer.remove(.key(diskKey(1))).get() == 1)
        #expect(!layer.statistics.isEnabled && layer.statistics.misses == 0)
        layer.setEnabled(true)
        #expect(layer.answer(for: diskKey(1), now: bench.now) == nil)
        #expect(layer.answer(for: diskKey(2), now: bench.now) != nil)
        layer.close()
    }

    @Test("One key twice: the later answer; no trace of the earlier")
    func replaced() async throws {
        let bench = try DiskBench()
        let layer = bench.open()
        layer.store(diskKey(1), bench.answer(1, seconds: 60))
        layer.store(diskKey(1), bench.answer(2, bytes: 20_000, seconds: 6_000))
        await layer.settle()
        #expect(
            sameAnswer(layer.answer(for: diskKey(1), now: bench.now), bench.answer(2, bytes: 20_000, seconds: 6_000)))
        #expect(layer.statistics.entries == 1)
        bench.pass(seconds: 300)
        await layer.settle()
        #expect(layer.answer(for: diskKey(1), now: bench.now) != nil)
        #expect(try await layer.remove(.all).get() == 1)
        layer.close()
    }

    @Test("Equal keys for two requests: what was stored comes back, request and all, for the caller to compare")
    func collision() async throws {
        let bench = try DiskBench()
        let layer = bench.open()
        layer.store(diskKey(1), bench.answer(7))
        await layer.settle()
        #expect(layer.answer(for: diskKey(1), now: bench.now)?.request == ByteBuffer(string: "request 7"))
        layer.close()
    }

    @Test("A budget changed while running: a smaller one shrinks the file, a larger one gives room")
    func budget() async throws {
        let bench = try DiskBench()
        let layer = bench.open(budget: .mebibytes(4))
        for number in 0..<400 { layer.store(diskKey(number), bench.answer(number, bytes: 7_000)) }
        await layer.settle()
        #expect(layer.statistics.evictions == 0 && layer.statistics.bytes > .mebibytes(3))
        layer.setBudget(.mebibytes(1))
        await layer.settle()
        #expect(try bench.data().count <= 1 << 20)
        #expect(layer.statistics.budget == .mebibytes(1) && layer.statistics.renewals == 0)
        #expect(sameAnswer(layer.answer(for: diskKey(399), now: bench.now), bench.answer(399, bytes: 7_000)))
        #expect(layer.answer(for: diskKey(0), now: bench.now) == nil)
        layer.setBudget(.mebibytes(8))
        for number in 0..<600 { layer.store(diskKey(number), bench.answer(number, bytes: 7_000)) }
        await layer.settle()
        #expect(layer.statistics.entries == 600 && layer.statistics.renewals == 0)
        #expect(bench.told.withLock { $0.present }.count == 600)
        layer.close()
    }
}
