import Base
import FoundationEssentials
import Glibc
import Testing

@testable import SQLite

struct DatabaseFileTests {
    /// A closed database with a few pages.
    private func filled(_ folder: TemporaryFolder) throws -> String {
        let path = folder.file("a.db")
        let database = try Schema.open(path)
        try database.write { connection in
            for index in 0..<500 { try Schema.add("item \(index)", connection) }
        }
        database.close()
        return path
    }

    @Test("A clean stop leaves one file, for its owner only")
    func cleanStop() throws {
        let folder = try TemporaryFolder()
        let path = try filled(folder)
        #expect(try folder.contents().keys.sorted() == ["a.db"])
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test("The file is in write-ahead mode, synced as asked, without memory mapping")
    func settings() throws {
        let folder = try TemporaryFolder()
        let database = try Schema.open(folder.file("a.db"))
        let found = try database.write { connection in
            try [
                connection.first("PRAGMA journal_mode") { $0.text(0) },
                connection.first("PRAGMA synchronous") { $0.text(0) },
                connection.first("PRAGMA foreign_keys") { $0.text(0) },
                connection.first("PRAGMA mmap_size") { $0.text(0) },
                connection.first("PRAGMA trusted_schema") { $0.text(0) },
                connection.first("PRAGMA wal_autocheckpoint") { $0.text(0) },
            ]
        }
        #expect(found == ["wal", "2", "1", "0", "0", "0"])
        database.close()
    }

    @Test("Damage is refused with exit code 65 and no byte changes", arguments: Damage.allCases)
    func damage(_ damage: Damage) throws {
        let folder = try TemporaryFolder()
        let path = try filled(folder)
        try damage.apply(folder)
        let before = try folder.contents()
        let failure = #expect(throws: SQLiteFailure.self) { try Schema.open(path) }
        #expect(failure?.isCorrupt == true)
        #expect(failure?.exitCode == .dataCorrupt)
        #expect(failure?.message.contains("weir doctor") == true)
        // SQLite makes the -shm file anew as it reads; it holds nothing.
        let after = try folder.contents().filter { $0.key != "a.db-shm" }
        #expect(after == before)
    }

    enum Damage: CaseIterable, Sendable {
        case header, emptied, notADatabase, pageAfterUncleanStop, onlyTheLog, cutAfterUncleanStop

        func apply(_ folder: TemporaryFolder) throws {
            var bytes = try folder.contents()["a.db"] ?? []
            switch self {
            case .header: bytes[3] ^= 0xFF
            case .emptied: bytes = []
            case .notADatabase: bytes = Array("this is a text, and quite a long one, but no database at all".utf8)
            case .pageAfterUncleanStop:
                for index in 4_096..<4_160 { bytes[index] = 0xAA }
                try folder.write([], to: "a.db-wal")
            case .cutAfterUncleanStop:
                bytes.removeLast(4_096)
                try folder.write([], to: "a.db-wal")
            case .onlyTheLog:
                try FileManager.default.removeItem(atPath: folder.file("a.db"))
                return try folder.write([1, 2, 3], to: "a.db-wal")
            }
            try folder.write(bytes, to: "a.db")
        }
    }

    @Test("Moving aside keeps every byte under a name that says so")
    func moveAside() throws {
        let folder = try TemporaryFolder()
        let path = try filled(folder)
        try folder.write([1], to: "a.db-wal")
        let before = try folder.contents()
        let aside = try DatabaseFile.moveAside(path, time: UnixTime(microseconds: 42))
        #expect(aside == path + ".bad-42")
        #expect(try folder.contents() == ["a.db.bad-42": before["a.db"], "a.db.bad-42-wal": [1]])
    }

    @Test("A folder that is not there is an input/output failure that names the file")
    func noFolder() {
        let failure = #expect(throws: SQLiteFailure.self) { try Schema.open("/tmp/weir-nowhere/a.db") }
        #expect(failure?.exitCode == .inputOutput)
        #expect(failure?.message.contains("/tmp/weir-nowhere/a.db") == true)
    }

    @Test("The write-ahead log stays bounded under many commits")
    func checkpoints() throws {
        let folder = try TemporaryFolder()
        let database = try Schema.open(folder.file("a.db"))
        let text = String(repeating: "x", count: 20_000)
        for _ in 0..<1_000 {
            let isTaken = database.offer { try Schema.add(text, $0) }
            #expect(isTaken)
        }
        for _ in 0..<300 { try database.write { try Schema.add(text, $0) } }
        #expect((DatabaseFile.size(database.path + "-wal") ?? 0) < 64 << 20)
        #expect((DatabaseFile.size(database.path) ?? 0) > 8 << 20, "checkpoints moved pages into the file")
        database.close()
    }

    @Test("After a kill everything acknowledged is there")
    func kill() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.db")
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let database = try Schema.open(path)
            for index in 0..<50 { try database.write { try Schema.add("item \(index)", $0) } }
            Glibc.kill(getpid(), SIGKILL)
        }
        #expect((DatabaseFile.size(path + "-wal") ?? 0) > 0, "the stop was unclean")
        let database = try Schema.open(path)
        #expect(try Schema.names(database).count == 50)
        database.close()
        #expect(DatabaseFile.size(path + "-wal") == nil)
    }
}
