import Glibc
import Testing

@testable import Simulator

/// A blocking client that speaks bytes, so that what a real HTTP client would hide is seen.
final class LoopbackClient {
    enum End: Equatable { case open, closed, reset, timedOut }

    private let descriptor: Int32

    /// - Parameter port: of the simulator on 127.0.0.1.
    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0, "a socket")
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0, "a connection")
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    init(unixPath: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: unixPath.utf8) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0, "a connection")
    }

    deinit { Glibc.close(descriptor) }

    func send(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            try #require(count > 0, "bytes are taken")
            rest = rest.dropFirst(count)
        }
    }

    func post(_ uri: String, _ body: String, _ headers: String = "") throws {
        try send("POST \(uri) HTTP/1.1\r\nHost: x\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    func get(_ uri: String) throws { try send("GET \(uri) HTTP/1.1\r\nHost: x\r\n\r\n") }

    /// Reads until the predicate holds of everything read, or the connection ends.
    func read(until isEnough: ([UInt8]) -> Bool) -> (bytes: [UInt8], end: End) {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while !isEnough(all) {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count == 0 { return (all, .closed) }
            if count < 0 { return (all, errno == ECONNRESET ? .reset : .timedOut) }
            all += chunk[..<count]
        }
        return (all, .open)
    }

    func readToEnd() -> (bytes: [UInt8], end: End) { read { _ in false } }

    /// One whole answer, by its length or its last chunk; the connection stays open.
    func readReply() throws -> Reply {
        let (bytes, end) = read { bytes in
            let reply = Reply(wire: bytes)
            guard reply.status != 0 else { return false }
            let length = reply.header("content-length").flatMap { Int($0) }
            return length.map { reply.framedBody.count >= $0 } ?? reply.chunks.isComplete
        }
        try #require(end == .open, "the answer is whole")
        return Reply(wire: bytes)
    }
}
