internal import Base
internal import Glibc

/// A blocking stream socket, closed with its last reference.
final class PlainSocket {
    let descriptor: Int32

    /// Connects. `timeout` bounds each later send and receive.
    init(_ address: PlainClient.Address, timeout: Duration) throws(PlainClientFailure) {
        switch address {
        case .tcp(let host, let port): descriptor = try Self.connect(host, port)
        case .unix(let path): descriptor = try Self.connect(path)
        }
        var limit = timeval(
            tv_sec: time_t(timeout.wholeMilliseconds / 1_000),
            tv_usec: suseconds_t(timeout.wholeMilliseconds % 1_000 * 1_000))
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    deinit { close(descriptor) }

    /// The peer has closed it or sent what nobody asked for, so that no further request can be made on it.
    var isStale: Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        return count >= 0 || errno != EAGAIN
    }

    func send(_ bytes: [UInt8]) throws(PlainClientFailure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                retryingInterrupts {
                    Glibc.send(descriptor, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
                }
            }
            guard count > 0 else { throw .brokenConnection(errorText(errno)) }
            sent += count
        }
    }

    /// Waits for bytes.
    /// - Returns: how many came; 0 when the peer has closed; nil when none came in time.
    func receive(into buffer: UnsafeMutableRawBufferPointer) throws(PlainClientFailure) -> Int? {
        let count = retryingInterrupts { recv(descriptor, buffer.baseAddress, buffer.count, 0) }
        if count >= 0 { return count }
        if errno == EAGAIN { return nil }
        throw .brokenConnection(errorText(errno))
    }

    private static func connect(_ host: String, _ port: Int) throws(PlainClientFailure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0 else { throw .cannotConnect("no address for \(host)") }
        defer { freeaddrinfo(found) }
        var problem = "no address for \(host)"
        var candidate = found
        while let address = candidate?.pointee {
            let descriptor = socket(address.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            if descriptor >= 0, Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 {
                var on: Int32 = 1
                setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                return descriptor
            }
            problem = "cannot connect to \(host):\(port): \(errorText(errno))"
            if descriptor >= 0 { close(descriptor) }
            candidate = address.ai_next
        }
        throw .cannotConnect(problem)
    }

    private static func connect(_ path: String) throws(PlainClientFailure) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard path.utf8.count < room.count else { return false }
            room.copyBytes(from: path.utf8)
            return true
        }
        guard fits else { throw .cannotConnect("\(path) is too long for a unix socket") }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let problem = errorText(errno)
            if descriptor >= 0 { close(descriptor) }
            throw .cannotConnect("cannot connect to \(path): \(problem)")
        }
        return descriptor
    }
}
