import Base
import NIOCore
import Testing

@testable import Simulator

@Suite("Embeddings")
struct EmbeddingAnswersTests {
    private let desk = Desk()

    private func vectors(_ input: String, _ more: String = ",\"dimensions\":8") throws -> [JSONTree] {
        let reply = try desk.post("/v1/embeddings", "{\"model\":\"text-embedding-3-small\",\"input\":\(input)\(more)}")
        #expect(reply.status == 200)
        return try reply.json()["data"].items
    }

    private func numbers(_ tree: JSONTree) -> [Float] {
        tree["embedding"].items.map { if case .number(let value) = $0 { Float(value) } else { .nan } }
    }

    @Test("every form of input, one vector each, in order")
    func inputs() throws {
        for (input, count) in [("\"a\"", 1), ("[\"a\",\"b\"]", 2), ("[1,2,3]", 1), ("[[1,2],[3],[4]]", 3)] {
            let items = try vectors(input)
            #expect(items.count == count)
            #expect(items.map { $0["index"].integer } == Array(0..<count).map { $0 })
        }
    }

    @Test("vectors have length one and depend on what is said, not on how or in which batch")
    func vectors() throws {
        let alone = numbers(try vectors("\"caf\\u00e9\"")[0])
        let together = numbers(try vectors("[\"x\",\"café\"]")[1])
        #expect(alone == together && alone.count == 8)
        #expect(abs(alone.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
        #expect(numbers(try vectors("\"cafe\"")[0]) != alone)
        #expect(numbers(try vectors("[1, 2]")[0]) == numbers(try vectors("[[1,2]]")[0]))
        #expect(numbers(try vectors("\"a\"", "")[0]).count == 1_536)
    }

    @Test("base64 holds the same values as little-endian float32")
    func base64Encoding() throws {
        let plain = numbers(try vectors("\"a\"", ",\"dimensions\":5")[0])
        let text = try vectors("\"a\"", ",\"dimensions\":5,\"encoding_format\":\"base64\"")[0]["embedding"].string
        var bytes = ByteBuffer()
        for value in plain { bytes.writeInteger(value.bitPattern, endianness: .little) }
        #expect(text == base64(Array(bytes.readableBytesView)))
    }

    @Test("usage counts every input, tokens one by one")
    func usage() throws {
        let reply = try desk.post("/v1/embeddings", "{\"model\":\"m\",\"input\":[[1,2],[3]],\"dimensions\":2}")
        #expect(try reply.json()["usage"]["prompt_tokens"].integer == 3)
    }

    @Test("inputs that no provider takes are refused", arguments: ["[]", "5", "[true]", "{}"])
    func refusals(input: String) throws {
        let reply = try desk.post("/v1/embeddings", "{\"model\":\"m\",\"input\":\(input)}")
        #expect(reply.status == 400)
        #expect(try reply.json()["error"]["param"].string == "input")
    }
}
