import Base
import NIOCore
import SQLite
import Testing

@testable import ResponseCache

struct DatabaseLayerTests {
    @Test("An answer comes back byte for byte, also after a restart, with the life it has left")
    func restart() throws {
        let desk = try ArchiveDesk(), layer = desk.open()
        let answers = (0..<40).map {
            ArchiveDesk.answer(
                $0, size: $0 * 500, tags: ["a", "b", "a"], collections: ["docs"], usableFor: Int64(60 + $0), cost: 77)
        }
        try layer.keep(0..<40) { answers[$0] }
        let sums = layer.statistics
        #expect(sums.entries == 40 && sums.bytes == answers.reduce(0) { $0 + $1.weight } && sums.waiting == 0)
        layer.close()
        #expect(try desk.files() == [DatabaseLayer.fileName])

        let index = FingerprintIndex()
        let again = desk.open(.mebibytes(8), index)
        #expect(again.statistics.entries == sums.entries && again.statistics.bytes == sums.bytes && index.count == 40)
        for number in 0..<40 {
            let key = ArchiveDesk.key(number), end = answers[number].facts.usableUntil
            #expect(index.layers(holding: key) == .l3)
            #expect(isSame(try again.answer(for: key, now: ArchiveDesk.now), answers[number]))
            #expect(try again.answer(for: key, now: UnixTime(microseconds: end.microseconds - 1)) != nil)
            #expect(try again.answer(for: key, now: end) == nil)
        }
        #expect(try again.holds(99) == false)
        #expect(again.statistics.hits == 80 && again.statistics.misses == 41)
        again.close()
    }

    @Test("A newer answer takes the place of the older one, in the sums too")
    func replaced() throws {
        let desk = try ArchiveDesk(), layer = desk.open()
        let newer = ArchiveDesk.answer(2, size: 4_000)
        for answer in [ArchiveDesk.answer(1), ArchiveDesk.answer(1), newer] { layer.admit(ArchiveDesk.key(1), answer) }
        try layer.keep([1]) { _ in newer }
        #expect(isSame(try layer.answer(for: ArchiveDesk.key(1), now: ArchiveDesk.now), newer))
        #expect(layer.statistics.entries == 1 && layer.statistics.bytes == newer.weight && desk.index.count == 1)
        #expect(try layer.removed(.key(ArchiveDesk.key(1))) == 1 && desk.index.count == 0)
        layer.close()
    }

    @Test("What is used once is not kept, what is used twice is")
    func secondUse() throws {
        let desk = try ArchiveDesk(), layer = desk.open()
        for turn in 0..<4 {
            for number in [1, turn + 10] {
                layer.admitOnSecondUse(ArchiveDesk.key(number), ArchiveDesk.answer(number))
            }
            try layer.flush()
            #expect(try layer.holds(1) == (turn > 0))
        }
        #expect(layer.statistics.entries == 1)
        layer.close()
    }

    @Test("Budget and sums hold while random answers of all sizes come, go and are used, and when the budget changes")
    func budget() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        let desk = try ArchiveDesk(), layer = desk.open(.mebibytes(1))
        var budget = 1 << 20
        for round in 0..<60 {
            if round == 30 { budget = 300 << 10 }
            if round == 45 { budget = 2 << 20 }
            layer.setBudget(ByteCount(bytes: budget))
            for _ in 0..<60 {
                let number = Int.random(in: 0..<2_000, using: &random)
                let size = 1 << Int.random(in: 3...15, using: &random) + Int.random(in: 0..<4_000, using: &random)
                let life = Int64.random(in: -10...3_600, using: &random)
                layer.admit(ArchiveDesk.key(number), ArchiveDesk.answer(number, size: size, usableFor: life))
                _ = try layer.holds(Int.random(in: 0..<2_000, using: &random))
            }
            let gone = ArchiveDesk.key(Int.random(in: 0..<2_000, using: &random))
            if round % 7 == 0 { _ = try layer.removed(.key(gone)) }
            try layer.flush()
            let sums = layer.statistics
            #expect(sums.bytes <= budget && sums.fileBytes <= budget + budget / 16 + (4 << 20))
            #expect(desk.index.count == sums.entries)
            let rows = try layer.recent(limit: 1_000)
            #expect(rows.count == sums.entries && rows.reduce(0) { $0 + $1.bytes } == sums.bytes, "round \(round)")
        }
        #expect(layer.statistics.evictions > 500 && layer.statistics.dropped == 0)
        layer.close()
        let size = try #require(DatabaseFile.size(desk.path))
        #expect(size < budget + budget / 8 + (128 << 10), "the file is \(size) bytes")
    }

    @Test("The file follows a budget that is lowered, and a layer of nothing keeps nothing")
    func lowered() throws {
        let desk = try ArchiveDesk(), layer = desk.open()
        try layer.keep(0..<300) { ArchiveDesk.answer($0, size: 16_000) }
        #expect(layer.statistics.entries == 300 && layer.statistics.fileBytes > 4_800_000)
        layer.setBudget(.mebibytes(1))
        try layer.flush()
        #expect(layer.statistics.bytes <= 1 << 20 && layer.statistics.fileBytes <= 17 << 16)
        layer.setBudget(ByteCount(bytes: 0))
        try layer.flush()
        #expect(layer.statistics.entries == 0 && layer.statistics.bytes == 0 && desk.index.count == 0)
        layer.close()
        #expect(try #require(DatabaseFile.size(desk.path)) <= 200 << 10)
    }

    @Test("Expired answers go first, then the cheap before the costly, and what was used is spared")
    func order() throws {
        let desk = try ArchiveDesk(), layer = desk.open(.kibibytes(512))
        try layer.keep(0..<20) { ArchiveDesk.answer($0, size: 8_000, usableFor: 7_200, cost: $0 < 10 ? 0 : 900_000) }
        try layer.keep(20..<40) { ArchiveDesk.answer($0, size: 8_000, usableFor: 60, cost: 900_000) }
        for number in 0..<5 { #expect(try layer.holds(number)) }
        desk.wall.withLock { $0 = UnixTime(microseconds: $0.microseconds + 61_000_000) }
        try layer.keep(40..<66) { ArchiveDesk.answer($0, size: 8_000, cost: 900_000) }
        #expect(layer.statistics.expirations == 20 && layer.statistics.evictions == 0)
        for number in 70..<110 where layer.statistics.evictions < 5 {
            try layer.keep([number]) { ArchiveDesk.answer($0, size: 8_000, cost: 900_000) }
        }
        #expect(layer.statistics.evictions == 5)
        let late = UnixTime(microseconds: ArchiveDesk.now.microseconds + 62_000_000)
        for number in 0..<20 { #expect(try layer.holds(number, at: late) != (5..<10).contains(number)) }
        layer.close()
    }

    @Test("An answer larger than a quarter of the layer is refused, and what finds no room in the queue is dropped")
    func refusals() throws {
        let desk = try ArchiveDesk(), layer = desk.open(.mebibytes(1))
        try layer.keep([1]) { ArchiveDesk.answer($0, size: 300_000) }
        #expect(layer.statistics.tooLarge == 1 && layer.statistics.entries == 0)
        layer.setBudget(.mebibytes(512))
        let gate = Handover<Void>()
        layer.remove(CacheSelector(.tag("none"), tenant: nil)) { _ in #expect(throws: Never.self) { try gate.take() } }
        let large = ArchiveDesk.answer(0, size: 1 << 20)
        for number in 0..<60 { layer.admit(ArchiveDesk.key(number), large) }
        let waiting = layer.statistics
        gate.put(.success(()))
        #expect(waiting.dropped >= 29 && waiting.waiting <= 31)
        try layer.flush()
        #expect(layer.statistics.entries + layer.statistics.dropped == 60 && layer.statistics.waiting == 0)
        layer.close()
        layer.admit(ArchiveDesk.key(1), large)
        #expect(try layer.holds(1) == false)
        #expect(throws: DatabaseFailure.closed(path: desk.path)) { try layer.removed(.all) }
    }

    @Test("Switched off it serves and takes nothing, yet removes; switched on it has what is left")
    func off() throws {
        let desk = try ArchiveDesk(), layer = desk.open()
        try layer.keep(0..<2)
        layer.setOn(false)
        #expect(try !layer.holds(0) && !layer.statistics.isOn)
        try layer.keep([5])
        #expect(try layer.removed(.key(ArchiveDesk.key(1)), tenant: "acme") == 1)
        layer.setOn(true)
        #expect(try layer.holds(0) && !layer.holds(1) && !layer.holds(5))
        layer.close()
    }

    @Test("People see the newest entries and the sums by model, of all tenants or one")
    func queries() throws {
        let desk = try ArchiveDesk(), layer = desk.open()
        try layer.keep(0..<9) {
            ArchiveDesk.answer(
                $0, tenant: $0 < 3 ? "acme" : "other", model: $0 % 3 == 0 ? "small" : "large", tags: ["t\($0)"],
                cost: 5)
        }
        let recent = try layer.recent(limit: 2, tenant: "acme")
        #expect(recent.map(\.key) == [2, 1].map(ArchiveDesk.key) && recent.first?.facts.tags == ["t2"])
        let weight = ArchiveDesk.answer(0).weight
        #expect(
            try layer.totals() == [
                ArchivedModel(
                    model: "large", entries: 6, bytes: 6 * weight, inputTokens: 60, outputTokens: 30,
                    costNanodollars: 30),
                ArchivedModel(
                    model: "small", entries: 3, bytes: 3 * weight, inputTokens: 30, outputTokens: 15,
                    costNanodollars: 15),
            ])
        #expect(try layer.totals(tenant: "acme").map(\.entries) == [2, 1])
        layer.close()
    }

    @Test("Removal takes what the selector says, in its tenant alone, and is in the file when it is reported")
    func removal() throws {
        let desk = try ArchiveDesk(), copy = try ArchiveDesk(), layer = desk.open()
        func answer(_ number: Int) -> CachedAnswer {
            ArchiveDesk.answer(
                number, tenant: number < 50 ? "acme" : "other", namespace: number % 5 == 0 ? "n" : "",
                model: number % 2 == 0 ? "even" : "odd", tags: number % 3 == 0 ? ["x", "x"] : ["x' OR 1=1 --"],
                collections: number % 7 == 0 ? ["x", "docs"] : [])
        }
        let cases: [(CacheSelector.What, String?, (Int) -> Bool)] = [
            (.key(ArchiveDesk.key(60)), "acme", { _ in false }), (.key(ArchiveDesk.key(60)), "other", { $0 == 60 }),
            (.tag("x"), "acme", { $0 < 50 && $0 % 3 == 0 }), (.tag("x"), nil, { $0 % 3 == 0 }),
            (.collection("x"), "other", { $0 >= 50 && $0 % 7 == 0 }),
            (.model("odd"), "acme", { $0 < 50 && $0 % 2 == 1 }),
            (.namespace("n"), "acme", { $0 < 50 && $0 % 5 == 0 }), (.namespace(""), "none", { _ in false }),
            (.all, "acme", { $0 < 50 }), (.all, nil, { _ in true }),
        ]
        for (what, tenant, takes) in cases {
            for number in 0..<100 { layer.admit(ArchiveDesk.key(number), answer(number)) }  // still waiting
            let count = try layer.removed(what, tenant: tenant)
            #expect(count == (0..<100).count(where: takes), "\(what) of \(tenant ?? "all")")
            #expect(try (0..<100).allSatisfy { try layer.holds($0) != takes($0) })
            // As a killed process leaves it.
            for name in try desk.files() { try copy.write(try desk.bytes(name), name) }
            let after = copy.open()
            #expect(try (0..<100).allSatisfy { try after.holds($0) != takes($0) })
            after.close()
            for name in try copy.files() { try copy.delete(name) }
        }
        layer.close()
    }

    @Test("A removal of more rows than one commit takes is complete")
    func manyRemoved() throws {
        let desk = try ArchiveDesk(), layer = desk.open()
        for start in [0, 900, 1_800] {
            try layer.keep(start..<start + 900) { ArchiveDesk.answer($0, size: 8, tags: ["t"]) }
        }
        #expect(layer.statistics.entries == 2_700)
        #expect(try layer.removed(.tag("t"), tenant: "acme") == 2_700)
        #expect(layer.statistics.entries == 0 && layer.statistics.bytes == 0 && desk.index.count == 0)
        layer.close()
    }
}
