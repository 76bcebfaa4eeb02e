import Base
import Glibc
import LMDB
import NIOCore
import Synchronization
import Testing

@testable import ResponseCache

struct DiskDamageTests {
    private func fill(_ bench: DiskBench, _ count: Int = 60) {
        let layer = bench.open()
        for number in 0..<count { layer.store(diskKey(number), bench.answer(number, bytes: number % 6 * 1_500)) }
        layer.close()
    }

    /// Opens, expects to have lost everything, and to work.
    private func expectRenewed(_ bench: DiskBench, _ layer: DiskLayer, keepingCopy: Bool = true) async {
        #expect(layer.statistics.renewals == 1 && layer.statistics.failure == nil && layer.statistics.entries == 0)
        #expect(layer.answer(for: diskKey(1), now: bench.now) == nil)
        layer.store(diskKey(1), bench.answer(1))
        await layer.settle()
        #expect(sameAnswer(layer.answer(for: diskKey(1), now: bench.now), bench.answer(1)))
        #expect(bench.files.contains("cache.lmdb.bad") == keepingCopy)
        layer.close()
        let again = bench.open()
        #expect(again.statistics.renewals == 0 && again.statistics.entries == 1)
        again.close()
    }

    @Test("2,000 flipped bits anywhere: never a wrong byte")
    func flips() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let bench = try DiskBench()
        let answers = (0..<40).map { bench.answer($0, bytes: $0 % 4 == 0 ? 4_000 : 100) }
        let whole = bench.open()
        for (number, answer) in answers.enumerated() { whole.store(diskKey(number), answer) }
        whole.close()
        let good = try bench.data()
        var lost = 0, refused = 0
        for _ in 0..<2_000 {
            var damaged = good
            let bit = Int.random(in: 0..<good.count * 8, using: &random)
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            try bench.write(damaged)
            let layer = bench.open(budget: .mebibytes(1))
            for (number, answer) in answers.enumerated() {
                guard let found = layer.answer(for: diskKey(number), now: bench.now) else {
                    lost += 1
                    continue
                }
                #expect(sameAnswer(found, answer), "seed \(seed), bit \(bit)")
            }
            refused += layer.statistics.renewals
            layer.store(diskKey(99), answers[5])
            layer.close()
        }
        #expect(refused > 0 && lost > refused * 40, "seed \(seed)")
    }

    @Test("Cut short, emptied, garbage, a folder's worth of zeros: put aside, and the cache goes on", arguments: 0..<5)
    func wrecks(_ which: Int) async throws {
        let bench = try DiskBench()
        fill(bench)
        let good = try bench.data()
        var random = SeededRandom(seed: 1)
        switch which {
        case 0: try bench.write(Array(good[..<(good.count / 2)]))
        case 1: try bench.write(Array(good[..<100]))
        case 2: try bench.write([])
        case 3: try bench.write((0..<good.count).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        default: try bench.write([UInt8](repeating: 0, count: good.count))
        }
        await expectRenewed(bench, bench.open())
    }

    @Test("Another boot of the machine: kept after a clean close, put aside without one")
    func bootID() async throws {
        let bench = try DiskBench()
        fill(bench)
        var layer = bench.open(bootID: "boot-2")
        #expect(layer.statistics.entries == 60 && layer.statistics.renewals == 0)
        let file = try bench.data()
        layer.close()
        // As if killed in boot 2: the file is there, the state says open.
        try DiskFile(folder: bench.folder, bootID: "boot-2").mark(closed: false)
        try bench.write(file)
        layer = bench.open(bootID: "boot-2")
        #expect(layer.statistics.entries == 60 && layer.statistics.renewals == 0)
        layer.close()
        try DiskFile(folder: bench.folder, bootID: "boot-2").mark(closed: false)
        await expectRenewed(bench, bench.open(bootID: "boot-3"))
        try DiskFile(folder: bench.folder, bootID: "").mark(closed: false)
        layer = bench.open(bootID: "")
        #expect(layer.statistics.renewals == 1)
        layer.close()
    }

    @Test("A file without its state, or one the caller distrusts, is put aside")
    func distrust() async throws {
        let bench = try DiskBench()
        fill(bench)
        await expectRenewed(bench, bench.open(distrust: true))
        unlink(bench.dataPath + ".state")
        await expectRenewed(bench, bench.open())
    }

    @Test("Deleted or replaced while running: made anew", arguments: [false, true])
    func deleted(_ isReplaced: Bool) async throws {
        let bench = try DiskBench()
        fill(bench)
        let layer = bench.open()
        #expect(layer.answer(for: diskKey(1), now: bench.now) != nil)
        for file in bench.files { unlink(bench.folder + "/" + file) }
        if isReplaced { try bench.write([1, 2, 3]) }
        await layer.settle()
        await expectRenewed(bench, layer, keepingCopy: false)
        #expect(bench.told.withLock { $0.emptied } == 2)
    }

    @Test("A damaged entry is a miss, is counted and removed; the others stay")
    func damagedEntry() async throws {
        let bench = try DiskBench()
        let mark = Array("a body that is found in the file again".utf8)
        var layer = bench.open()
        var marked = bench.answer(1)
        marked.body = ByteBuffer(bytes: mark)
        layer.store(diskKey(1), marked)
        layer.store(diskKey(2), bench.answer(2))
        layer.close()
        var file = try bench.data()
        let places = file.indices.filter { file[$0...].starts(with: mark) }
        for place in places { file[place + 3] ^= 4 }
        try bench.write(file)
        layer = bench.open()
        #expect(layer.answer(for: diskKey(1), now: bench.now) == nil)
        await layer.settle()
        #expect(layer.statistics.corrupt == 1 && layer.statistics.entries == 1 && layer.statistics.renewals == 0)
        #expect(layer.answer(for: diskKey(1), now: bench.now) == nil && layer.statistics.corrupt == 1)
        #expect(layer.answer(for: diskKey(2), now: bench.now) != nil && bench.told.withLock { $0.gone } == [diskKey(1)])
        layer.close()
    }

    @Test("A folder that cannot be written: the layer is off and says why; nothing else happens")
    func unusable() async throws {
        let bench = try DiskBench()
        let missing = DiskLayer(folder: bench.folder + "/none", options: .init(budget: .mebibytes(1))) { bench.now }
        #expect(missing.answer(for: diskKey(1), now: bench.now) == nil)
        missing.store(diskKey(1), bench.answer(1))
        await missing.settle()
        #expect(missing.statistics.failure != nil && missing.statistics.dropped == 1)
        guard case .failure(.unusable) = await missing.remove(.all) else {
            Issue.record("a removal was promised")
            return
        }
        missing.close()
    }

    @Test("A map filled up because a reader holds every page: room is made, the layer goes on within its budget")
    func mapFull() async throws {
        let bench = try DiskBench()
        let layer = bench.open(budget: .mebibytes(1))
        for number in 0..<120 { layer.store(diskKey(number), bench.answer(number, bytes: 5_000)) }
        await layer.settle()
        let store = try #require(layer.shared.store.withLock { $0 })
        let reading = ThreadGate(), enough = ThreadGate()
        let reader = OSThread.start("reader") {
            try? store.environment.withRead { _ in
                reading.open()
                enough.wait()
            }
        }
        reading.wait()
        for number in 100..<400 { layer.store(diskKey(number), bench.answer(number, bytes: 5_000)) }
        enough.open()
        await layer.settle()
        reader.join()
        for number in 400..<420 { layer.store(diskKey(number), bench.answer(number, bytes: 5_000)) }
        await layer.settle()
        for number in 400..<420 {
            #expect(sameAnswer(layer.answer(for: diskKey(number), now: bench.now), bench.answer(number, bytes: 5_000)))
        }
        let statistics = layer.statistics
        #expect(statistics.evictions + statistics.renewals > 0 && statistics.failure == nil)
        #expect(try statistics.corrupt == 0 && bench.data().count <= 1 << 20)
        layer.close()
    }

    @Test("Readers beside the writer see whole answers or none, through evictions, removals and new files")
    func besideTheWriter() async throws {
        let bench = try DiskBench()
        let layer = bench.open(budget: .mebibytes(1))
        let answers = (0..<64).map { bench.answer($0, bytes: 500 + $0 * 400) }
        let seen = await withTaskGroup(of: Int.self) { group in
            for reader in 0..<2 {
                group.addTask {
                    var random = SeededRandom(seed: UInt64(reader))
                    return (0..<2_000).count { _ in
                        let number = Int.random(in: 0..<64, using: &random)
                        guard let found = layer.answer(for: diskKey(number), now: bench.now) else { return false }
                        return !sameAnswer(found, answers[number])
                    }
                }
            }
            for round in 0..<300 {
                for number in 0..<4 {
                    layer.store(diskKey((round * 4 + number) % 64), answers[(round * 4 + number) % 64])
                }
                if round % 100 == 50 { _ = await layer.remove(.all) }
                if round % 100 == 75 { layer.setBudget(.kibibytes(round == 75 ? 1_100 : 1_300)) }
                await layer.settle()
            }
            return await group.reduce(0, +)
        }
        #expect(seen == 0 && layer.statistics.corrupt == 0 && layer.statistics.evictions > 0)
        #expect(layer.statistics.renewals == 0, "\(layer.statistics)")
        layer.close()
    }
}
