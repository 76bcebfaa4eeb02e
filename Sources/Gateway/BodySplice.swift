import Base
import NIOCore

/// Changes to a body that leave every other byte as it was: number spelling, key order, duplicates and escapes survive.
struct BodySplice {
    private var edits: [(range: Range<Int>, text: String)] = []

    /// Bodies above this go out in pieces instead of being joined: a copy would cost more than it saves.
    private static let joinMax = 64 << 10

    mutating func replace(_ range: Range<Int>, with text: String) { edits.append((range, text)) }

    /// Asks for usage at the end of the stream. Returns whether the client did not ask for it itself, so that the
    /// chunk which holds it must be taken out again.
    mutating func requestUsage(_ fields: RequestFields) -> Bool {
        if let asked = fields.includeUsage {
            guard !asked.value else { return false }
            replace(asked.range, with: "true")
            return true
        }
        if let options = fields.streamOptions {
            let inside = options.range.lowerBound + 1
            // Any other type is the client's mistake, and the provider says so.
            guard options.kind == .object || options.kind == .null else { return false }
            if options.kind == .null {
                replace(options.range, with: #"{"include_usage":true}"#)
            } else {
                replace(inside..<inside, with: #""include_usage":true\#(fields.streamOptionsAreEmpty ? "" : ",")"#)
            }
            return true
        }
        guard let end = fields.streamEnd else { return false }
        replace(end..<end, with: #","stream_options":{"include_usage":true}"#)
        return true
    }

    func apply(to body: ByteBuffer) -> [ByteBuffer] {
        guard !edits.isEmpty else { return [body] }
        var pieces: [ByteBuffer] = []
        var position = 0
        for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            precondition(edit.range.lowerBound >= position, "edits overlap")
            pieces.append(slice(body, position..<edit.range.lowerBound))
            pieces.append(ByteBuffer(string: edit.text))
            position = edit.range.upperBound
        }
        pieces.append(slice(body, position..<body.readableBytes))
        guard body.readableBytes <= Self.joinMax else { return pieces.filter { $0.readableBytes > 0 } }
        var joined = ByteBufferAllocator().buffer(capacity: body.readableBytes + 64)
        for piece in pieces { joined.writeImmutableBuffer(piece) }
        return [joined]
    }

    private func slice(_ body: ByteBuffer, _ range: Range<Int>) -> ByteBuffer {
        guard let piece = body.getSlice(at: body.readerIndex + range.lowerBound, length: range.count) else {
            preconditionFailure("an edit lies outside the body")
        }
        return piece
    }
}
