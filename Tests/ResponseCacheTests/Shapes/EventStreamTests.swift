import Testing

@testable import ResponseCache

@Suite("recorded event streams")
struct EventStreamTests {
    private func data(_ text: String) throws -> [String?] {
        try EventStream(Array(text.utf8)).events.map { $0.data.map { String(decoding: $0, as: UTF8.self) } }
    }

    @Test("lines end with LF, CR or CRLF, mixed too", arguments: ["\n", "\r", "\r\n"])
    func lineEnds(end: String) throws {
        let text = ": hello\(end)\(end)event: a\(end)data: 1\(end)\(end)data:2\(end)id: 7\(end)data: 3\(end)\(end)"
        #expect(try data(text) == [nil, "1", "2\n3"])
        #expect(try data("data: 1\r\n\r\ndata: 2\n\ndata: 3\r\r") == ["1", "2", "3"])
    }

    @Test("a mark in front, empty data, and fields that only look like data")
    func oddities() throws {
        #expect(try data("\u{FEFF}data: 1\n\ndata\n\ndatabase: 2\n\ndata:  3\n\n") == ["1", "", nil, " 3"])
    }

    @Test("each event's range covers its empty line, and all of them cover the text")
    func ranges() throws {
        let stream = try EventStream(Array(": a\n\ndata: 1\r\n\r\n\n\ndata: 2\n\n".utf8))
        #expect(stream.events.map(\.range.lowerBound) == [0] + stream.events.dropLast().map(\.range.upperBound))
        #expect(stream.events.last?.range.upperBound == stream.bytes.count)
    }

    @Test("a last event without its empty line is cut, except [DONE]")
    func cut() throws {
        #expect(try EventStream(Array("data: {}\n\ndata: {}\n".utf8)).isCut)
        #expect(try !EventStream(Array("data: {}\n\ndata: [DONE]".utf8)).isCut)
        #expect(try !EventStream(Array("data: {}\n\n: bye\n".utf8)).isCut)
    }

    @Test("pieces never split an escape, a pair of surrogates or a character")
    func pieces() throws {
        let content = #"ab\\\"\u00e9\ud83d\ude00é東🙂\ud83d\n"#
        let text = Array(String(repeating: content, count: 9).utf8)
        for size in 12...40 {
            let pieces = EventWriter.pieces(text[...], bytesMax: size).compactMap(\.content)
            #expect(pieces.joined().elementsEqual(text))
            for piece in pieces {
                #expect(piece.count <= size && String(validating: piece, as: UTF8.self) != nil)
                let whole = Array("{\"a\":\"\(String(decoding: piece, as: UTF8.self))\"}".utf8)
                #expect(JSONTree(object: whole[...]) != nil)
                #expect(!piece.starts(with: Array(#"\ude00"#.utf8)))
            }
        }
        #expect(EventWriter.pieces([]).isEmpty)
    }
}
