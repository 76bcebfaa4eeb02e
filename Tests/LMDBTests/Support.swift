import Base
import FoundationEssentials
import LMDB

/// A folder of its own for one test, gone with the last reference.
final class TemporaryFolder: Sendable {
    let path = "/tmp/weir-test-\(hexadecimal(secureRandomBytes(8)))"

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }
    func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: file(name)))) }
    func write(_ bytes: [UInt8], to name: String) throws { try Data(bytes).write(to: URL(filePath: file(name))) }
    func contents() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}

func open(
    _ folder: TemporaryFolder, mapSize: ByteCount = .mebibytes(4), isSynced: Bool = false, everyPage: Bool = true,
    readersMax: Int = 126
) throws -> Environment {
    try Environment(
        path: folder.file("a.lmdb"),
        options: .init(
            mapSize: mapSize, databases: ["a", "b"], isSynced: isSynced, checksEveryPage: everyPage,
            readersMax: readersMax))
}

extension Transaction {
    func put(_ key: String, _ value: [UInt8], in database: Database) throws {
        try Array(key.utf8).withUnsafeBytes { key in
            try value.withUnsafeBytes { try put($0, for: key, in: database) }
        }
    }

    func get(_ key: String, in database: Database) throws -> [UInt8]? {
        try Array(key.utf8).withUnsafeBytes { try get($0, in: database).map { Array($0) } }
    }

    func delete(_ key: String, in database: Database) throws -> Bool {
        try Array(key.utf8).withUnsafeBytes { try delete($0, in: database) }
    }

    func keys(in database: Database, from key: String? = nil) throws -> [String] {
        try withCursor(database) { cursor in
            var keys: [String] = []
            var item =
                try key.map { key in try Array(key.utf8).withUnsafeBytes { try cursor.seek(from: $0) } }
                ?? cursor.first()
            while let found = item {
                keys.append(String(decoding: found.key, as: UTF8.self))
                item = try cursor.next()
            }
            return keys
        }
    }
}

extension Environment {
    var a: Database { databases[0] }
    var b: Database { databases[1] }

    /// Everything in both trees.
    func contents() throws -> [String: [UInt8]] {
        try withRead { transaction in
            var contents: [String: [UInt8]] = [:]
            for (name, database) in zip(["a", "b"], databases) {
                try transaction.withCursor(database) { cursor in
                    var item = try cursor.first()
                    while let found = item {
                        contents["\(name)/\(String(decoding: found.key, as: UTF8.self))"] = Array(found.value)
                        item = try cursor.next()
                    }
                }
            }
            return contents
        }
    }
}

func bytes(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}
