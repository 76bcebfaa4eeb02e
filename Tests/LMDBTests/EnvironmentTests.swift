import Base
import Glibc
import Testing

@testable import LMDB

struct EnvironmentTests {
    private struct Stop: Error {}

    @Test("A write is kept when its closure returns and undone when it throws")
    func commitAndAbort() throws {
        let folder = try TemporaryFolder()
        var environment = try open(folder, isSynced: true)
        #expect(environment.databasesMade == 2)
        try environment.withWrite { try $0.put("kept", [1], in: environment.a) }
        #expect(throws: Stop.self) {
            try environment.withWrite { transaction in
                try transaction.put("undone", [2], in: environment.a)
                throw Stop()
            }
        }
        environment.close()
        environment = try open(folder, isSynced: true)
        #expect(environment.databasesMade == 0)
        #expect(try environment.contents() == ["a/kept": [1]])
    }

    @Test("A file is for its owner only, and nothing else is left beside it and its lock")
    func files() throws {
        let folder = try TemporaryFolder()
        let environment = try open(folder)
        #expect(try folder.contents() == ["a.lmdb", "a.lmdb-lock"])
        var status = stat()
        #expect(stat(folder.file("a.lmdb"), &status) == 0 && status.st_mode & 0o777 == 0o600)
        environment.close()
    }

    @Test("A reader sees what was committed when it began")
    func snapshot() throws {
        let folder = try TemporaryFolder()
        let environment = try open(folder)
        try environment.withWrite { try $0.put("x", [1], in: environment.a) }
        try environment.withRead { transaction in
            let writer = OSThread.start("writer") {
                try? environment.withWrite { try $0.put("x", [2], in: environment.a) }
            }
            writer.join()
            let seen = try transaction.get("x", in: environment.a)
            #expect(seen == [1])
        }
        #expect(try environment.withRead { try $0.get("x", in: environment.a) } == [2])
        environment.close()
    }

    @Test("Cursors go in the order of bytes, start anywhere, and go on after a delete")
    func cursors() throws {
        let folder = try TemporaryFolder()
        let environment = try open(folder)
        try environment.withWrite { transaction in
            for key in ["d", "b", "a", "c", "e"] { try transaction.put(key, [], in: environment.a) }
            let all = try transaction.keys(in: environment.a)
            let some = try transaction.keys(in: environment.a, from: "bb")
            #expect(all == ["a", "b", "c", "d", "e"] && some == ["c", "d", "e"])
            try transaction.withCursor(environment.a) { cursor in
                let b = try [UInt8(ascii: "b")].withUnsafeBytes { try cursor.seek($0) }
                try cursor.delete()
                let next = try cursor.next().map { Array($0.key) }, last = try cursor.last().map { Array($0.key) }
                let end = try cursor.next()
                #expect(b != nil && next == Array("c".utf8) && last == Array("e".utf8) && end == nil)
            }
            let left = try transaction.keys(in: environment.a)
            #expect(left == ["a", "c", "d", "e"])
            let deleted = try [transaction.delete("a", in: environment.a), transaction.delete("a", in: environment.a)]
            let count = try transaction.count(of: environment.a)
            #expect(deleted == [true, false] && count == 3)
            try transaction.drop(environment.a)
            let after = try transaction.count(of: environment.a)
            #expect(after == 0)
        }
        environment.close()
    }

    @Test("Room can be reserved and filled in place")
    func reserve() throws {
        let folder = try TemporaryFolder()
        let environment = try open(folder)
        try environment.withWrite { transaction in
            let room = try [1, 2].withUnsafeBytes {
                try transaction.putReserve(9_000, for: $0, in: environment.a, appending: true)
            }
            for index in room.indices { room[index] = UInt8(truncatingIfNeeded: index) }
        }
        let value = try environment.withRead { transaction in
            try [1, 2].withUnsafeBytes { try transaction.get($0, in: environment.a).map { Array($0) } }
        }
        #expect(value == (0..<9_000).map { UInt8(truncatingIfNeeded: $0) })
        environment.close()
    }

    @Test("A full map is an error that leaves the last commit; a larger map goes on")
    func mapFull() throws {
        let folder = try TemporaryFolder()
        let environment = try open(folder, mapSize: .kibibytes(128))
        try environment.withWrite { try $0.put("x", [1], in: environment.a) }
        let big = [UInt8](repeating: 7, count: 200_000)
        let failure = #expect(throws: LMDBFailure.self) {
            try environment.withWrite { try $0.put("big", big, in: environment.a) }
        }
        #expect(failure?.kind == .mapFull && failure?.code == "map_full")
        #expect(try environment.contents() == ["a/x": [1]])
        try environment.setMapSize(.mebibytes(1))
        try environment.withWrite { try $0.put("big", big, in: environment.a) }
        #expect(try environment.withRead { try $0.get("big", in: environment.a) } == big)
        environment.close()
    }

    @Test("More readers than there is room for are refused")
    func readersFull() throws {
        let folder = try TemporaryFolder()
        let environment = try open(folder, readersMax: 1)
        let refused = Mailbox<String>(capacity: 1)
        try environment.withRead { _ in
            OSThread.start("second") {
                do { try environment.withRead { _ in } } catch {
                    _ = refused.offer("\((error as? LMDBFailure)?.code ?? "")")
                }
            }.join()
        }
        #expect(refused.take(waiting: .zero) == ["readers_full"])
        try environment.withRead { _ in }
        environment.close()
    }

    @Test("Keys of no bytes or too many are refused; a closed file refuses everything")
    func refusals() throws {
        let folder = try TemporaryFolder()
        let environment = try open(folder)
        for key in ["", String(repeating: "k", count: 512)] {
            let failure = #expect(throws: LMDBFailure.self) {
                try environment.withWrite { try $0.put(key, [1], in: environment.a) }
            }
            #expect(failure?.kind == .badKey)
        }
        environment.close()
        #expect(throws: LMDBFailure.self) { try environment.withRead { _ in } }
        let failure = #expect(throws: LMDBFailure.self) { try environment.sync() }
        #expect(failure?.kind == .closed)
    }

    @Test("A copy has the same content and no free pages")
    func copy() throws {
        let folder = try TemporaryFolder()
        let environment = try open(folder)
        try environment.withWrite { transaction in
            for index in 0..<500 {
                try transaction.put("k\(index)", [UInt8](repeating: 1, count: 1_500), in: environment.a)
            }
        }
        try environment.withWrite { transaction in
            for index in 0..<490 { _ = try transaction.delete("k\(index)", in: environment.a) }
        }
        let before = try environment.fileSize()
        let content = try environment.contents()
        try environment.copy(to: folder.file("copy"))
        environment.close()
        #expect(rename(folder.file("copy"), folder.file("a.lmdb")) == 0)
        let copied = try open(folder)
        #expect(try copied.contents() == content && content.count == 10)
        #expect(try copied.fileSize().bytes * 4 < before.bytes)
        try copied.withWrite { try $0.put("more", [2], in: copied.a) }
        copied.close()
        try open(folder).close()
    }

    @Test("It is noticed when the file was deleted or replaced")
    func inPlace() throws {
        let folder = try TemporaryFolder()
        let environment = try open(folder)
        #expect(try environment.isInPlace())
        unlink(folder.file("a.lmdb"))
        #expect(try !environment.isInPlace())
        try folder.write([1], to: "a.lmdb")
        #expect(try !environment.isInPlace())
        environment.close()
    }
}
