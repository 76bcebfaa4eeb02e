import Base
import Glibc

/// A TCP or unix connection that speaks bytes, from either side: what a real HTTP client would hide is seen. Every
/// wait is bounded. Use it from one thread at a time.
final class Connection {
    enum End: Error, Equatable { case closed, reset, timedOut }

    /// What `sendRequest` puts into `Host` unless told otherwise.
    var host = "localhost"
    private var descriptor: Int32
    private var buffer: [UInt8] = []
    private var framing = Framing.none

    private enum Framing {
        case none, length(Int), chunk(remaining: Int), untilClose
    }

    /// Takes over an open socket.
    init(descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL, 0) | O_NONBLOCK)
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }

    /// To a port on 127.0.0.1.
    /// - Parameter receiveBuffer: bytes the system holds for a reader that does not read; nil leaves the default.
    convenience init(port: Int, receiveBuffer: Int32? = nil) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw HarnessFailure("socket: \(errorText(errno))") }
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = loopbackAddress(port: port)
        let result = withSocketAddress(&address) { Glibc.connect(descriptor, $0, $1) }
        guard result == 0 else {
            let number = errno
            Glibc.close(descriptor)
            throw HarnessFailure("connect to port \(port): \(errorText(number))")
        }
        self.init(descriptor: descriptor)
        host = "127.0.0.1:\(port)"
    }

    convenience init(unixPath: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw HarnessFailure("socket: \(errorText(errno))") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: unixPath.utf8.prefix(107)) }
        let result = withSocketAddress(&address) { Glibc.connect(descriptor, $0, $1) }
        guard result == 0 else {
            let number = errno
            Glibc.close(descriptor)
            throw HarnessFailure("connect to \(unixPath): \(errorText(number))")
        }
        self.init(descriptor: descriptor)
    }

    deinit { close() }

    // MARK: Sending

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Throws `End` when the other side has gone or takes nothing for ten seconds.
    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { pointer in
                let rest = UnsafeRawBufferPointer(rebasing: pointer[sent...])
                return Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                let deadline = MonotonicInstant.now().advanced(by: patience)
                guard wait(Int16(POLLOUT), until: deadline) else { throw End.timedOut }
            } else if errno != EINTR {
                throw errno == ECONNRESET ? End.reset : End.closed
            }
        }
    }

    // MARK: Reading bytes

    /// Exactly that many bytes.
    func read(exactly count: Int, within limit: Duration = patience) throws -> [UInt8] {
        let deadline = MonotonicInstant.now().advanced(by: limit)
        while buffer.count < count { try fill(deadline) }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    /// Up to the marker, which is part of the result.
    func read(until marker: String, within limit: Duration = patience) throws -> String {
        let deadline = MonotonicInstant.now().advanced(by: limit)
        let wanted = Array(marker.utf8)
        var searched = 0
        while true {
            if let end = buffer.firstEnd(of: wanted, from: searched) {
                defer { buffer.removeFirst(end) }
                return String(decoding: buffer[..<end], as: UTF8.self)
            }
            searched = max(0, buffer.count - wanted.count)
            try fill(deadline)
        }
    }

    /// Everything until the other side ends, and how it ended.
    func readToEnd(within limit: Duration = patience) -> (bytes: [UInt8], end: End) {
        let deadline = MonotonicInstant.now().advanced(by: limit)
        while true {
            do { try fill(deadline) } catch {
                defer { buffer = [] }
                return (buffer, error)
            }
        }
    }

    /// How the other side ends the connection, with whatever it says before thrown away.
    func waitForEnd(within limit: Duration = patience) -> End { readToEnd(within: limit).end }

    // MARK: Reading HTTP

    /// The first line and the header fields. The body is read with `readBody` or `readSome`.
    func readHead(
        within limit: Duration = patience
    ) throws -> (line: String, headers: [(name: String, value: String)]) {
        let text = try read(until: "\r\n\r\n", within: limit)
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: true)
        guard let first = lines.first else { throw HarnessFailure("an empty head") }
        let headers = lines.dropFirst().map { line -> (name: String, value: String) in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count == 2 ? String(parts[1].drop { $0 == " " }) : "")
        }
        return (String(first), headers)
    }

    /// Decides how the body that follows is framed. `isRequest`: without a length there is none.
    func expectBody(_ headers: [(name: String, value: String)], isRequest: Bool, hasNone: Bool = false) {
        func value(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
        if hasNone {
            framing = .length(0)
        } else if value("transfer-encoding")?.lowercased() == "chunked" {
            framing = .chunk(remaining: -1)
        } else if let length = value("content-length").flatMap({ Int($0) }) {
            framing = .length(length)
        } else {
            framing = isRequest ? .length(0) : .untilClose
        }
    }

    /// The next decoded bytes of the body as they come; nil when it is whole. Throws `End` when it is cut.
    func readSome(within limit: Duration = patience) throws -> [UInt8]? {
        let deadline = MonotonicInstant.now().advanced(by: limit)
        switch framing {
        case .none, .length(0): return nil
        case .length(let rest):
            if buffer.isEmpty { try fill(deadline) }
            let piece = take(min(rest, buffer.count))
            framing = .length(rest - piece.count)
            return piece
        case .chunk(let rest): return try readChunk(rest, deadline)
        case .untilClose:
            if buffer.isEmpty {
                do { try fill(deadline) } catch End.closed { return nil }
            }
            return take(buffer.count)
        }
    }

    func readBody(within limit: Duration = patience) throws -> [UInt8] {
        var body: [UInt8] = []
        while let piece = try readSome(within: limit) { body += piece }
        return body
    }

    private func readChunk(_ known: Int, _ deadline: MonotonicInstant) throws -> [UInt8]? {
        var rest = known
        if rest <= 0 {
            if rest == 0 { _ = try read(exactly: 2) }
            let line = try read(until: "\r\n", within: deadline.duration(since: .now()))
            guard let size = Int(line.prefix { $0.isHexDigit }, radix: 16) else {
                throw HarnessFailure("chunk size \(line)")
            }
            rest = size
            if size == 0 {
                _ = try read(until: "\r\n")
                framing = .length(0)
                return nil
            }
            framing = .chunk(remaining: rest)
        }
        if buffer.isEmpty { try fill(deadline) }
        let piece = take(min(rest, buffer.count))
        framing = .chunk(remaining: rest - piece.count)
        return piece
    }

    private func take(_ count: Int) -> [UInt8] {
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    // MARK: The socket

    private func fill(_ deadline: MonotonicInstant) throws(End) {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count > 0 {
                buffer += chunk[..<count]
                return
            }
            if count == 0 { throw .closed }
            if errno == EAGAIN {
                guard wait(Int16(POLLIN), until: deadline) else { throw .timedOut }
            } else if errno != EINTR {
                throw errno == ECONNRESET ? .reset : .closed
            }
        }
    }

    private func wait(_ events: Int16, until deadline: MonotonicInstant) -> Bool {
        let rest = deadline.duration(since: .now()).wholeMilliseconds
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        return retryingInterrupts { poll(&entry, 1, Int32(clamping: max(0, rest))) } > 0
    }

    /// Ends this side's sending; reading goes on.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends the connection in order. Harmless a second time.
    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    /// Ends the connection with a reset.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }
}

func loopbackAddress(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    return address
}

func withSocketAddress<Address, Result>(
    _ address: inout Address, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Address>.size)) }
    }
}

extension Array where Element == UInt8 {
    /// The offset just past the first occurrence of the marker.
    func firstEnd(of marker: [UInt8], from start: Int = 0) -> Int? {
        withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return nil }
            var position = start
            while position + marker.count <= bytes.count {
                guard let found = memchr(base + position, Int32(marker[0]), bytes.count - position) else { return nil }
                position = UnsafeRawPointer(found) - base
                guard position + marker.count <= bytes.count else { return nil }
                if memcmp(base + position, marker, marker.count) == 0 { return position + marker.count }
                position += 1
            }
            return nil
        }
    }

    /// As text; what is not UTF-8 is replaced.
    var text: String { String(decoding: self, as: UTF8.self) }
}
