import Base
import Glibc

/// This very program's file, for a benchmark that starts it again.
func executablePath() throws -> String {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    let count = buffer.withUnsafeMutableBytes { bytes in
        bytes.withMemoryRebound(to: CChar.self) { path in
            path.baseAddress.map { readlink("/proc/self/exe", $0, path.count) } ?? -1
        }
    }
    guard count > 0 else { throw SystemFailure("find this program's file", errorNumber: errno) }
    return String(decoding: buffer[..<count], as: UTF8.self)
}
