import Base
import FoundationEssentials

/// A folder of its own for one test, gone with the last reference.
final class TemporaryFolder: Sendable {
    let path = "/tmp/weir-test-\(hexadecimal(secureRandomBytes(8)))"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
