import Base
import Gateway
import Ledger
import Logging
import NIOCore
import NIOHTTP1
import Settings
import Telemetry

/// Puts an answer into HTTP/1.x bytes (RFC 9112): head and small pieces grow in one buffer, so that a short answer
/// leaves in one system call; large pieces pass without a copy. A pure state machine.
struct AnswerWriter {
    /// What ends the body (RFC 9112, 6.3).
    private enum Framing { case none, length, chunked, close }

    /// Up to here a copy is cheaper than one more buffer.
    private static let copiedBytesMax = 16 << 10

    private var framing = Framing.none
    private var ready: [ByteBuffer] = []
    private var growing = ByteBuffer()

    /// - Parameter isHead: the request was HEAD, so the fields describe a body that does not come.
    mutating func begin(status: Int, version: HTTPVersion, headers: HeaderLines, isHead: Bool, keepsAlive: Bool) {
        let hasLength = headers.contains("content-length")
        let isOld = version == .http1_0
        framing =
            isHead || status == 204 || status == 304 ? .none : hasLength ? .length : isOld ? .close : .chunked
        growing.reserveCapacity(minimumWritableBytes: headers.bytes.count + 640)
        if status == 200 && !isOld {
            growing.writeStaticString("HTTP/1.1 200 OK\r\n")
        } else {
            let reason = HTTPResponseStatus(statusCode: status).reasonPhrase
            growing.writeString("HTTP/1.\(isOld ? 0 : 1) \(status) \(reason)\r\n")
        }
        growing.writeBytes(headers.bytes)
        if framing == .chunked { growing.writeStaticString("Transfer-Encoding: chunked\r\n") }
        if !keepsAlive || framing == .close {
            growing.writeStaticString("Connection: close\r\n")
        } else if isOld {
            growing.writeStaticString("Connection: keep-alive\r\n")
        }
        growing.writeStaticString("\r\n")
    }

    mutating func body(_ bytes: ByteBuffer) {
        guard framing != .none, bytes.readableBytes > 0 else { return }
        if framing == .chunked { growing.writeString("\(String(bytes.readableBytes, radix: 16))\r\n") }
        if bytes.readableBytes <= Self.copiedBytesMax {
            growing.writeImmutableBuffer(bytes)
        } else {
            seal()
            ready.append(bytes)
        }
        if framing == .chunked { growing.writeStaticString("\r\n") }
    }

    mutating func end() {
        if framing == .chunked { growing.writeStaticString("0\r\n\r\n") }
        framing = .none
    }

    /// The bytes that wait, in order.
    mutating func take() -> [ByteBuffer] {
        seal()
        defer { ready.removeAll(keepingCapacity: true) }
        return ready
    }

    private mutating func seal() {
        guard growing.readableBytes > 0 else { return }
        ready.append(growing)
        growing = ByteBuffer()
    }

    var isEmpty: Bool { ready.isEmpty && growing.readableBytes == 0 }
}
