import Base
import Glibc
import NIOCore
import SQLite
import Testing

@testable import ResponseCache

struct ArchiveDamageTests {
    static let numbers = 0..<60

    /// An archive that was closed, and the answers in it.
    static func filled() throws -> (ArchiveDesk, [CachedAnswer]) {
        let desk = try ArchiveDesk(), layer = desk.open()
        let answers = numbers.map { ArchiveDesk.answer($0, size: 100 + $0 * 97, tags: ["t\($0 % 4)"]) }
        try layer.keep(numbers) { answers[$0] }
        layer.close()
        return (desk, answers)
    }

    @Test("300 flipped bits, one at a time: not one wrong byte is served, and serving goes on")
    func flips() throws {
        let (desk, answers) = try Self.filled()
        let whole = try desk.bytes()
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed), \(whole.count) bytes")
        var random = SeededRandom(seed: seed)
        var missing = 0, corrupt = 0, recreated = 0
        for flip in 0..<300 {
            var bytes = whole
            let place = Int.random(in: 0..<(flip % 10 == 0 ? 100 : bytes.count), using: &random)  // some in the header
            bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            for name in try desk.files() { try desk.delete(name) }
            try desk.write(bytes)
            let layer = desk.open()
            for number in Self.numbers {
                let found = try layer.answer(for: ArchiveDesk.key(number), now: ArchiveDesk.now)
                if found == nil { missing += 1 }
                #expect(found == nil || isSame(found, answers[number]), "byte \(place)")
            }
            try layer.flush()
            try layer.keep([1_000])
            let held = try layer.holds(1_000)
            #expect(held && !layer.statistics.isLost, "byte \(place): \(layer.statistics)")
            corrupt += layer.statistics.corrupt
            recreated += layer.statistics.recreated
            layer.close()
        }
        print("answers missing \(missing), found corrupt \(corrupt), files begun anew \(recreated)")
        #expect(corrupt > 50)
    }

    @Test("A damaged answer is a miss, is counted and is deleted")
    func damagedAnswer() throws {
        let (desk, answers) = try Self.filled()
        var bytes = try desk.bytes()
        let body = Array(answers[59].body.readableBytesView.prefix(24))
        let place = try #require(bytes.indices.dropLast(24).first { Array(bytes[$0..<$0 + 24]) == body })
        bytes[place] ^= 4
        try desk.write(bytes)
        let layer = desk.open()
        #expect(try !layer.holds(59) && layer.holds(58))
        try layer.flush()
        #expect(layer.statistics.corrupt == 1 && layer.statistics.entries == 59 && layer.statistics.recreated == 0)
        #expect(desk.index.layers(holding: ArchiveDesk.key(59)) == [])
        layer.close()
    }

    @Test(
        "A file that is cut, empty, no database or a newer one's is moved aside, and a new one serves",
        arguments: ["half", "empty", "garbage", "newer", "wal alone"])
    func unusable(_ kind: String) throws {
        let (desk, _) = try Self.filled()
        let bytes = try desk.bytes()
        switch kind {
        case "half": try desk.write(Array(bytes.prefix(bytes.count / 2)))
        case "empty": try desk.write([])
        case "garbage": try desk.write((0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        case "newer": try desk.write(Array(bytes[..<60]) + [0, 0, 0, 99] + Array(bytes[64...]))  // user_version
        default:
            try desk.write(bytes, "cache.db-wal")
            try desk.delete("cache.db")
        }
        let layer = desk.open()
        #expect(layer.statistics.recreated == 1 && layer.statistics.entries == 0 && !layer.statistics.isLost)
        try layer.keep([3])
        #expect(try layer.holds(3))
        layer.close()
        #expect(try desk.files().contains { $0.hasPrefix("cache.db.bad-") })
    }

    @Test("Damage that shows while running: the file is moved aside, only one such is kept, and serving goes on")
    func damagedWhileRunning() throws {
        let desk = try ArchiveDesk(), layer = desk.open()
        for turn in 1...3 {
            try layer.keep(0..<200)
            let path = desk.path
            layer.state.withLock { $0.isDamaged = true }  // as a reader says that met SQLITE_CORRUPT
            try layer.flush()
            #expect(layer.statistics.recreated == turn && layer.statistics.entries == 0 && desk.index.count == 0)
            #expect(DatabaseFile.size(path) != nil)
        }
        let aside = try desk.files().filter { $0.hasPrefix("cache.db.bad-") }
        #expect(aside.count { !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") } == 1)
        layer.close()
    }

    @Test("A file deleted while running is begun anew", arguments: ["cache.db", "cache.db-wal"])
    func deleted(_ name: String) throws {
        let desk = try ArchiveDesk(), layer = desk.open()
        try layer.keep(0..<20)
        try desk.delete(name)
        try layer.flush()
        try layer.keep(20..<40)
        #expect(layer.statistics.recreated == 1 && layer.statistics.entries == 20)
        #expect(try !layer.holds(0) && layer.holds(20))
        layer.close()
        let again = desk.open()
        #expect(try again.holds(39) && again.statistics.entries == 20)
        again.close()
    }

    @Test("Without a folder to write in the layer is lost, says so, and does no harm")
    func lost() throws {
        let desk = try ArchiveDesk()
        let layer = DatabaseLayer(folder: desk.folder + "/none", budget: .mebibytes(1), index: desk.index)
        #expect(layer.statistics.isLost && layer.statistics.failure != nil)
        try layer.keep([1])
        #expect(try !layer.holds(1) && layer.recent(limit: 5).isEmpty)
        #expect(throws: DatabaseFailure.self) { try layer.removed(.model("m")) }
        layer.close()
    }

    @Test("On a full disk the oldest make room, whatever comes, and what is there goes on being served")
    func full() throws {
        let desk = try ArchiveDesk(), layer = desk.open()
        try layer.keep(0..<100) { ArchiveDesk.answer($0, size: 8_000) }
        // As many pages as there are, on the one connection that writes: SQLITE_FULL beyond.
        try layer.onWriter { try $0.execute("PRAGMA max_page_count = 1") }
        try layer.keep(100..<105) { ArchiveDesk.answer($0, size: 8_000) }
        #expect(try (100..<105).allSatisfy { try layer.holds($0) })
        #expect(layer.statistics.recreated == 0 && layer.statistics.dropped == 0 && layer.statistics.evictions > 5)
        for number in 200..<280 { try layer.keep([number]) { ArchiveDesk.answer($0, size: 20_000) } }
        let sums = layer.statistics
        #expect(try layer.holds(279) && sums.recreated == 0 && sums.dropped == 0 && sums.entries > 20)
        #expect(try layer.removed(.all, tenant: "acme") == sums.entries)
        layer.close()
    }

    @Test("A full disk that even deleting does not help, or a file that takes no writes: it is begun anew, counted")
    func unwritable() throws {
        let desk = try ArchiveDesk(), layer = desk.open()
        try layer.keep([1])
        try layer.onWriter { try $0.execute("PRAGMA query_only = ON") }
        try layer.keep([2])
        #expect(try layer.holds(2) && !layer.holds(1) && layer.statistics.recreated == 1)
        try layer.onWriter { try $0.execute("PRAGMA max_page_count = 1") }
        try layer.keep([3]) { ArchiveDesk.answer($0, size: 400_000) }
        #expect(try layer.holds(3) && !layer.holds(2) && layer.statistics.recreated == 2)
        #expect(layer.statistics.entries == 1 && desk.index.count == 1)
        layer.close()
    }
}

extension DatabaseLayer {
    func onWriter(_ body: @escaping @Sendable (Connection) throws -> Void) throws {
        let database = try #require(state.withLock { $0.database })
        try database.write(body)
    }
}

extension ArchiveDesk {
    func delete(_ name: String) throws {
        guard unlink(folder + "/" + name) == 0 else { throw SystemFailure("delete \(name)", errorNumber: errno) }
    }
}
