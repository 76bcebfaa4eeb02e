import Base
import NIOCore
import Testing

@testable import Upstream

struct OutgoingBodyTests {
    /// Reads in chunks of these sizes, in turn, until the body has nothing more to give now.
    private func read(_ body: inout OutgoingBody, chunks: [Int]) -> (bytes: [UInt8], hasEnded: Bool) {
        var all: [UInt8] = []
        for turn in 0..<100_000 {
            var chunk = [UInt8](repeating: 0, count: chunks[turn % chunks.count])
            switch chunk.withUnsafeMutableBytes({ body.read(into: $0) }) {
            case .bytes(let count): all += chunk[..<count]
            case .waitForMore: return (all, false)
            case .end: return (all, true)
            }
        }
        Issue.record("the body does not end")
        return (all, false)
    }

    private let pieces = [[1, 2, 3], [], [4], Array(5...250)].map { ByteBuffer(bytes: $0 as [UInt8]) }

    @Test("In chunks of any size the same bytes come", arguments: [[1], [2], [3, 1, 7], [249], [250], [4_096]])
    func chunks(_ sizes: [Int]) {
        var body = OutgoingBody(.buffers(pieces))
        #expect(body.length == 250)
        for _ in 0..<2 {
            let (bytes, hasEnded) = read(&body, chunks: sizes)
            let canRepeat = body.rewind()
            #expect(bytes == Array(1...250) && hasEnded && canRepeat)
        }
    }

    @Test("It goes back to the beginning from the middle too")
    func rewindInTheMiddle() {
        var body = OutgoingBody(.buffers(pieces))
        var chunk = [UInt8](repeating: 0, count: 100)
        for _ in 0..<4 { _ = chunk.withUnsafeMutableBytes { body.read(into: $0) } }
        let canRepeat = body.rewind()
        let again = read(&body, chunks: [16]).bytes
        #expect(canRepeat && again == Array(1...250))
    }

    @Test("No body ends at once; an empty one too")
    func empty() {
        for kind in [UpstreamBody.none, .buffers([]), .buffers([ByteBuffer()])] {
            var body = OutgoingBody(kind)
            #expect(body.length == 0)
            let (bytes, hasEnded) = read(&body, chunks: [10])
            let canRepeat = body.rewind()
            #expect(bytes.isEmpty && hasEnded && canRepeat)
        }
    }

    @Test("A streamed body waits for its next piece, ends when told, and cannot be sent again")
    func stream() {
        var body = OutgoingBody(.stream(length: nil))
        #expect(body.length == nil)
        let nothing = read(&body, chunks: [3])
        #expect(nothing.bytes.isEmpty && !nothing.hasEnded)
        body.append(ByteBuffer(string: "hello"))
        body.append(ByteBuffer())
        body.append(ByteBuffer(string: " world"))
        let (bytes, hasEnded) = read(&body, chunks: [3])
        #expect(String(decoding: bytes, as: UTF8.self) == "hello world" && !hasEnded)
        body.append(ByteBuffer(string: "!"))
        body.append(nil)
        let rest = read(&body, chunks: [3])
        #expect(rest.bytes == [0x21] && rest.hasEnded)
        let canRepeat = body.rewind()
        #expect(!canRepeat)
        #expect(OutgoingBody(.stream(length: 7)).length == 7)
    }

    @Test("A streamed piece that has gone out is no longer in memory, even when the body never catches up")
    func forgetsWhatIsSent() {
        var body = OutgoingBody(.stream(length: nil))
        var (sent, received) = ([UInt8](), [UInt8]())
        var chunk = [UInt8](repeating: 0, count: 100)
        for number in 0..<5_000 {
            let piece = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 100)
            sent += piece
            body.append(ByteBuffer(bytes: piece))
            // Always two pieces behind: it is never read dry.
            guard number >= 2, case .bytes(let count) = chunk.withUnsafeMutableBytes({ body.read(into: $0) }) else {
                continue
            }
            received += chunk[..<count]
            #expect(body.heldBytes <= 400)
        }
        received += read(&body, chunks: [64]).bytes
        #expect(received == sent)
    }
}
