import Base
import NIOCore

/// Passes a provider's event stream on, event by event as each is whole (no client can use a part of one), and reads
/// along. Bytes leave unchanged; the one thing ever taken out is the usage chunk that the client did not ask for. A
/// provider that dies inside an event leaves no torn event behind, and a stream which begins with an error can still
/// be answered with that error's status. A pure state machine.
struct StreamRelay {
    /// What to do with a piece that has come.
    enum Output {
        /// Send these on, in this order; none while an event is held back.
        case pieces([ByteBuffer])
        /// The stream's first event is this error object: nothing has been sent yet.
        case firstError([UInt8])
    }

    private(set) var inspector: StreamInspector
    private let stripsUsage: Bool
    private var splitter = EventSplitter()
    /// What has come since the end of the last whole event.
    private var partial = ByteBuffer()
    /// How much of `partial` the splitter has looked at.
    private var looked = 0
    /// The first event is whole and was no error: the status is decided.
    private(set) var isCommitted = false
    /// An event grew beyond all reason: bytes pass unread from here on.
    private(set) var isBlind = false

    init(_ route: AIRoute, stripsUsage: Bool) {
        inspector = StreamInspector(route)
        self.stripsUsage = stripsUsage
    }

    /// Between two whole events nothing of ours can end up inside one of the provider's.
    var isAtBoundary: Bool { isCommitted && !isBlind }

    mutating func receive(_ chunk: ByteBuffer) -> Output {
        if isBlind { return .pieces([chunk]) }
        let wasCommitted = isCommitted
        if partial.readableBytes == 0 { partial = chunk } else { partial.writeImmutableBuffer(chunk) }
        let (kept, end) = readEvents()
        // Content that came in the same read as the error is the client's all the same.
        if !wasCommitted, inspector.contentEvents == 0, let error = inspector.errorEvent { return .firstError(error) }
        var pieces = kept.map(slice)
        partial.moveReaderIndex(forwardBy: end)
        looked -= end
        if partial.readableBytes > Limits.eventBytesMax {
            isBlind = true
            isCommitted = true
            pieces.append(partial)
            partial.clear()
        }
        return .pieces(pieces)
    }

    /// The stream has ended as it should: what was held of a last event without its empty line.
    mutating func finish() -> Output {
        guard partial.readableBytes > 0 else { return .pieces([]) }
        let meaning = partial.withUnsafeReadableBytes { inspector.read($0) }
        if !isCommitted, let error = inspector.errorEvent { return .firstError(error) }
        isCommitted = true
        return .pieces(stripsUsage && meaning == .usageOnly ? [] : [partial])
    }

    /// Reads all whole events in `partial`. Returns the ranges to keep, neighbours joined, and where the rest begins.
    private mutating func readEvents() -> (kept: [Range<Int>], end: Int) {
        var kept: [Range<Int>] = []
        var begin = 0
        let wasCommitted = isCommitted
        partial.withUnsafeReadableBytes { bytes in
            while let end = splitter.endOfEvent(in: bytes, from: looked) {
                let meaning = inspector.read(UnsafeRawBufferPointer(rebasing: bytes[begin..<end]))
                isCommitted = true
                if stripsUsage && meaning == .usageOnly {
                    // Left out: the client did not ask for it. A line feed in front ends the event before.
                    if bytes[begin] == UInt8(ascii: "\n") { kept.append(begin..<(begin + 1)) }
                } else if let last = kept.last, last.upperBound == begin {
                    kept[kept.count - 1] = last.lowerBound..<end
                } else {
                    kept.append(begin..<end)
                }
                begin = end
                looked = end
                if meaning == .error && !wasCommitted && inspector.contentEvents == 0 { return }
            }
            looked = bytes.count
        }
        return (kept, begin)
    }

    private func slice(_ range: Range<Int>) -> ByteBuffer {
        guard let piece = partial.getSlice(at: partial.readerIndex + range.lowerBound, length: range.count) else {
            preconditionFailure("an event lies outside its buffer")
        }
        return piece
    }
}
