internal import Base

/// A small blocking HTTP/1.1 client for demonstrations, tests and measurements: one connection, kept open, one request
/// at a time. It uses nothing but sockets, so that what it measures is the server. For one thread.
package final class PlainClient {
    /// Where the server listens.
    package enum Address: Sendable, Equatable {
        case tcp(host: String, port: Int)
        case unix(String)
    }

    private static let bufferBytes = 64 << 10

    package let address: Address
    /// How long the server may be silent.
    package let timeout: Duration
    private var socket: PlainSocket?
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: PlainClient.bufferBytes, alignment: 16)

    /// Connects with the first request.
    package init(_ address: Address, timeout: Duration = .seconds(30)) {
        precondition(timeout > .zero)
        self.address = address
        self.timeout = timeout
    }

    package convenience init(host: String = "127.0.0.1", port: Int, timeout: Duration = .seconds(30)) {
        self.init(.tcp(host: host, port: port), timeout: timeout)
    }

    package convenience init(unixPath: String, timeout: Duration = .seconds(30)) {
        self.init(.unix(unixPath), timeout: timeout)
    }

    deinit { buffer.deallocate() }

    /// Closes the connection; the next request opens a new one.
    package func close() { socket = nil }

    /// Sends a request and reads its answer. A connection that the server has closed meanwhile is opened anew first;
    /// a request is never sent twice.
    package func request(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8] = []
    ) throws(PlainClientFailure) -> PlainResponse {
        try send(prepare(method, path, headers: headers, body: body))
    }

    /// The bytes of a request. `Host` and, where there may be a body, `Content-Length` are added.
    package func prepare(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8] = []
    ) -> [UInt8] {
        var text = "\(method) \(path) HTTP/1.1\r\n"
        if !headers.contains(where: { equalIgnoringCase($0.0, "host") }) {
            if case .tcp(let host, let port) = address {
                text += "Host: \(host):\(port)\r\n"
            } else {
                text += "Host: localhost\r\n"
            }
        }
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if !body.isEmpty || ["POST", "PUT", "PATCH"].contains(method) { text += "Content-Length: \(body.count)\r\n" }
        return Array((text + "\r\n").utf8) + body
    }

    /// Sends what `prepare` made and reads the answer.
    package func send(_ prepared: [UInt8]) throws(PlainClientFailure) -> PlainResponse {
        try exchange(prepared) { _, _ in true }
    }

    /// The same for an answer that comes as server-sent events: each is handed over when it is complete. Any other
    /// answer (an error, say) has no events and is in the result's body.
    /// - Parameter onEvent: false hangs up; the result then holds what has come so far.
    package func stream(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8] = [],
        onEvent: (PlainEvent) -> Bool
    ) throws(PlainClientFailure) -> PlainResponse {
        try stream(prepare(method, path, headers: headers, body: body), onEvent: onEvent)
    }

    package func stream(
        _ prepared: [UInt8], onEvent: (PlainEvent) -> Bool
    ) throws(PlainClientFailure) -> PlainResponse {
        var reader = EventReader()
        return try exchange(prepared) { decoder, piece in
            guard decoder.headers["content-type"]?.hasPrefix("text/event-stream") == true else { return true }
            return reader.feed(piece.bytes, received: piece.received).allSatisfy(onEvent)
        }
    }

    /// - Parameter onPiece: sees the body's bytes as they come; false hangs up.
    private func exchange(
        _ prepared: [UInt8], onPiece: (AnswerDecoder, (bytes: ArraySlice<UInt8>, received: MonotonicInstant)) -> Bool
    ) throws(PlainClientFailure) -> PlainResponse {
        let socket = try connected()
        self.socket = nil  // comes back only after a complete answer
        try socket.send(prepared)
        var decoder = AnswerDecoder(toHead: prepared.starts(with: "HEAD ".utf8))
        var body: [UInt8] = []
        var isClean = true
        while !decoder.isComplete {
            guard let count = try socket.receive(into: buffer) else { throw .silence(timeout) }
            let received = MonotonicInstant.now()
            if count == 0 {
                try decoder.close()
                break
            }
            let known = body.count
            let used = try decoder.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count]), into: &body)
            isClean = used == count
            if body.count > known, !onPiece(decoder, (body[known...], received)) { return response(decoder, body) }
        }
        if isClean && decoder.keepsAlive { self.socket = socket }
        return response(decoder, body)
    }

    private func connected() throws(PlainClientFailure) -> PlainSocket {
        if let socket, !socket.isStale { return socket }
        return try PlainSocket(address, timeout: timeout)
    }

    private func response(_ decoder: AnswerDecoder, _ body: [UInt8]) -> PlainResponse {
        PlainResponse(status: decoder.status, headers: decoder.headers, body: body)
    }
}
