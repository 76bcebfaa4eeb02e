import NIOCore

/// The bytes of a request on their way out: buffers that are all there, or pieces that come one by one.
struct OutgoingBody {
    enum Chunk { case bytes(Int), waitForMore, end }

    private var pieces: [ByteBuffer]
    private var index = 0
    private var isComplete: Bool
    private let original: [ByteBuffer]
    private let canRewind: Bool
    /// Bytes in all; nil when the client did not say.
    let length: Int?

    init(_ body: UpstreamBody) {
        switch body {
        case .none:
            (pieces, isComplete, canRewind, length) = ([], true, true, 0)
        case .buffers(let buffers):
            (pieces, isComplete, canRewind) = (buffers, true, true)
            length = buffers.reduce(0) { $0 + $1.readableBytes }
        case .stream(let declared):
            (pieces, isComplete, canRewind, length) = ([], false, false, declared)
        }
        original = pieces
    }

    mutating func append(_ piece: ByteBuffer?) {
        precondition(!canRewind, "only a streamed body grows")
        if let piece { pieces.append(piece) } else { isComplete = true }
    }

    /// Copies what fits. A streamed piece is dropped once it has gone out.
    mutating func read(into target: UnsafeMutableRawBufferPointer) -> Chunk {
        while index < pieces.count {
            let count = min(pieces[index].readableBytes, target.count)
            if count == 0 {
                leavePiece()
                continue
            }
            pieces[index].readWithUnsafeReadableBytes { bytes in
                target.copyBytes(from: bytes[..<count])
                return count
            }
            return .bytes(count)
        }
        if !canRewind {
            pieces.removeAll(keepingCapacity: true)
            index = 0
        }
        return isComplete ? .end : .waitForMore
    }

    /// On to the next piece. A streamed one frees its memory even while more pieces keep coming.
    private mutating func leavePiece() {
        if !canRewind { pieces[index] = ByteBuffer() }
        index += 1
        guard !canRewind, index >= 64, index > pieces.count / 2 else { return }
        pieces.removeFirst(index)
        index = 0
    }

    /// Memory of the pieces that are still here.
    var heldBytes: Int { pieces.reduce(0) { $0 + $1.capacity } }

    /// Back to the first byte, for sending the request again. False for a streamed body: its bytes are gone.
    mutating func rewind() -> Bool {
        guard canRewind else { return false }
        pieces = original
        index = 0
        return true
    }
}
