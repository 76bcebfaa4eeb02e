import Base
import FoundationEssentials

/// A folder of its own for one test, gone with the last reference.
final class TemporaryFolder: Sendable {
    let path = "/tmp/weir-test-\(hexadecimal(secureRandomBytes(8)))"

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    /// Every file's name and content, for byte compares. Only while no database in it is open.
    func contents() throws -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            contents[name] = Array(try Data(contentsOf: URL(filePath: file(name))))
        }
        return contents
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(filePath: file(name)))
    }
}
