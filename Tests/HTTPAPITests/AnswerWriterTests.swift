import Base
import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPAPI

struct AnswerWriterTests {
    private func write(
        _ status: Int = 200, _ headers: [(name: String, value: String)] = [], version: HTTPVersion = .http1_1,
        isHead: Bool = false, keepsAlive: Bool = true, pieces: [String] = ["ab", "", "cde"]
    ) -> String {
        var writer = AnswerWriter()
        writer.begin(
            status: status, version: version, headers: HeaderLines(headers), isHead: isHead, keepsAlive: keepsAlive)
        for piece in pieces { writer.body(ByteBuffer(string: piece)) }
        writer.end()
        let bytes = writer.take()
        #expect(writer.isEmpty && bytes.count == 1)
        return bytes.map { String(buffer: $0) }.joined()
    }

    @Test("a body of unknown length is chunked, and an empty piece does not end it")
    func chunked() {
        #expect(
            write(200, [("A", "1")])
                == "HTTP/1.1 200 OK\r\nA: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n")
    }

    @Test("a body of known length goes out as it is")
    func known() {
        #expect(
            write(404, [("content-length", "5")])
                == "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nabcde")
    }

    @Test("HEAD, 204 and 304 have no body whatever was given", arguments: [(200, true), (204, false), (304, false)])
    func bodiless(_ status: Int, _ isHead: Bool) {
        #expect(write(status, isHead: isHead).hasSuffix("\r\n\r\n"))
        #expect(!write(status, isHead: isHead).contains("chunked"))
    }

    @Test("an HTTP/1.0 client gets the end of the connection as the end of the body, or the length and a kept one")
    func old() {
        #expect(write(version: .http1_0) == "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nabcde")
        #expect(
            write(200, [("Content-Length", "5")], version: .http1_0)
                == "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nabcde")
    }

    @Test("the last answer of a connection says so")
    func last() {
        #expect(write(keepsAlive: false, pieces: []).contains("\r\nConnection: close\r\n"))
    }

    @Test("large pieces pass as they are, in their order")
    func large() {
        var writer = AnswerWriter()
        writer.begin(
            status: 200, version: .http1_1, headers: HeaderLines([("Content-Length", "20001")]), isHead: false,
            keepsAlive: true)
        let large = ByteBuffer(repeating: 0x61, count: 20_000)
        writer.body(large)
        writer.body(ByteBuffer(string: "z"))
        let pieces = writer.take()
        #expect(pieces.count == 3 && pieces[1] == large && String(buffer: pieces[2]) == "z")
    }
}
