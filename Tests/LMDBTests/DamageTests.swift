import Base
import Testing

@testable import LMDB

/// A damaged file is refused, or everything LMDB does with it stays inside it. (A failure here may end the process.)
struct DamageTests {
    /// A closed file with inner pages, long values and a free list, and what is in it.
    private func filled(_ folder: TemporaryFolder, _ random: inout SeededRandom) throws -> [String: [UInt8]] {
        let environment = try open(folder)
        for round in 0..<4 {
            try environment.withWrite { transaction in
                for index in 0..<60 {
                    let size = index % 20 == 0 ? 5_000 + index * 10 : 90
                    let key = "key \(String(repeating: "x", count: 60)) \(round * 40 + index)"
                    try transaction.put(key, bytes(size, &random), in: environment.a)
                    try transaction.put(key, [1, 2], in: environment.b)
                }
            }
            try environment.withWrite { transaction in
                for key in try transaction.keys(in: environment.a).prefix(20) {
                    _ = try transaction.delete(key, in: environment.a)
                }
            }
        }
        defer { environment.close() }
        return try environment.contents()
    }

    /// Opens whatever is there, reads all of it, then writes and deletes all over it.
    private func exercise(_ folder: TemporaryFolder) throws -> [String: [UInt8]] {
        let environment = try open(folder)
        defer { environment.close() }
        let contents = try environment.contents()
        try? environment.withWrite { transaction in
            for database in environment.databases {
                for (index, key) in try transaction.keys(in: database).enumerated() where index % 3 != 0 {
                    _ = try transaction.delete(key, in: database)
                }
            }
        }
        for round in 0..<2 {
            try? environment.withWrite { transaction in
                for index in 0..<30 {
                    try transaction.put(
                        "new \(round) \(index)", [UInt8](repeating: 1, count: index * 200), in: environment.a)
                }
            }
        }
        return contents
    }

    @Test("2,000 flipped bits: refused, or read and written without leaving the file")
    func flips() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let folder = try TemporaryFolder()
        let whole = try filled(folder, &random)
        let good = try folder.read("a.lmdb")
        #expect(try exercise(folder) == whole)
        var refused = 0
        for _ in 0..<2_000 {
            var damaged = good
            let bit = Int.random(in: 0..<good.count * 8, using: &random)
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            try folder.write(damaged, to: "a.lmdb")
            do {
                _ = try exercise(folder)
            } catch let failure as LMDBFailure {
                #expect(failure.kind == .corrupt, "seed \(seed), bit \(bit): \(failure)")
                refused += 1
            }
        }
        #expect(refused > 0 && refused < 2_000, "seed \(seed)")
    }

    @Test("Every bit of the heads flipped", arguments: [0, 4_096])
    func heads(_ start: Int) throws {
        var random = SeededRandom(seed: 3)
        let folder = try TemporaryFolder()
        _ = try filled(folder, &random)
        let good = try folder.read("a.lmdb")
        for bit in 0..<152 * 8 {
            var damaged = good
            damaged[start + bit / 8] ^= 1 << UInt8(bit % 8)
            try folder.write(damaged, to: "a.lmdb")
            do { _ = try exercise(folder) } catch { #expect((error as? LMDBFailure)?.kind == .corrupt, "bit \(bit)") }
        }
    }

    @Test("Cut at every page and a byte beside it: refused, or nothing is missing")
    func truncated() throws {
        var random = SeededRandom(seed: 4)
        let folder = try TemporaryFolder()
        let whole = try filled(folder, &random)
        let good = try folder.read("a.lmdb")
        for everyPage in [true, false] {
            for size in stride(from: 0, through: good.count, by: 4_096).flatMap({ [$0 - 1, $0, $0 + 1] })
            where size >= 0 && size < good.count {
                try folder.write(Array(good[..<size]), to: "a.lmdb")
                do {
                    let environment = try open(folder, everyPage: everyPage)
                    #expect(try environment.contents() == whole, "cut at \(size)")
                    environment.close()
                } catch {
                    #expect((error as? LMDBFailure)?.kind == .corrupt, "cut at \(size)")
                    #expect(try folder.read("a.lmdb").count == size)
                }
            }
        }
    }

    @Test("What is no LMDB file is refused")
    func garbage() throws {
        var random = SeededRandom(seed: 5)
        let folder = try TemporaryFolder()
        for content in [[], Array("a text".utf8), bytes(100_000, &random), [UInt8](repeating: 0, count: 65_536)] {
            try folder.write(content, to: "a.lmdb")
            let failure = #expect(throws: LMDBFailure.self) { try open(folder) }
            #expect(failure?.kind == .corrupt && failure?.exitCode == .dataCorrupt)
        }
    }

    @Test("No sound file is ever refused: random work of every size, reopened all along")
    func churn() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let folder = try TemporaryFolder()
        var expected: [String: [UInt8]] = [:]
        for round in 0..<60 {
            let environment = try open(folder)
            for _ in 0..<4 {
                let dropped = Int.random(in: 0..<40, using: &random) == 0
                try environment.withWrite { transaction in
                    if dropped { try transaction.drop(environment.a) }
                    for _ in 0..<Int.random(in: 1...60, using: &random) {
                        let key = "k\(Int.random(in: 0..<400, using: &random))"
                        if Int.random(in: 0..<5, using: &random) < 2 {
                            _ = try transaction.delete(key, in: environment.a)
                            continue
                        }
                        let size = [10, 300, 2_100, 9_000][Int.random(in: 0..<4, using: &random)]
                        let value = [UInt8](
                            repeating: UInt8(size % 251), count: Int.random(in: 0...size, using: &random))
                        try transaction.put(key, value, in: environment.a)
                    }
                }
            }
            expected = try environment.contents()
            environment.close()
            let again = try open(folder)
            #expect(try again.contents() == expected, "seed \(seed), round \(round)")
            again.close()
        }
        #expect(!expected.isEmpty, "seed \(seed)")
    }
}
