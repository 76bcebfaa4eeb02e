import Base
import Ledger
import NIOCore
import Testing

@testable import Gateway

@Suite("passing a stream on")
struct StreamRelayTests {
    private static let content = #"data: {"choices":[{"delta":{"content":"é"},"finish_reason":null}]}"# + "\n\n"
    private static let last = #"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"# + "\n\n"
    private static let usage = #"data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"# + "\n\n"
    private static let done = "data: [DONE]\n\n"
    private static let error = #"data: {"error":{"message":"busy","code":429}}"# + "\n\n"

    /// What leaves; nil when the stream's first event was an error.
    private func pass(
        _ chunks: [ByteBuffer], strips: Bool = false, ends: Bool = true
    ) -> (text: String?, relay: StreamRelay) {
        var relay = StreamRelay(.chatCompletions, stripsUsage: strips)
        var text = ""
        func take(_ output: StreamRelay.Output) -> Bool {
            guard case .pieces(let pieces) = output else { return false }
            text += joined(pieces)
            return true
        }
        for chunk in chunks where !take(relay.receive(chunk)) { return (nil, relay) }
        if ends && !take(relay.finish()) { return (nil, relay) }
        return (text, relay)
    }

    @Test("any chunking gives the same bytes, the usage and the end", arguments: ["\n", "\r\n", "\r"])
    func anyChunking(_ lineEnd: String) {
        var random = SeededRandom(seed: testSeed())
        let whole = (": hi\n\n" + Self.content + "event: x\n" + Self.content + Self.last + Self.usage + Self.done)
            .replacing("\n", with: lineEnd)
        for _ in 0..<200 {
            let (text, relay) = pass(cut(whole, &random))
            #expect(text == whole)
            #expect(relay.inspector.isComplete && relay.inspector.contentEvents == 3)
            #expect(relay.inspector.reader.usage?.input == 3)
        }
        #expect(pass(whole.utf8.map { ByteBuffer(bytes: [$0]) }).text == whole)
        #expect(pass([buffer(whole)]).text == whole)
    }

    @Test("only when it strips is the usage chunk left out, and nothing but it", arguments: ["\n", "\r\n", "\r"])
    func strips(_ lineEnd: String) {
        var random = SeededRandom(seed: testSeed())
        func ended(_ text: String) -> String { text.replacing("\n", with: lineEnd) }
        let whole = ended(Self.content + Self.last + Self.usage + Self.done)
        let expected = ended(Self.content + Self.last + Self.done)
        #expect(pass([buffer(whole)], strips: true).text == expected)
        #expect(pass([buffer(whole)], strips: false).text == whole)
        for _ in 0..<200 {
            let (text, relay) = pass(cut(whole, &random), strips: true)
            // A CRLF torn after the chunk leaves its LF behind: an empty line between events, which says nothing.
            let torn = ended(Self.content + Self.last) + "\n" + ended(Self.done)
            #expect(text == expected || (lineEnd == "\r\n" && text == torn))
            #expect(relay.inspector.reader.usage?.output == 2)
        }
    }

    @Test("a usage chunk without its empty line at the end is left out too")
    func stripsLast() {
        let whole = Self.content + Self.last + String(Self.usage.dropLast(2))
        #expect(pass([buffer(whole)], strips: true).text == Self.content + Self.last)
        #expect(pass([buffer(whole)]).text == whole)
    }

    @Test("a first event that is an error is held, however it comes")
    func firstError() {
        var random = SeededRandom(seed: testSeed())
        for _ in 0..<50 { #expect(pass(cut(Self.error + Self.done, &random)).text == nil) }
        #expect(pass([buffer(String(Self.error.dropLast(2)))]).text == nil)
        let (_, relay) = pass([buffer(Self.error)])
        #expect(relay.inspector.errorEvent.map(StreamError.status) == 429)
        #expect(!relay.isAtBoundary || relay.inspector.contentEvents == 0)
    }

    @Test("an error after content passes as it came")
    func laterError() {
        #expect(pass([buffer(Self.content), buffer(Self.error)]).text == Self.content + Self.error)
        #expect(pass([buffer(Self.content + Self.error)]).text == Self.content + Self.error)
        let (text, relay) = pass([buffer(Self.content + Self.error + Self.done)])
        #expect(text == Self.content + Self.error + Self.done)
        #expect(relay.inspector.errorEvent != nil)
    }

    @Test("of a stream that breaks off, whole events leave and a torn one does not")
    func tornEvent() {
        let whole = Self.content + Self.content
        for length in 0..<Self.content.utf8.count {
            let bytes = Array(whole.utf8).prefix(Self.content.utf8.count + length)
            let (text, relay) = pass([ByteBuffer(bytes: bytes)], ends: false)
            #expect(text == Self.content)
            #expect(relay.isAtBoundary && !relay.inspector.isComplete)
        }
        let (text, relay) = pass([buffer(String(Self.content.dropLast()))], ends: false)
        #expect(text == "")
        #expect(!relay.isAtBoundary)
    }

    @Test("an event beyond the limit passes unread; nothing of ours may follow it")
    func hugeEvent() {
        let piece = ByteBuffer(repeating: UInt8(ascii: "x"), count: 4 << 20)
        let head = buffer(Self.content + "data: ")
        let chunks = [head] + Array(repeating: piece, count: 5) + [buffer("\n\n" + Self.done)]
        let (text, relay) = pass(chunks)
        #expect(text?.utf8.count == chunks.reduce(0) { $0 + $1.readableBytes })
        #expect(relay.isBlind && !relay.isAtBoundary)
    }

    @Test("an empty stream passes nothing")
    func empty() { #expect(pass([]).text == "") }
}
