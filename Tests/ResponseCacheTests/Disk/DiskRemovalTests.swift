import Base
import Synchronization
import Testing

@testable import ResponseCache

struct DiskRemovalTests {
    /// 0..<300: model m0…m2, namespace n0/n1, tag even/odd, tenant a or b.
    private func fill(_ bench: DiskBench, _ layer: DiskLayer) async {
        for number in 0..<300 {
            let answer = bench.answer(
                number, bytes: 100 + number % 5 * 1_000, tenant: number % 4 < 2 ? "a" : "b", model: "m\(number % 3)",
                namespace: "n\(number % 2)", tags: [number % 2 == 0 ? "even" : "odd", "all"])
            layer.store(diskKey(number), answer)
        }
        await layer.settle()
    }

    struct Case: Sendable {
        let what: CacheSelector.What
        let tenant: String?
        let takes: @Sendable (Int) -> Bool
    }

    static let cases: [Case] = [
        Case(what: .key(diskKey(5)), tenant: nil) { $0 == 5 },
        Case(what: .key(diskKey(5)), tenant: "b") { _ in false },
        Case(what: .key(diskKey(7_777)), tenant: nil) { _ in false },
        Case(what: .tag("even"), tenant: nil) { $0 % 2 == 0 },
        Case(what: .tag("odd"), tenant: "a") { $0 % 4 == 1 },
        Case(what: .tag("none"), tenant: nil) { _ in false },
        Case(what: .model("m1"), tenant: nil) { $0 % 3 == 1 },
        Case(what: .namespace("n1"), tenant: "b") { $0 % 4 == 3 },
        Case(what: .all, tenant: "b") { $0 % 4 >= 2 },
        Case(what: .all, tenant: nil) { _ in true },
    ]

    @Test("A removal takes what its selector says, and it stays gone", arguments: cases)
    func removal(_ example: Case) async throws {
        let bench = try DiskBench()
        var layer = bench.open()
        await fill(bench, layer)
        let expected = (0..<300).filter(example.takes)
        #expect(try await layer.remove(example.what, tenant: example.tenant).get() == expected.count)
        for number in 0..<300 {
            #expect((layer.answer(for: diskKey(number), now: bench.now) == nil) == example.takes(number), "\(number)")
        }
        #expect(layer.statistics.removals == expected.count && layer.statistics.entries == 300 - expected.count)
        #expect(layer.statistics.renewals == 0)
        #expect(bench.told.withLock { $0.present } == Set((0..<300).filter { !example.takes($0) }.map(diskKey)))
        // As after a kill: another layer reads a copy of the file as it lies there now.
        let bytes = try bench.data()
        layer.close()
        let other = try DiskBench()
        other.open().close()
        try other.write(bytes)
        layer = other.open()
        for number in 0..<300 {
            #expect((layer.answer(for: diskKey(number), now: bench.now) == nil) == example.takes(number), "\(number)")
        }
        layer.close()
    }

    @Test("A removal takes what was stored before it and nothing stored after it")
    func inOrder() async throws {
        let bench = try DiskBench()
        let layer = bench.open()
        layer.store(diskKey(1), bench.answer(1, tags: ["x"]))
        async let removed = layer.remove(.tag("x"))
        #expect(try await removed.get() == 1)
        layer.store(diskKey(1), bench.answer(1, tags: ["x"]))
        await layer.settle()
        #expect(layer.answer(for: diskKey(1), now: bench.now) != nil)
        layer.close()
        guard case .failure(.busy) = await layer.remove(.all) else {
            Issue.record("a closed layer promised a removal")
            return
        }
    }
}
