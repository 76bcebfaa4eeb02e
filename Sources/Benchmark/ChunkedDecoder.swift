/// Takes the chunked transfer coding (RFC 9112, 7.1) off bytes that arrive in pieces of any size. A pure state
/// machine; O(1) a byte, whole chunks are copied at once. Extensions and trailer fields are skipped.
struct ChunkedDecoder {
    private enum State { case size, sizeExtension, data, dataEnd, lineStart, trailer, complete }

    /// A chunk header or a trailer longer than this is refused.
    static let lineBytesMax = 16 << 10
    /// Chunks announce at most this: 2^40 bytes.
    private static let sizeMax = 1 << 40

    private var state = State.size
    private var size = 0
    private var digits = 0
    private var lineBytes = 0

    /// The last chunk and its trailer have been read.
    var isComplete: Bool { state == .complete }

    /// Adds the payload to `body`.
    /// - Returns: how many of the bytes belong to this body.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, into body: inout [UInt8]) throws(PlainClientFailure) -> Int {
        var position = 0
        while position < bytes.count, state != .complete {
            if state == .data {
                let count = min(size, bytes.count - position)
                body.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)]))
                position += count
                size -= count
                if size == 0 { state = .dataEnd }
            } else {
                try step(bytes[position])
                position += 1
            }
        }
        return position
    }

    private mutating func step(_ byte: UInt8) throws(PlainClientFailure) {
        lineBytes += 1
        guard lineBytes <= Self.lineBytesMax else { throw .invalidAnswer("a chunk's header does not end") }
        let isLineEnd = byte == UInt8(ascii: "\n")
        switch state {
        case .size where isLineEnd, .sizeExtension where isLineEnd: try endSize()
        case .size: try addDigit(byte)
        case .dataEnd where isLineEnd: begin(.size)
        case .dataEnd:
            guard byte == UInt8(ascii: "\r") else { throw .invalidAnswer("a chunk is longer than it says") }
        case .lineStart where isLineEnd: state = .complete
        case .lineStart where byte != UInt8(ascii: "\r"): state = .trailer
        case .trailer where isLineEnd: state = .lineStart
        default: break
        }
    }

    private mutating func addDigit(_ byte: UInt8) throws(PlainClientFailure) {
        if byte == UInt8(ascii: "\r") { return }
        if byte == UInt8(ascii: ";") || byte == UInt8(ascii: " ") {
            state = .sizeExtension
            return
        }
        let value: UInt8
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): value = byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): value = byte - UInt8(ascii: "A") + 10
        default: throw .invalidAnswer("a chunk's size is no number")
        }
        size = size << 4 | Int(value)
        digits += 1
        guard size <= Self.sizeMax else { throw .invalidAnswer("a chunk is too large") }
    }

    private mutating func endSize() throws(PlainClientFailure) {
        guard digits > 0 else { throw .invalidAnswer("a chunk has no size") }
        begin(size == 0 ? .lineStart : .data)
    }

    private mutating func begin(_ next: State) {
        if next == .size { size = 0 }
        state = next
        digits = 0
        lineBytes = 0
    }
}
