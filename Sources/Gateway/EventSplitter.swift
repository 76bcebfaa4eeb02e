/// Finds the ends of server-sent events in bytes that come in pieces (WHATWG HTML, "Server-sent events", 9.2.6).
/// Lines end with LF, CR or CRLF, an event with an empty line; pieces may be cut anywhere. A pure state machine of
/// two bits that looks at each byte once.
struct EventSplitter {
    private var isLineEmpty = true
    private var lastWasCarriageReturn = false

    /// Looks at `bytes[start...]`. The offset just past the first event that ends there, or nil when all bytes have
    /// been looked at.
    mutating func endOfEvent(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        for index in start..<bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\n") {
                if lastWasCarriageReturn {
                    lastWasCarriageReturn = false
                } else if isLineEmpty {
                    return index + 1
                } else {
                    isLineEmpty = true
                }
            } else if byte == UInt8(ascii: "\r") {
                lastWasCarriageReturn = true
                guard isLineEmpty else {
                    isLineEmpty = true
                    continue
                }
                // The LF that may follow belongs to this event when it is already here.
                guard index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "\n") else { return index + 1 }
                lastWasCarriageReturn = false
                return index + 2
            } else {
                isLineEmpty = false
                lastWasCarriageReturn = false
            }
        }
        return nil
    }
}

/// The fields of one event that matter here.
enum EventFields {
    /// The values of all `data` lines joined by LF; nil when the event has none (a comment, a lone `event:`).
    static func data(_ event: UnsafeRawBufferPointer) -> ArraySlice<UInt8>? {
        var data: [UInt8]?
        for line in event.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            guard line.count >= 5, line.prefix(4).elementsEqual("data".utf8), line[line.startIndex + 4] == 0x3A else {
                continue
            }
            var value = line.dropFirst(5)
            if value.first == 0x20 { value = value.dropFirst() }
            if data == nil { data = Array(value) } else { data?.append(0x0A); data?.append(contentsOf: value) }
        }
        return data.map { $0[...] }
    }
}
