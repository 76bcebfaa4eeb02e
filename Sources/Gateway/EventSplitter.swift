import Base

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
    /// Hands over the values of all `data` lines, joined by LF; nil when the event has none (a comment, a lone
    /// `event:`). One line, as nearly all events have, is read where it lies.
    static func withData<T>(_ event: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> T) -> T? {
        var first: Range<Int>?
        var joined: [UInt8]?
        var start = 0
        while start < event.count {
            var end = start
            while end < event.count, event[end] != 0x0A, event[end] != 0x0D { end += 1 }
            if let value = dataValue(event, start..<end) {
                if let known = first {
                    if joined == nil { joined = Array(event[known]) }
                    joined?.append(0x0A)
                    joined?.append(contentsOf: event[value])
                } else {
                    first = value
                }
            }
            start = end + 1
        }
        if let joined { return joined.withUnsafeBytes(body) }
        return first.map { body(UnsafeRawBufferPointer(rebasing: event[$0])) }
    }

    /// `data: VALUE` -> where the value is; nil for any other line.
    private static func dataValue(_ event: UnsafeRawBufferPointer, _ line: Range<Int>) -> Range<Int>? {
        guard line.count >= 4, event.holds("data", at: line.lowerBound..<(line.lowerBound + 4)) else { return nil }
        if line.count == 4 { return line.upperBound..<line.upperBound }
        guard event[line.lowerBound + 4] == UInt8(ascii: ":") else { return nil }
        let start = line.lowerBound + 5
        return start < line.upperBound && event[start] == 0x20 ? (start + 1)..<line.upperBound : start..<line.upperBound
    }
}
