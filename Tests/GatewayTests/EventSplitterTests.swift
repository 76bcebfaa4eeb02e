import Base
import Ledger
import Testing

@testable import Gateway

@Suite("ends of server-sent events")
struct EventSplitterTests {
    /// The events of the pieces as the splitter cuts them, and what is left after the last.
    private func split(_ pieces: [ArraySlice<UInt8>]) -> (events: [[UInt8]], rest: [UInt8]) {
        var splitter = EventSplitter()
        var events: [[UInt8]] = []
        var event: [UInt8] = []
        for piece in pieces {
            Array(piece).withUnsafeBytes { bytes in
                var start = 0
                while let end = splitter.endOfEvent(in: bytes, from: start) {
                    event += bytes[start..<end]
                    events.append(event)
                    event = []
                    start = end
                }
                event += bytes[start...]
            }
        }
        return (events, event)
    }

    /// Its lines, whatever they end with. The LF of a CRLF that was torn stands before the next event and is no line.
    private func lines(_ event: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        for byte in event {
            if byte == 0x0A || byte == 0x0D {
                if !line.isEmpty { lines.append(line) }
                line = []
            } else {
                line.append(byte)
            }
        }
        return lines + (line.isEmpty ? [] : [line])
    }

    /// The definition itself: lines end with CRLF, LF or CR, an empty line ends the event.
    private func linesOfEvents(_ text: [UInt8]) -> [[[UInt8]]] {
        var events: [[[UInt8]]] = []
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        var index = 0
        while index < text.count {
            let byte = text[index]
            index += 1
            guard byte == 0x0A || byte == 0x0D else { line.append(byte); continue }
            if byte == 0x0D, index < text.count, text[index] == 0x0A { index += 1 }
            if line.isEmpty {
                events.append(lines)
                lines = []
            } else {
                lines.append(line)
            }
            line = []
        }
        return events
    }

    private func texts(length: Int) -> [[UInt8]] {
        (0..<length).reduce([[]]) { texts, _ in texts.flatMap { text in [0x61, 0x0A, 0x0D].map { text + [$0] } } }
    }

    @Test("any split of any text of up to seven bytes gives the events of the whole", arguments: 0...7)
    func anySplit(_ length: Int) {
        var failures = 0
        for text in texts(length: length) {
            let expected = linesOfEvents(text)
            for cuts in 0..<(1 << max(0, length - 1)) {
                var pieces: [ArraySlice<UInt8>] = []
                var start = 0
                for end in 1..<max(1, length) where cuts & (1 << (end - 1)) != 0 {
                    pieces.append(text[start..<end])
                    start = end
                }
                pieces.append(text[start...])
                let (events, rest) = split(pieces)
                if events.map(lines) != expected || events.flatMap(\.self) + rest != text { failures += 1 }
            }
        }
        #expect(failures == 0)
    }

    @Test(
        "each kind of line end ends an event, and the CRLF stays with it",
        arguments: ["\n", "\r", "\r\n"])
    func lineEnds(_ end: String) {
        let text = "data: a\(end)id: 1\(end)\(end)data: b\(end)\(end)data: c"
        let (events, rest) = split([Array(text.utf8)[...]])
        let found = events.map { String(decoding: $0, as: UTF8.self) }
        #expect(found == ["data: a\(end)id: 1\(end)\(end)", "data: b\(end)\(end)"])
        #expect(String(decoding: rest, as: UTF8.self) == "data: c")
    }

    @Test(
        "the data of an event",
        arguments: [
            ("data: a\n\n", "a"), ("data:a\n\n", "a"), ("data:  a\r\n\r\n", " a"), ("event: x\rdata: a\r\r", "a"),
            ("data: a\ndata: b\n\n", "a\nb"), ("data: a\nid: 1\ndata:b\n\n", "a\nb"), ("data\n\n", ""),
            ("data:\n\n", ""), ("data: \ndata: x\n\n", "\nx"), ("\ndata: a\n\n", "a"), ("data: a", "a"),
            (": c\n\n", nil), ("event: x\n\n", nil), ("\n", nil), ("", nil), ("database: a\n\n", nil),
            ("Data: a\n\n", nil),
            (" data: a\n\n", nil), ("dat\n\n", nil),
        ])
    func data(_ event: String, _ expected: String?) {
        let found = withBytes(event) { EventFields.withData($0) { String(decoding: $0, as: UTF8.self) } }
        #expect(found == expected)
    }
}
