import Base
import Testing

@testable import Benchmark

@Suite("reading an HTTP/1.1 answer from pieces of any size")
struct AnswerDecoderTests {
    private static let chunked = """
        HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n\
        5\r\nhello\r\n1;name=value\r\n,\r\nA \r\n wonderful\r\n00\r\nX-Trailer: 1\r\n\r\n
        """
    private static let measured = "HTTP/1.1 201 Created\r\nContent-Length: 7\r\nX-A: 1\r\nx-a:2\r\n\r\n{\"a\":1}"

    /// Feeds the pieces and returns the decoder, the body and what was left over.
    private func decode(
        _ pieces: [ArraySlice<UInt8>], toHead: Bool = false
    ) throws -> (decoder: AnswerDecoder, body: String, left: Int) {
        var decoder = AnswerDecoder(toHead: toHead)
        var body: [UInt8] = []
        var left = 0
        for piece in pieces {
            let used = try Array(piece).withUnsafeBytes { try decoder.feed($0, into: &body) }
            left += piece.count - used
        }
        return (decoder, String(decoding: body, as: UTF8.self), left)
    }

    @Test("a chunked answer split at every byte is the same answer", arguments: [chunked, measured])
    func splitAtEveryByte(_ text: String) throws {
        let bytes = Array(text.utf8)
        let whole = try decode([bytes[...]])
        #expect(whole.decoder.isComplete && whole.left == 0)
        for cut in 1..<bytes.count {
            let parts = try decode([bytes[..<cut], bytes[cut...]])
            #expect(parts.decoder.isComplete && parts.body == whole.body && parts.left == 0, "cut at \(cut)")
            #expect(parts.decoder.status == whole.decoder.status)
            let early = try decode([bytes[..<cut]])
            #expect(!early.decoder.isComplete, "complete too early at \(cut)")
        }
        let single = try decode(bytes.indices.map { bytes[$0...$0] })
        #expect(single.decoder.isComplete && single.body == whole.body)
    }

    @Test("the payload of chunks comes without sizes, extensions and trailers")
    func payload() throws {
        let answer = try decode([Array(Self.chunked.utf8)[...]])
        #expect(answer.body == "hello, wonderful")
        #expect(answer.decoder.headers["content-type"] == "text/plain")
        #expect(answer.decoder.keepsAlive)
    }

    @Test("headers keep their order, their spelling and their duplicates")
    func headers() throws {
        let decoder = try decode([Array(Self.measured.utf8)[...]]).decoder
        #expect(decoder.headers.fields.map(\.name) == ["Content-Length", "X-A", "x-a"])
        #expect(decoder.headers.fields.map(\.value) == ["7", "1", "2"])
    }

    @Test("bytes after the answer are not its own")
    func leftOver() throws {
        let answer = try decode([Array((Self.measured + "HTTP/1.1 200").utf8)[...]])
        #expect(answer.decoder.isComplete && answer.left == 12)
    }

    @Test("an interim answer is passed over")
    func interim() throws {
        let answer = try decode([Array(("HTTP/1.1 100 Continue\r\n\r\n" + Self.measured).utf8)[...]])
        #expect(answer.decoder.status == 201 && answer.body == "{\"a\":1}")
    }

    @Test("no body follows 204, 304 and the answer to HEAD")
    func bodiless() throws {
        for status in [204, 304] {
            #expect(try decode([Array("HTTP/1.1 \(status) None\r\n\r\n".utf8)[...]]).decoder.isComplete)
        }
        let head = try decode([Array("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n".utf8)[...]], toHead: true)
        #expect(head.decoder.isComplete)
    }

    @Test("an answer without a length ends with its connection, another is cut short by that")
    func endOfConnection() throws {
        var open = try decode([Array("HTTP/1.1 200 OK\r\n\r\nuntil the end".utf8)[...]]).decoder
        #expect(!open.isComplete)
        try open.close()
        #expect(open.isComplete && !open.keepsAlive)
        var short = try decode([Array(Self.measured.utf8).dropLast()]).decoder
        #expect(throws: PlainClientFailure.self) { try short.close() }
    }

    @Test(
        "what is not HTTP/1.1 is refused",
        arguments: [
            "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
        ])
    func refuses(_ text: String) {
        #expect(throws: PlainClientFailure.self) { try decode([Array(text.utf8)[...]]) }
    }
}
