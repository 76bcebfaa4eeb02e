import Base
import Glibc
import Synchronization
import Testing

/// A TCP server on loopback that does with each connection what the test's script says.
final class ScriptedServer: Sendable {
    let port: Int
    private let listener: Int32
    private let accepting: OSThread

    /// - Parameter script: runs on a thread of its own for each connection, numbered from 1; the connection closes at
    ///   its end.
    init(_ script: @escaping @Sendable (Peer) -> Void) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        try #require(listener >= 0, "a socket")
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        try #require(result, "a listening socket")
        self.listener = listener
        port = Int(in_port_t(bigEndian: address.sin_port))
        accepting = OSThread.start("test-server") {
            var number = 0
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                number += 1
                let peer = Peer(descriptor, number: number)
                _ = OSThread.start("test-peer") {
                    script(peer)
                    peer.end()
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        accepting.join()
        close(listener)
    }

    func url(_ path: String = "/v1/x") -> String { "http://127.0.0.1:\(port)\(path)" }
}

/// The server's end of one connection.
final class Peer: Sendable {
    struct Request {
        var head: String
        var body: [UInt8]
        var lines: [String] { head.split(separator: "\r\n").map(String.init) }
    }

    /// Which connection to this server it is, from 1.
    let number: Int
    private let descriptor: Int32
    private let early = Mutex<[UInt8]>([])

    init(_ descriptor: Int32, number: Int) {
        self.descriptor = descriptor
        self.number = number
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    /// The next request with its body by length or chunks; nil when the client closes first.
    func request() -> Request? {
        var bytes = early.withLock { held in
            defer { held = [] }
            return held
        }
        while true {
            if let (request, rest) = Self.whole(bytes) {
                early.withLock { $0 = rest }
                return request
            }
            guard let more = receive() else { return nil }
            bytes += more
        }
    }

    /// What comes next; nil at the end of the connection.
    func receive() -> [UInt8]? {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        return count > 0 ? Array(chunk[..<count]) : nil
    }

    /// False when the client has gone.
    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    func answer(_ body: String, status: String = "200 OK", headers: String = "") {
        send("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    /// Waits until the client closes the connection.
    func waitForEnd() { while receive() != nil {} }

    func end() { close(descriptor) }

    private static func whole(_ bytes: [UInt8]) -> (Request, rest: [UInt8])? {
        let mark = Array("\r\n\r\n".utf8)
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }) else { return nil }
        let head = String(decoding: bytes[..<end], as: UTF8.self)
        let rest = Array(bytes[(end + 4)...])
        let lower = head.lowercased()
        if lower.contains("transfer-encoding: chunked") {
            return dechunked(rest).map { (Request(head: head, body: $0.body), $0.rest) }
        }
        let length =
            lower.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).filter { $0 != " " }) } ?? 0
        guard rest.count >= length else { return nil }
        return (Request(head: head, body: Array(rest[..<length])), Array(rest[length...]))
    }

    private static func dechunked(_ bytes: [UInt8]) -> (body: [UInt8], rest: [UInt8])? {
        var body: [UInt8] = []
        var rest = bytes[...]
        while let feed = rest.firstIndex(of: 0x0A) {
            let line = String(decoding: rest[..<feed], as: UTF8.self).filter { $0.isHexDigit }
            guard let size = Int(line, radix: 16), rest.count >= feed - rest.startIndex + 1 + size + 2 else {
                return nil
            }
            body += rest[(feed + 1)..<(feed + 1 + size)]
            rest = rest[(feed + 1 + size + 2)...]
            if size == 0 { return (body, Array(rest)) }
        }
        return nil
    }
}
