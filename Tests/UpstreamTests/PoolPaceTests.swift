import Base
import Glibc
import NIOCore
import Synchronization
import Testing

@testable import Upstream

/// Cancelling, credit, uploads and the waiting line, with the real pool.
struct PoolPaceTests {
    private let endpoint = Endpoint(name: "paced", allowsPlainHTTP: true)

    @Test(
        "Cancelled before its head or in the middle of its body, a transfer closes its connection and falls silent",
        arguments: [false, true])
    func cancel(_ afterHead: Bool) throws {
        let (arrived, closed) = (Flag(), Flag())
        let server = try ScriptedServer { peer in
            _ = peer.request()
            if afterHead { peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc") }
            arrived.raise()
            peer.waitForEnd()
            closed.raise()
        }
        let probe = try TransferProbe(request(server.url()), endpoint)
        #expect(arrived.wait())
        if afterHead {
            guard case .head(let head, _)? = probe.next().first else {
                Issue.record("the head comes first")
                return
            }
            #expect(head.status == 200)
        }
        try probe.onLoop { $0.cancel() }
        #expect(closed.wait(), "the provider sees the end at once")
        try probe.onLoop {
            $0.cancel()
            $0.feed(ByteBuffer(string: "late"))
        }
        #expect(!probe.isOver, "neither end nor failure comes after a cancel")
    }

    @Test("4 MiB that nobody takes stop at about the credit, and all of it comes once it is taken")
    func credit() throws {
        let size = 4 << 20
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let server = try ScriptedServer { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            peer.send(body)
            peer.waitForEnd()
        }
        let probe = try TransferProbe(request(server.url()), endpoint, consumes: false)
        var outcome = Outcome()
        var taken = 0
        while outcome.report == nil {
            if outcome.body.count < size {
                let deadline = MonotonicInstant.now().advanced(by: .seconds(20))
                while !probe.transfer.isPaused.load(ordering: .acquiring),
                    probe.transfer.outstanding.load(ordering: .relaxed)
                        + taken < size, MonotonicInstant.now() < deadline
                { sched_yield() }
            }
            let outstanding = probe.transfer.outstanding.load(ordering: .relaxed)
            #expect(outstanding <= Limits.streamCreditBytes + (32 << 10), "it stopped")
            for event in probe.next() { outcome.add(event) }
            let count = outcome.body.count - taken
            taken += count
            try probe.onLoop { $0.consumed(count) }
        }
        #expect(outcome.failure == nil && outcome.body == body)
    }

    @Test("An upload goes out as it comes, chunked or with its length", arguments: [nil, 300_000])
    func upload(_ length: Int?) throws {
        let seen = Mutex<Peer.Request?>(nil)
        let server = try ScriptedServer { peer in
            seen.withLock { $0 = peer.request() }
            peer.answer("done")
        }
        let probe = try TransferProbe(request(server.url(), body: .stream(length: length)), endpoint)
        let pieces = (0..<100).map { ByteBuffer(repeating: UInt8($0), count: 3_000) }
        for piece in pieces { try probe.onLoop { $0.feed(piece) } }
        try probe.onLoop { $0.feed(nil) }
        let outcome = probe.outcome()
        #expect(outcome.text == "done" && outcome.uploaded == 300_000)
        let request = try #require(seen.withLock { $0 })
        #expect(request.body == pieces.flatMap { Array($0.readableBytesView) })
        let framing = length == nil ? "transfer-encoding: chunked" : "content-length: 300000"
        #expect(request.head.lowercased().contains(framing))
        #expect(!request.head.lowercased().contains("expect:"))
    }

    @Test(
        "A provider that answers before it has the whole upload is heard at once",
        arguments: ["", "Connection: close\r\n"])
    func earlyAnswer(_ header: String) throws {
        let server = try ScriptedServer { peer in
            _ = peer.receive()
            peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\(header)\r\nbig")
            peer.waitForEnd()
        }
        let probe = try TransferProbe(request(server.url(), body: .stream(length: 1 << 30)), endpoint)
        try probe.onLoop { $0.feed(ByteBuffer(repeating: 1, count: 1_000)) }
        var outcome = Outcome()
        while outcome.body.count < 3 {
            let events = probe.next()
            if events.isEmpty { break }
            for event in events { outcome.add(event) }
        }
        #expect(outcome.head?.status == 413 && outcome.text == "big" && outcome.failure == nil)
        // With `Connection: close` libcurl goes on with the upload until one side ends it.
        try probe.onLoop { $0.cancel() }
    }

    @Test("With all connections busy requests wait in line, the line is bounded, and who waits can leave it")
    func waitingLine() throws {
        let (arrived, go) = (Flag(), Flag())
        let server = try ScriptedServer { peer in
            while let request = peer.request() {
                arrived.raise()
                go.wait()
                peer.answer(String(decoding: request.body, as: UTF8.self))
            }
        }
        let endpoint = Endpoint(name: "narrow", connectionsMax: 1, waitingMax: 2, allowsPlainHTTP: true)
        func start(_ name: String) throws -> TransferProbe {
            try TransferProbe(request(server.url(), body: .buffers([ByteBuffer(string: name)])), endpoint)
        }
        let first = try start("first")
        #expect(arrived.wait())
        let (second, leaver) = (try start("second"), try start("leaver"))
        let refused = try start("refused").outcome()
        #expect(refused.failure?.reason == .waitingLineFull && refused.report?.sends == 0)
        try leaver.onLoop { $0.cancel() }
        let third = try start("third")
        go.raise()
        #expect([first, second, third].map { $0.outcome().text } == ["first", "second", "third"])
        #expect(!leaver.isOver, "nothing came to the one that left")
    }

    @Test("Pieces of an upload that waits in line go out in order once it starts")
    func uploadInLine() throws {
        let (arrived, go) = (Flag(), Flag())
        let server = try ScriptedServer { peer in
            while let request = peer.request() {
                arrived.raise()
                go.wait()
                peer.answer(String(decoding: request.body, as: UTF8.self))
            }
        }
        let endpoint = Endpoint(name: "uploads", connectionsMax: 1, allowsPlainHTTP: true)
        let first = try TransferProbe(request(server.url()), endpoint)
        #expect(arrived.wait())
        let second = try TransferProbe(request(server.url(), body: .stream(length: nil)), endpoint)
        for text in ["a", "b", "c"] { try second.onLoop { $0.feed(ByteBuffer(string: text)) } }
        try second.onLoop { $0.feed(nil) }
        go.raise()
        #expect(first.outcome().text == "{}" && second.outcome().text == "abc")
    }

    @Test("Nobody waits in line for longer than the provider's settings say")
    func waitingTimeout() throws {
        let arrived = Flag()
        let server = try ScriptedServer { peer in
            _ = peer.request()
            arrived.raise()
            peer.waitForEnd()
        }
        let endpoint = Endpoint(
            name: "impatient", connectionsMax: 1, waitingTimeout: .milliseconds(50), allowsPlainHTTP: true)
        let first = try TransferProbe(request(server.url()), endpoint)
        #expect(arrived.wait())
        let second = try TransferProbe(request(server.url()), endpoint).outcome()
        #expect(second.failure?.reason == .waitingTimeout)
        #expect(second.report.map { $0.waited >= .milliseconds(50) } == true)
        try first.onLoop { $0.cancel() }
    }
}
