/// A recorded stream of server-sent events, cut up (WHATWG HTML, 9.2.6): lines end with LF, CR or CRLF, an event with
/// an empty line, comments are skipped. O(n).
struct EventStream {
    typealias Bytes = ArraySlice<UInt8>

    struct Event {
        /// From its first byte to its empty line, that included.
        var range: Range<Int>
        /// All `data` lines joined by LF; nil when there is none.
        var data: Bytes?

        var isDone: Bool { data?.holds("[DONE]") ?? false }
    }

    let bytes: [UInt8]
    private(set) var events: [Event] = []
    /// The last event has data but no empty line: it was cut off, except when it is a `[DONE]`.
    private(set) var isCut = false

    init(_ bytes: [UInt8]) throws(ShapeFailure) {
        self.bytes = bytes
        var start = 0
        var position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var data: [Bytes] = []
        while position < bytes.count {
            let line = position
            let end = bytes[line...].firstIndex { $0 == 0x0A || $0 == 0x0D } ?? bytes.count
            position = min(end + 1, bytes.count)
            if end < bytes.count, bytes[end] == 0x0D, position < bytes.count, bytes[position] == 0x0A { position += 1 }
            if end > line {
                if let value = Self.dataValue(bytes[line..<end]) { data.append(value) }
            } else {
                try close(&data, start..<position)
                start = position
            }
        }
        if start < bytes.count {
            isCut = !data.isEmpty
            try close(&data, start..<bytes.count)
            if events.last?.isDone == true { isCut = false }
        }
    }

    private mutating func close(_ data: inout [Bytes], _ range: Range<Int>) throws(ShapeFailure) {
        guard events.count < ShapeLimits.eventsMax else { throw .tooLarge }
        events.append(Event(range: range, data: data.count > 1 ? Bytes(data.joined(separator: [0x0A])) : data.first))
        data.removeAll(keepingCapacity: true)
    }

    /// `data: VALUE` -> VALUE; nil for any other line.
    private static func dataValue(_ line: Bytes) -> Bytes? {
        guard line.prefix(4).holds("data") else { return nil }
        let rest = line.dropFirst(4)
        if rest.isEmpty { return rest }
        guard rest.first == UInt8(ascii: ":") else { return nil }
        return rest.dropFirst(rest.dropFirst().first == 0x20 ? 2 : 1)
    }

    /// Hands over each event's object, up to `[DONE]`; throws for one that is an error or no object. True when `[DONE]`
    /// was there.
    func forEachObject(_ body: (JSONTree) throws(ShapeFailure) -> Void) throws(ShapeFailure) -> Bool {
        guard !isCut else { throw .unfinished }
        for event in events {
            guard let data = event.data else { continue }
            if event.isDone { return true }
            guard let object = JSONTree(object: data) else { throw .notJSON }
            if let error = object["error"], !error.isNull { throw .providerError }
            try body(object)
        }
        return false
    }
}

/// Writes events, one data line each.
struct EventWriter {
    private(set) var bytes: [UInt8] = []

    mutating func event(_ object: JSONTree, name: StaticString? = nil) {
        if let name { bytes += Array("event: \(name)\n".utf8) }
        bytes += Array("data: ".utf8)
        let start = bytes.count
        object.write(to: &bytes)
        // Only white space between values can be a line end: a document may be written over many lines.
        for index in start..<bytes.count where bytes[index] == 0x0A || bytes[index] == 0x0D { bytes[index] = 0x20 }
        bytes += [0x0A, 0x0A]
    }

    mutating func done() { bytes += Array("data: [DONE]\n\n".utf8) }

    /// A string's content in pieces for one event each, never cut inside an escape, a pair of surrogates or a
    /// character. None for an empty one.
    static func pieces(
        _ content: ArraySlice<UInt8>, bytesMax: Int = ShapeLimits.pieceBytesMax
    ) -> [JSONTree] {
        precondition(bytesMax >= 12, "the longest unit is a pair of escaped surrogates")
        var pieces: [JSONTree] = []
        var start = content.startIndex
        var end = start
        while end < content.endIndex {
            let next = min(end + unitLength(content[end...]), content.endIndex)
            if next - start > bytesMax {
                pieces.append(.text(Array(content[start..<end])))
                start = end
            }
            end = next
        }
        if start < end { pieces.append(.text(Array(content[start..<end]))) }
        return pieces
    }

    private static func unitLength(_ rest: ArraySlice<UInt8>) -> Int {
        let first = rest[rest.startIndex]
        guard first == UInt8(ascii: "\\") else { return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4 }
        let escape = rest.prefix(4).map { $0 | 0x20 }
        guard escape.count > 1, escape[1] == UInt8(ascii: "u") else { return 2 }
        guard escape.count == 4, escape[2] == UInt8(ascii: "d"), "89ab".utf8.contains(escape[3]) else { return 6 }
        return rest.dropFirst(6).first == UInt8(ascii: "\\") ? 12 : 6
    }
}
