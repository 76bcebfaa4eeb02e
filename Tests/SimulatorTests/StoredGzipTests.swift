import Base
import NIOCore
import NIOHTTP1
import Testing

@testable import Simulator

@Suite("Compression")
struct StoredGzipTests {
    private let desk = Desk()
    private static let plain = #"{"model":"m","messages":[{"role":"user","content":"q"}]}"#

    /// Undoes stored blocks and checks length; the checksum is returned.
    private func inflate(_ bytes: [UInt8]) throws -> (content: [UInt8], checksum: UInt32) {
        var buffer = ByteBuffer(bytes: bytes)
        let head = buffer.readBytes(length: 10)
        try #require(head?.prefix(3) == [0x1F, 0x8B, 8])
        var content: [UInt8] = []
        while let final = buffer.readInteger(as: UInt8.self) {
            let sizes = buffer.readMultipleIntegers(endianness: .little, as: (UInt16, UInt16).self)
            let (count, check) = try #require(sizes)
            try #require(count == ~check && final <= 1)
            let block = buffer.readBytes(length: Int(count))
            content += try #require(block)
            if final == 1 { break }
        }
        let ending = buffer.readMultipleIntegers(endianness: .little, as: (UInt32, UInt32).self)
        let (checksum, length) = try #require(ending)
        #expect(length == UInt32(content.count) && buffer.readableBytes == 0)
        return (content, checksum)
    }

    @Test("the format holds what was put in, in blocks of at most 65535 bytes, with the CRC of the standard")
    func format() throws {
        for content in [Array("123456789".utf8), [], [UInt8](repeating: 7, count: 200_000)] {
            var gzip = StoredGzip()
            var output = ByteBuffer()
            gzip.begin(&output)
            gzip.add(ByteBuffer(bytes: content).readableBytesView, to: &output)
            gzip.finish(&output)
            let read = try inflate(Array(output.readableBytesView))
            #expect(read.content == content)
            if content.count == 9 { #expect(read.checksum == 0xCBF4_3926) }
        }
    }

    @Test("long plain answers are compressed for who asks, others only by force")
    func negotiation() throws {
        let reference = try desk.post("/v1/chat/completions", Self.plain)
        #expect(reference.header("content-encoding") == nil)
        let asked = try desk.post("/v1/chat/completions", Self.plain, ["Accept-Encoding": "br, gzip"])
        #expect(asked.header("content-encoding") == "gzip")
        #expect(asked.header("content-length") == String(asked.framedBody.count))
        #expect(try inflate(asked.framedBody).content == reference.framedBody)
        let forced = try desk.post("/v1/chat/completions", Self.plain, simulate: "gzip=force")
        #expect(forced.header("content-encoding") == "gzip")
        #expect(try desk.post("/v1/chat/completions", Self.plain, simulate: "gzip").header("content-encoding") == nil)
        let short = try desk.post("/v1/chat/completions", "{}", ["Accept-Encoding": "gzip"])
        #expect(short.header("content-encoding") == nil)
    }

    @Test("a stream is compressed frame by frame when it is asked for")
    func stream() throws {
        let body = String(Self.plain.dropLast() + ",\"stream\":true}")
        let whole = try desk.post("/v1/chat/completions", body)
        let reply = try desk.post(
            "/v1/chat/completions", body, ["Accept-Encoding": "gzip", "X-Simulate": "gzip"])
        #expect(try inflate(reply.bodyBytes).content == whole.bodyBytes)
        #expect(reply.chunks.all.count == whole.chunks.all.count)
        #expect(try desk.post("/v1/chat/completions", body, ["Accept-Encoding": "gzip"]).bodyBytes == whole.bodyBytes)
    }
}
