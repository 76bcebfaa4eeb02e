import Base
import Glibc
import Synchronization

/// A server that says what it was told to: for each connection in turn a list of answers, one a request; then it
/// closes the connection.
final class ScriptedServer: Sendable {
    /// The pieces of one answer; each is a write of its own.
    typealias Answer = [[UInt8]]

    let port: Int
    private let listener: Int32
    private let received = Mutex<[String]>([])

    /// The requests so far, as they came.
    var requests: [String] { received.withLock { $0 } }

    init(_ connections: [[Answer]]) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (descriptor, length) = (listener, size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &size) : -1
            }
        }
        guard result == 0, listen(listener, 16) == 0 else { throw SystemFailure("listen", errorNumber: errno) }
        port = Int(UInt16(bigEndian: address.sin_port))
        _ = OSThread.start("scripted") { [self] in
            for answers in connections {
                let peer = accept(descriptor, nil, nil)
                guard peer >= 0 else { return }
                serve(peer, answers)
                close(peer)
            }
        }
    }

    /// One answer on one connection.
    convenience init(_ text: String) throws { try self.init([[[Array(text.utf8)]]]) }

    /// Ends the waiting for connections that never came.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ peer: Int32, _ answers: [Answer]) {
        var on: Int32 = 1
        setsockopt(peer, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        for answer in answers {
            guard let request = readRequest(peer) else { return }
            received.withLock { $0.append(request) }
            for piece in answer { _ = send(peer, piece, piece.count, Int32(MSG_NOSIGNAL)) }
        }
    }

    private func readRequest(_ peer: Int32) -> String? {
        var request: [UInt8] = []
        var byte: UInt8 = 0
        while !request.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard recv(peer, &byte, 1, 0) == 1 else { return nil }
            request.append(byte)
        }
        let lines = String(decoding: request, as: UTF8.self).lowercased().split(separator: "\r\n")
        let length = lines.first { $0.hasPrefix("content-length:") }.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
        for _ in 0..<length {
            guard recv(peer, &byte, 1, 0) == 1 else { return nil }
            request.append(byte)
        }
        return String(decoding: request, as: UTF8.self)
    }
}
