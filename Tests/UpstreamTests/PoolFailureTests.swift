import Base
import NIOCore
import Synchronization
import Testing

@testable import Upstream

/// What goes wrong between the pool and a provider, and what it is called.
struct PoolFailureTests {
    private let endpoint = Endpoint(name: "scripted", allowsPlainHTTP: true)

    /// The failure of one request to a server that answers with these bytes and closes.
    private func failure(_ wire: String) throws -> UpstreamFailure? {
        let server = try ScriptedServer { peer in
            guard peer.request() != nil else { return }
            peer.send(wire)
        }
        return try TransferProbe(request(server.url()), endpoint).outcome().failure
    }

    @Test(
        "What is not HTTP, or cut short, is told apart",
        arguments: [
            ("SSH-2.0-OpenSSH_9.2\r\n", UpstreamFailure.Reason.badAnswer),
            ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .connectionLost),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", .connectionLost),
            // libcurl has one code for this and for a lost connection.
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", .connectionLost),
            ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", .badAnswer),
            ("", .connectionLost),
        ])
    func badAnswers(_ wire: String, _ reason: UpstreamFailure.Reason) throws {
        let failure = try failure(wire)
        #expect(failure?.reason == reason)
        #expect(failure?.message.contains("127.0.0.1") == false)
    }

    @Test(
        "A head above the limit is a bad answer, in many fields or in one",
        arguments: [
            (300, 1_000), (1, 150_000), (1, 400_000), (100_000, 1),
        ])
    func hugeHead(_ count: Int, _ length: Int) throws {
        let field = "X-A: " + String(repeating: "x", count: length) + "\r\n"
        let head = "HTTP/1.1 200 OK\r\n" + String(repeating: field, count: count) + "Content-Length: 0\r\n\r\n"
        #expect(try failure(head)?.reason == .badAnswer)
    }

    @Test("A port where nobody listens, and a name that does not exist")
    func noConnection() throws {
        let port = try ScriptedServer { _ in }.port  // gone at once
        let refused = try TransferProbe(request("http://127.0.0.1:\(port)/v1/x"), endpoint).outcome()
        #expect(refused.failure?.reason == .connectFailed && refused.report?.sends == 0)
        #expect(refused.failure?.message.contains("\(port)") == false)
        let unknown = try TransferProbe(request("http://weir-test.invalid/v1/x"), endpoint).outcome()
        #expect(unknown.failure?.reason == .connectFailed)
        #expect(unknown.failure?.message.contains("invalid") == false)
    }

    @Test("A plain address is refused for a provider whose settings name a TLS one")
    func plainRefused() throws {
        let server = try ScriptedServer { peer in peer.waitForEnd() }
        let outcome = try TransferProbe(request(server.url()), Endpoint(name: "tls", allowsPlainHTTP: false)).outcome()
        #expect(outcome.failure != nil && outcome.report?.sends == 0)
    }

    @Test("A provider that does not begin, stops in the middle or never ends is given up in its time")
    func deadlines() throws {
        let server = try ScriptedServer { peer in
            guard let request = peer.request() else { return }
            if request.head.contains("/begin") { return peer.waitForEnd() }
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
            if request.head.contains("/stop") { return peer.waitForEnd() }
            while peer.send("1\r\nx\r\n") { pauseThread(.milliseconds(20)) }
        }
        let endpoint = Endpoint(
            name: "slow", firstByteTimeout: .milliseconds(150), idleTimeout: .milliseconds(150),
            totalTimeout: .milliseconds(600), allowsPlainHTTP: true)
        let probes = try ["/begin", "/stop", "/drip"].map { try TransferProbe(request(server.url($0)), endpoint) }
        let outcomes = probes.map { $0.outcome() }
        #expect(outcomes.map(\.failure?.reason) == [.firstByteTimeout, .idleTimeout, .totalTimeout])
        #expect(outcomes[0].head == nil && outcomes[1].text == "x" && outcomes[2].body.count > 1)
    }

    @Test("When a kept connection dies under a request it is sent again, unless that could do its work twice")
    func resend() throws {
        let server = try ScriptedServer { peer in
            guard peer.request() != nil else { return }
            peer.answer("\(peer.number)")
            // The next request on this connection is read and gets no answer.
            _ = peer.request()
        }
        let endpoint = Endpoint(name: "resend", connectionsMax: 1, allowsPlainHTTP: true)
        #expect(try TransferProbe(request(server.url()), endpoint).outcome().text == "1")
        let again = try TransferProbe(request(server.url()), endpoint).outcome()
        #expect(again.text == "2" && again.report?.sends == 2 && again.report?.openedConnection == true)
        let once = try TransferProbe(request(server.url(), twice: false), endpoint).outcome()
        #expect(once.failure?.reason == .unknownOutcome && once.head == nil)
    }

    @Test("A pool that shuts down fails what runs and what waits, and nothing is left hanging")
    func shutDown() throws {
        let arrived = Flag()
        let server = try ScriptedServer { peer in
            _ = peer.request()
            arrived.raise()
            peer.waitForEnd()
        }
        let pool = UpstreamPool(metrics: SharedPool.registry)
        let endpoint = Endpoint(name: "ending", connectionsMax: 1, allowsPlainHTTP: true)
        let probes = try (0..<4).map { _ in try TransferProbe(request(server.url()), endpoint, pool: pool) }
        #expect(arrived.wait())
        pool.shutDown()
        for probe in probes { #expect(probe.outcome().failure?.reason == .shuttingDown) }
    }
}
