internal import Base

/// Reads one HTTP/1.1 answer from bytes that arrive in pieces of any size. A pure state machine: it does not know
/// where bytes come from.
struct AnswerDecoder {
    private enum Part {
        case head, length(Int), chunked, untilClose, complete
    }

    static let headBytesMax = 256 << 10

    /// 0 until the head is complete.
    private(set) var status = 0
    private(set) var headers = HeaderFields()
    /// The connection may carry another request after this answer.
    private(set) var keepsAlive = true

    private var part = Part.head
    private var head: [UInt8] = []
    private var chunks = ChunkedDecoder()
    private let hasBody: Bool

    /// - Parameter toHead: the request's method is HEAD, so that no body follows whatever the headers say.
    init(toHead: Bool = false) { hasBody = !toHead }

    var hasHead: Bool { status != 0 }

    var isComplete: Bool {
        if case .complete = part { true } else { false }
    }

    /// Adds what belongs to the body to `body`.
    /// - Returns: how many of the bytes belong to this answer.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, into body: inout [UInt8]) throws(PlainClientFailure) -> Int {
        var position = 0
        while position < bytes.count, !isComplete {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            position += try feedPart(rest, &body)
        }
        return position
    }

    /// The peer has closed the connection. Fails unless the answer may end so.
    mutating func close() throws(PlainClientFailure) {
        keepsAlive = false
        switch part {
        case .complete: break
        case .untilClose: part = .complete
        default: throw .cutShort
        }
    }

    private mutating func feedPart(
        _ bytes: UnsafeRawBufferPointer, _ body: inout [UInt8]
    ) throws(PlainClientFailure) -> Int {
        switch part {
        case .head: return try feedHead(bytes)
        case .length(let left):
            let count = min(left, bytes.count)
            body.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            part = count == left ? .complete : .length(left - count)
            return count
        case .chunked:
            let count = try chunks.feed(bytes, into: &body)
            if chunks.isComplete { part = .complete }
            return count
        case .untilClose:
            body.append(contentsOf: bytes)
            return bytes.count
        case .complete: return 0
        }
    }

    /// Takes bytes up to the blank line that ends the head.
    private mutating func feedHead(_ bytes: UnsafeRawBufferPointer) throws(PlainClientFailure) -> Int {
        let known = head.count
        head.append(contentsOf: bytes)
        guard let end = endOfHead(from: max(0, known - 3)) else {
            guard head.count <= Self.headBytesMax else { throw .invalidAnswer("its head does not end") }
            return bytes.count
        }
        try parse(String(decoding: head[..<(end - 4)], as: UTF8.self))
        head = []
        return end - known
    }

    private func endOfHead(from start: Int) -> Int? {
        head.withUnsafeBufferPointer { bytes in
            var position = start
            while position + 3 < bytes.count {
                if bytes[position] == 13, bytes[position + 1] == 10, bytes[position + 2] == 13,
                    bytes[position + 3] == 10
                {
                    return position + 4
                }
                position += 1
            }
            return nil
        }
    }

    private mutating func parse(_ text: String) throws(PlainClientFailure) {
        let lines = text.split(separator: "\r\n")
        let parts = (lines.first ?? "").split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let code = Int(parts[1]), (100...599).contains(code)
        else { throw .invalidAnswer("it begins with \(JSONText.quote(String(text.prefix(40))))") }
        if code < 200 { return }  // an interim answer: the real one follows
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw .invalidAnswer("a header has no colon") }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers.add(String(line[..<colon]), String(value))
        }
        status = code
        keepsAlive = parts[0] == "HTTP/1.1" && !equalIgnoringCase(headers["connection"] ?? "", "close")
        part = try framing()
    }

    private func framing() throws(PlainClientFailure) -> Part {
        if !hasBody || status == 204 || status == 304 { return .complete }
        if headers["transfer-encoding"].map({ equalIgnoringCase($0, "chunked") }) == true { return .chunked }
        guard let text = headers["content-length"] else { return .untilClose }
        guard let length = Int(text), length >= 0 else { throw .invalidAnswer("content-length is \(text)") }
        return length == 0 ? .complete : .length(length)
    }
}
