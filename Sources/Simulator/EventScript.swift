import NIOCore

/// The body of an answer, rendered whole and cut into what leaves together: frames (one event each) and steps (the
/// frames of one moment). Step 0 is what opens the answer; each token is a step; the last one closes it.
/// A plain answer is one frame in one step.
struct EventScript {
    /// How events are written; the plain style is LF, one data line, nothing else.
    struct Style {
        var crlf = false
        var comments = false
        var longLine: Int?
        var badUTF8 = false
        var malformed = false
        /// Tokens are stamped with the time at which they are sent.
        var stamped = false
    }

    private(set) var bytes = ByteBuffer()
    /// Where each frame ends in `bytes`.
    private(set) var frameEnds: [Int] = []
    /// How many frames have left when a step has.
    private(set) var stepEnds: [Int] = []
    /// Where stamps stand in `bytes`, ascending.
    private(set) var stamps: [Int] = []
    private var stamped = 0
    private let style: Style
    private var isOdd: Bool

    /// Room for a stamp: the highest count of nanoseconds has 20 digits.
    static let stampDigits = 20
    private static let blankStamp = [UInt8](repeating: UInt8(ascii: "0"), count: stampDigits)[...]

    init(style: Style) {
        self.style = style
        isOdd = style.longLine != nil || style.badUTF8 || style.malformed
        bytes.reserveCapacity(8 << 10)
    }

    /// A body that is no stream of events.
    init(whole body: ByteBuffer) {
        style = Style()
        isOdd = false
        bytes = body
        frameEnds = [bytes.writerIndex]
        stepEnds = [1]
        precondition(bytes.readerIndex == 0, "frames are counted from the buffer's first byte")
    }

    /// Adds one event whose data is what `json` writes.
    mutating func event(_ name: String? = nil, _ json: (inout ByteBuffer) -> Void) {
        let start = open(name)
        json(&bytes)
        close(start)
    }

    /// Adds one event that carries a token between two pieces of JSON.
    mutating func token(
        _ text: ArraySlice<UInt8>, event name: String? = nil, before: (inout ByteBuffer) -> Void,
        after: (inout ByteBuffer) -> Void
    ) {
        let odd = isOdd
        isOdd = false
        let start = open(name)
        before(&bytes)
        if style.stamped {
            stamps.append(bytes.writerIndex)
            bytes.writeBytes(Self.blankStamp)
        } else {
            bytes.writeBytes(text)
        }
        if odd, style.badUTF8 { bytes.writeBytes([0xF0, 0x9F]) }
        if odd, let length = style.longLine { fill(upTo: length, from: start, after) }
        after(&bytes)
        close(start)
        if odd, style.malformed { event(name) { $0.put("{\"malformed\": tru") } }
    }

    /// What was added since the last step leaves together. The first step may be empty: nothing opens the answer.
    mutating func endStep() { stepEnds.append(frameEnds.count) }

    /// The number of steps that carry tokens, once the script is complete.
    var tokenSteps: Int { max(0, stepEnds.count - 2) }

    private mutating func open(_ name: String?) -> Int {
        if style.comments { bytes.put(style.crlf ? ": keep-alive\r\n\r\n" : ": keep-alive\n\n") }
        if let name {
            bytes.put("event: ")
            bytes.put(name)
            endLine()
        }
        bytes.put("data: ")
        return bytes.writerIndex
    }

    private mutating func close(_ start: Int) {
        if style.comments { foldData(from: start) }
        endLine()
        endLine()
        frameEnds.append(bytes.writerIndex)
    }

    private mutating func endLine() { bytes.put(style.crlf ? "\r\n" : "\n") }

    /// Two data lines instead of one, parted after the first comma between members: the reader joins them with LF,
    /// which JSON takes as a space.
    private mutating func foldData(from start: Int) {
        let data = bytes.getBytes(at: start, length: bytes.writerIndex - start) ?? []
        var inString = false
        guard
            let comma = data.firstIndex(where: { byte in
                if byte == UInt8(ascii: "\"") { inString.toggle() }
                return byte == UInt8(ascii: ",") && !inString
            })
        else { return }
        bytes.moveWriterIndex(to: start + comma + 1)
        endLine()
        bytes.put("data: ")
        let shift = bytes.writerIndex - (start + comma + 1)
        bytes.writeBytes(data[(comma + 1)...])
        if let stamp = stamps.last, stamp > start { stamps[stamps.count - 1] = stamp + shift }
    }

    /// Lengthens the token so that its data line has exactly `length` bytes, when it is shorter.
    private mutating func fill(upTo length: Int, from start: Int, _ after: (inout ByteBuffer) -> Void) {
        var rest = ByteBuffer()
        after(&rest)
        let missing = length - (bytes.writerIndex - start + "data: ".utf8.count + rest.readableBytes)
        if missing > 0 { bytes.writeRepeatingByte(UInt8(ascii: "x"), count: missing) }
    }
}

extension EventScript {
    /// Keeps the opening and the first `count` tokens.
    mutating func cut(afterTokens count: Int) {
        guard count + 1 < stepEnds.count else { return }
        stepEnds.removeLast(stepEnds.count - count - 1)
        truncateFrames(to: stepEnds.last ?? 0)
    }

    /// Keeps the first `limit` bytes.
    mutating func cut(toBytes limit: Int) {
        guard limit < bytes.writerIndex else { return }
        let frames = frameEnds.prefix { $0 < limit }.count
        truncateFrames(to: frames)
        // What is left of the frame that the limit falls into becomes a frame of its own.
        bytes.moveWriterIndex(to: limit)
        frameEnds.append(limit)
        stepEnds.removeAll { $0 > frames }
        stepEnds.append(frames + 1)
    }

    /// Cuts the last blank line off.
    mutating func dropLastBlankLine() {
        guard let last = frameEnds.last else { return }
        let end = last - (style.crlf ? 2 : 1)
        bytes.moveWriterIndex(to: end)
        frameEnds[frameEnds.count - 1] = end
    }

    /// Every byte becomes a frame and a step.
    mutating func cutIntoBytes() {
        frameEnds = Array(1...max(1, bytes.writerIndex))
        stepEnds = frameEnds
    }

    /// The body compressed, frame by frame; stamps are lost, for a checksum covers them.
    mutating func compress() {
        var gzip = StoredGzip()
        var compressed = ByteBuffer()
        gzip.begin(&compressed)
        var ends: [Int] = []
        var start = 0
        for end in frameEnds {
            gzip.add(bytes.viewBytes(at: start, length: end - start), to: &compressed)
            start = end
            ends.append(compressed.writerIndex)
        }
        gzip.finish(&compressed)
        if ends.isEmpty { ends = [0]; stepEnds = [1] }
        ends[ends.count - 1] = compressed.writerIndex
        (bytes, frameEnds, stamps) = (compressed, ends, [])
    }

    /// Writes the time into the stamps that stand before `end` and have none yet.
    mutating func stamp(before end: Int, nanoseconds: UInt64) {
        while stamped < stamps.count, stamps[stamped] < end {
            let digits = Array(String(nanoseconds).utf8)
            bytes.setBytes(digits, at: stamps[stamped] + Self.stampDigits - digits.count)
            stamped += 1
        }
    }

    private mutating func truncateFrames(to count: Int) {
        frameEnds.removeLast(frameEnds.count - count)
        let end = frameEnds.last ?? 0
        bytes.moveWriterIndex(to: end)
        stamps.removeAll { $0 >= end }
    }
}
