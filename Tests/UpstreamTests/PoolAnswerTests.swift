import Base
import NIOCore
import Synchronization
import Testing

@testable import Upstream

/// Whole answers from a scripted server through the real pool.
struct PoolAnswerTests {
    private let endpoint = Endpoint(name: "scripted", allowsPlainHTTP: true)

    @Test("A plain answer comes as head, body and end, and the kept connection serves the next request")
    func plain() throws {
        let server = try ScriptedServer { peer in
            while let request = peer.request() {
                peer.answer("\(peer.number):\(request.body.count)", headers: "X-A: b c\r\n")
            }
        }
        for turn in 1...3 {
            let outcome = try TransferProbe(request(server.url()), endpoint).outcome()
            #expect(outcome.head?.status == 200 && outcome.head?.headers["x-a"] == "b c")
            #expect(outcome.text == "1:2" && outcome.failure == nil)
            let report = try #require(outcome.report)
            #expect(report.sends == 1 && report.bytesReceived == 3 && report.openedConnection == (turn == 1))
            #expect(report.firstByte != nil && report.took >= report.firstByte ?? .zero)
        }
    }

    @Test("The request goes out as given: nothing added but Host and framing")
    func requestBytes() throws {
        let seen = Mutex<Peer.Request?>(nil)
        let server = try ScriptedServer { peer in
            seen.withLock { $0 = peer.request() }
            peer.answer("")
        }
        let headers = [
            ("Authorization", "Bearer k"), ("X-Empty", ""), ("x-odd", " a;b: c"), ("Accept-Encoding", "identity"),
        ]
        let pieces = ["{\"a\":", "", "1}"].map { ByteBuffer(string: $0) }
        _ = try TransferProbe(request(server.url("/v1/y?q=%20a"), headers: headers, body: .buffers(pieces)), endpoint)
            .outcome()
        let request = try #require(seen.withLock { $0 })
        #expect(request.lines.first == "POST /v1/y?q=%20a HTTP/1.1")
        #expect(
            Set(request.lines.dropFirst()) == [
                "Host: 127.0.0.1:\(server.port)", "Authorization: Bearer k", "X-Empty:", "x-odd:  a;b: c",
                "Accept-Encoding: identity", "Content-Length: 7",
            ])
        #expect(String(decoding: request.body, as: UTF8.self) == "{\"a\":1}")
    }

    @Test(
        "Methods and their bodies",
        arguments: [
            ("GET", "GET", 0), ("HEAD", "HEAD", 0), ("DELETE", "DELETE", 0), ("POST", "POST", 0), ("PATCH", "PATCH", 3),
            ("PUT", "PUT", 3), ("DELETE", "DELETE", 3),
        ])
    func methods(_ method: String, _ expected: String, _ length: Int) throws {
        let seen = Mutex<Peer.Request?>(nil)
        let server = try ScriptedServer { peer in
            guard let request = peer.request() else { return }
            seen.withLock { $0 = request }
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + (method == "HEAD" ? "" : "ok"))
        }
        let body = length == 0 ? UpstreamBody.none : .buffers([ByteBuffer(repeating: 120, count: length)])
        let outcome = try TransferProbe(request(server.url(), method: method, body: body), endpoint).outcome()
        #expect(outcome.failure == nil && outcome.text == (method == "HEAD" ? "" : "ok"))
        let request = try #require(seen.withLock { $0 })
        #expect(request.head.hasPrefix("\(expected) /v1/x HTTP/1.1\r\n") && request.body.count == length)
        let framing = request.lines.filter { $0.lowercased().hasPrefix("content-length") }
        #expect(framing == (length > 0 ? ["Content-Length: \(length)"] : method == "POST" ? ["Content-Length: 0"] : []))
        #expect(!request.head.contains("100-continue"))
    }

    @Test("An answer that comes byte by byte, with early hints, chunks and a trailer, is the same answer")
    func byteByByte() throws {
        let wire =
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n"
            + "3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n"
        let server = try ScriptedServer { peer in
            guard peer.request() != nil else { return }
            for byte in wire.utf8 { peer.send([byte]) }
            peer.waitForEnd()
        }
        let outcome = try TransferProbe(request(server.url()), endpoint).outcome()
        #expect(outcome.head?.status == 200 && outcome.head?.headers["x-a"] == "1")
        #expect(outcome.head?.headers["link"] == nil && outcome.head?.headers["trailer"] == nil)
        #expect(outcome.text == "abcdefg" && outcome.failure == nil)
    }

    @Test("An answer without a body has none", arguments: ["204 No Content", "304 Not Modified"])
    func withoutBody(_ status: String) throws {
        let server = try ScriptedServer { peer in
            guard peer.request() != nil else { return }
            peer.send("HTTP/1.1 \(status)\r\n\r\n")
            peer.waitForEnd()
        }
        let outcome = try TransferProbe(request(server.url()), endpoint).outcome()
        #expect(outcome.failure == nil && outcome.body.isEmpty)
        #expect(outcome.head.map { status.hasPrefix("\($0.status)") } == true)
    }

    @Test("An answer that nobody asked to compress is unpacked when it is to be read, and left alone when not")
    func gzip() throws {
        // One stored block that holds "hello".
        let packed: [UInt8] =
            [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, 5, 0, 0xFA, 0xFF] + Array("hello".utf8)
            + [0x86, 0xA6, 0x10, 0x36, 5, 0, 0, 0]
        let server = try ScriptedServer { peer in
            while peer.request() != nil {
                peer.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(packed.count)\r\n\r\n")
                peer.send(packed)
            }
        }
        var asked = request(server.url())
        #expect(try TransferProbe(asked, endpoint).outcome().text == "hello")
        asked.decodesContent = false
        #expect(try TransferProbe(asked, endpoint).outcome().body == packed)
    }

    @Test("A redirect is an answer like any other")
    func redirect() throws {
        let server = try ScriptedServer { peer in
            while peer.request() != nil {
                peer.answer("", status: "302 Found", headers: "Location: http://127.0.0.1:1/\r\n")
            }
        }
        let outcome = try TransferProbe(request(server.url()), endpoint).outcome()
        #expect(outcome.head?.status == 302 && outcome.failure == nil)
    }

    @Test("Without reuse each request opens and closes its own connection")
    func noReuse() throws {
        let server = try ScriptedServer { peer in
            while peer.request() != nil { peer.answer("\(peer.number)") }
        }
        let endpoint = Endpoint(name: "fresh", allowsPlainHTTP: true, reusesConnections: false)
        for turn in 1...3 { #expect(try TransferProbe(request(server.url()), endpoint).outcome().text == "\(turn)") }
    }

    @Test("Forty requests at a time each get their own answer")
    func many() throws {
        let server = try ScriptedServer { peer in
            while let request = peer.request() { peer.answer(String(decoding: request.body.reversed(), as: UTF8.self)) }
        }
        let endpoint = Endpoint(name: "many", connectionsMax: 8, allowsPlainHTTP: true)
        let probes = try (0..<40).map { number in
            try TransferProbe(request(server.url(), body: .buffers([ByteBuffer(string: "n\(number)")])), endpoint)
        }
        for (number, probe) in probes.enumerated() {
            #expect(probe.outcome().text == String("n\(number)".reversed()))
            try probe.onLoop { _ in }
            #expect(probe.batchCount > 0)
        }
    }
}
