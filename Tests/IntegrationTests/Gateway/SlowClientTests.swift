import Base
import Synchronization
import Testing

/// Item 17: a client that reads slowly, or not at all, holds back its provider and nobody else.
@Suite struct SlowClientTests {
    private static let events = 800
    private static let text = String(repeating: "x", count: 64 << 10)
    private static let event = "data: {\"choices\":[{\"delta\":{\"content\":\"\(text)\"}}]}\n\n"

    /// Streams 50 MiB to whoever asks to stream, answers others at once. `sent` counts events that the socket took.
    private func firehose(_ sent: Shared<Int>, cut: Gate) throws -> ScriptedProvider {
        try ScriptedProvider.start { connection in
            while let request = try connection.readRequest() {
                guard request.body.text.contains("stream") else {
                    try connection.send(plainAnswer(200, "{}"))
                    continue
                }
                try connection.send(streamHead)
                do {
                    for _ in 0..<Self.events {
                        try connection.send(chunk(Self.event))
                        sent.value.withLock { $0 += 1 }
                    }
                    try connection.send(chunk("data: [DONE]\n\n") + lastChunk)
                } catch {
                    if error as? Connection.End != .timedOut { cut.open() }
                    return
                }
            }
        }
    }

    /// Waits until the provider can send no more.
    private func waitUntilHeld(_ sent: Shared<Int>) -> Int {
        var (last, same) = (-1, 0)
        let held = eventually {
            let now = sent.now
            same = now == last && now > 0 ? same + 1 : 0
            last = now
            return same == 60
        }
        #expect(held)
        return last
    }

    @Test("item 17: while a client does not read, memory stays bounded, the provider waits, others go on")
    func slowReader() throws {
        let sent = Shared(0)
        let scripted = try firehose(sent, cut: Gate())
        let server = try WeirServer.start(scripted.settings())
        #expect(try server.client.post("/v1/chat/completions", Body.chat).status == 200)
        let before = server.residentBytes
        let connection = try Connection(port: server.port, receiveBuffer: 32 << 10)
        try connection.sendRequest(
            "POST", "/v1/chat/completions", headers: server.client.headers(),
            body: Array(Body.chatStreamWithUsage.utf8))
        #expect(try connection.readResponseHead().status == 200)
        let held = waitUntilHeld(sent)
        // What is under way lies in the kernel's socket buffers, at most some MiB each.
        #expect(held < Self.events / 2, "\(held) events of 64 KiB")
        #expect(server.residentBytes - before < 12 << 20, "\((server.residentBytes - before) >> 20) MiB more")
        for _ in 0..<5 { #expect(try server.client.post("/v1/chat/completions", Body.chat).status == 200) }
        var total = 0
        var tail: [UInt8] = []
        while let piece = try connection.readSome() {
            total += piece.count
            tail = (tail + piece).suffix(16)
        }
        #expect(total == Self.events * Self.event.utf8.count + "data: [DONE]\n\n".utf8.count)
        #expect(tail.text.hasSuffix("data: [DONE]\n\n"))
        #expect(server.residentBytes - before < 24 << 20, "\((server.residentBytes - before) >> 20) MiB more")
    }

    @Test("item 17: a client that never reads is cut off after write-timeout, and its provider with it")
    func neverReads() throws {
        let (sent, cut) = (Shared(0), Gate())
        let scripted = try firehose(sent, cut: cut)
        let server = try WeirServer.start("[server]\nwrite-timeout = \"1s\"\n" + scripted.settings())
        let connection = try Connection(port: server.port, receiveBuffer: 32 << 10)
        try connection.sendRequest(
            "POST", "/v1/chat/completions", headers: server.client.headers(),
            body: Array(Body.chatStreamWithUsage.utf8))
        #expect(cut.wait())
        #expect(try server.ledgerRow { $0["stream"].bool == true }["status"].int == 499)
    }
}
