import Base
import NIOCore

/// How an answer ends once its last byte is written.
enum Ending: Equatable {
    case keepAlive
    /// FIN.
    case close
    /// RST.
    case reset
    /// Nothing more, for ever.
    case stall
}

/// One answer as it goes over the connection: its bytes, their times and their end.
struct Transfer {
    /// An answer up to this size that waits for nothing is written at once.
    private static let immediateBytesMax = 64 << 10

    /// Empty when the answer never begins.
    private(set) var head = ByteBuffer()
    private(set) var body: EventScript
    private(set) var framing: Framing
    /// What follows the body: the last chunk, or what the request asked for instead.
    private(set) var tail = ByteBuffer()
    private(set) var ending: Ending = .keepAlive
    private(set) var latency: Duration
    private(set) var firstToken: Duration
    /// Between two steps.
    private(set) var interval: Duration
    private(set) var dripsHead: Bool
    /// Every step is a write of its own.
    private(set) var separatesSteps: Bool

    init(
        _ answer: Answer, _ behaviour: Behaviour, _ options: SimulatorOptions, _ connection: ConnectionTerms,
        _ writer: HeadWriter
    ) {
        let isStream = answer.type == .events
        body = answer.body
        latency = behaviour.latency ?? options.latency
        firstToken = isStream ? behaviour.firstToken ?? options.firstToken : .zero
        let pace = isStream ? behaviour.tokensPerSecond ?? options.tokensPerSecond : 0
        interval = pace > 0 ? .nanoseconds(Int64(1e9 / pace)) : .zero
        dripsHead = behaviour.drip
        separatesSteps = behaviour.split
        let isChunked = isStream || behaviour.badChunk
        framing = !isChunked ? .length : connection.chunks ? .chunked : .untilClose
        let compresses = writer.compresses
        if compresses { body.compress() }
        let size = body.bytes.writerIndex
        head.reserveCapacity(512 + (isStream ? 0 : size))
        let announced = size + (behaviour.truncate ? 64 : 0)
        writer.write(framing, length: announced, compressed: compresses, to: &head)
        if framing == .chunked { tail.put("0\r\n\r\n") }
        if !connection.keepAlive || framing == .untilClose || behaviour.closeIdle { ending = .close }
        spoil(behaviour, isStream: isStream)
    }

    /// An answer of the simulator itself, about its calls.
    init(control json: ByteBuffer, status: Int, _ connection: ConnectionTerms) {
        body = EventScript(whole: json)
        (framing, latency, firstToken, interval) = (.length, .zero, .zero, .zero)
        (dripsHead, separatesSteps) = (false, false)
        ending = connection.keepAlive ? .keepAlive : .close
        head.put("HTTP/1.1 \(status) \(status == 200 ? "OK" : "Not Found")\r\ncontent-type: application/json\r\n")
        head.put("content-length: \(json.readableBytes)\r\n")
        if !connection.keepAlive { head.put("connection: close\r\n") }
        head.put("\r\n")
    }

    private mutating func spoil(_ behaviour: Behaviour, isStream: Bool) {
        if behaviour.extra { tail.put("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nextra\n") }
        if behaviour.truncate {
            if framing == .chunked { tail = ByteBuffer(string: "40\r\ndata: {\"cut") }
            ending = .close
        }
        if behaviour.badChunk {
            tail = ByteBuffer(string: "zz\r\nno chunk\r\n")
            ending = .close
        }
        if behaviour.split {
            body.cutIntoBytes()
            interval = TokenStream.byteInterval
        }
        if let limit = behaviour.close { cut(to: limit, .close) }
        if let limit = behaviour.reset {
            cut(to: limit, .reset)
            if limit == 0 { head.clear() }
        }
        if behaviour.stall != nil, isStream { cut(to: .max, .stall) }
        if behaviour.hang {
            head.clear()
            cut(to: 0, .stall)
        }
    }

    private mutating func cut(to limit: Int, _ ending: Ending) {
        body.cut(toBytes: limit)
        tail.clear()
        self.ending = ending
    }

    /// Nothing is waited for: the whole answer is one write.
    var isImmediate: Bool {
        latency == .zero && firstToken == .zero && interval == .zero && !dripsHead && !separatesSteps
            && (ending == .keepAlive || ending == .close) && body.bytes.writerIndex <= Self.immediateBytesMax
    }

    /// The whole answer, for one write.
    consuming func wholeWire() -> ByteBuffer {
        body.stamp(before: .max, nanoseconds: MonotonicInstant.now().nanoseconds)
        var wire = head
        head = ByteBuffer()
        addFrames(0..<body.frameEnds.count, to: &wire)
        wire.writeImmutableBuffer(tail)
        return wire
    }

    /// Writes frames as the framing wants them.
    func addFrames(_ frames: Range<Int>, to wire: inout ByteBuffer) {
        var start = frames.lowerBound == 0 ? 0 : body.frameEnds[frames.lowerBound - 1]
        for end in body.frameEnds[frames] where end > start {
            if framing == .chunked {
                wire.putHexadecimal(end - start)
                wire.put("\r\n")
            }
            if let bytes = body.bytes.viewBytes(at: start, length: end - start) { wire.writeBytes(bytes) }
            if framing == .chunked { wire.put("\r\n") }
            start = end
        }
    }

    /// Stamps what leaves now.
    mutating func stamp(frames: Int, now: MonotonicInstant) {
        guard frames > 0 else { return }
        body.stamp(before: body.frameEnds[frames - 1], nanoseconds: now.nanoseconds)
    }
}
