import Base
import Glibc
import Testing

/// U1: a provider that cannot be reached, or stops answering, costs a bounded time and gives an error that says what.
@Suite struct ProviderDeadlineTests {
    private func expectFailure(_ server: WeirServer, _ status: Int, _ code: String, simulate: String? = nil) throws {
        for kind in StreamKind.allCases {
            for body in [kind.plainBody, kind.body] {
                let started = MonotonicInstant.now()
                let answer = try server.client.post(kind.path, body, simulate: simulate)
                #expect(MonotonicInstant.now().duration(since: started) < .seconds(5))
                #expect(answer.status == status, "\(kind): \(answer.text)")
                let word = kind == .messages ? (status == 504 ? "timeout_error" : "api_error") : code
                #expect(kind.errorWord(try answer.json()) == word, "\(answer.text)")
            }
        }
        #expect(
            try eventually {
                try server.requests().allSatisfy { $0["error"].string == code && $0["status"].int == status }
            })
        #expect(try server.metric("weir_upstream_transfers") == 0)
    }

    @Test("U1: a connection that is refused is 502 connect_failed")
    func refused() throws {
        let closed = try ScriptedProvider.start(answering: "")
        let settings = closed.settings()
        closed.stop()
        #expect(eventually { (try? Connection(port: closed.port)) == nil })
        try expectFailure(try WeirServer.start(settings), 502, "connect_failed")
    }

    @Test("U1: an address that swallows connections is 504 connect_timeout")
    func blackHole() throws {
        let hole = try BlackHole()
        let server = try WeirServer.start(providerSettings(port: hole.port, lines: "connect-timeout = \"250ms\""))
        try expectFailure(server, 504, "connect_timeout")
    }

    @Test("U1: a name that does not exist is 502 connect_failed")
    func unknownName() throws {
        let server = try WeirServer.start(
            "[providers.far]\ndialect = \"openai\"\nbase-url = \"http://no-such-host.invalid/v1\"\n")
        let answer = try server.client.post("/v1/chat/completions", Body.chat)
        #expect(answer.status == 502)
        #expect(try answer.json()["error"]["code"].string == "connect_failed")
        #expect(!answer.text.contains("no-such-host"), "no address in an error")
    }

    @Test("U1: a provider that does not begin to answer is 504 first_byte_timeout")
    func firstByte() throws {
        try expectFailure(
            Rig(lines: "first-byte-timeout = \"250ms\"").server, 504, "first_byte_timeout", simulate: "hang")
    }

    @Test("U1: an answer that takes longer in all than total-timeout is 504 before it has begun")
    func totalBeforeHead() throws {
        try expectFailure(Rig(lines: "total-timeout = \"250ms\"").server, 504, "total_timeout", simulate: "latency=20s")
    }

    @Test(
        "U1: a stream that falls silent ends with the dialect's error event and no false end",
        arguments: StreamKind.allCases)
    func idleStream(kind: StreamKind) throws {
        let rig = try Rig(lines: "idle-timeout = \"250ms\"")
        try expectErrorEvent(rig, kind, "stall=3", "idle_timeout")
    }

    @Test("U1: a stream that goes on beyond total-timeout ends the same way", arguments: StreamKind.allCases)
    func endlessStream(kind: StreamKind) throws {
        let rig = try Rig(lines: "total-timeout = \"400ms\"")
        try expectErrorEvent(rig, kind, "tokens=5000,tps=50", "total_timeout")
    }

    private func expectErrorEvent(_ rig: Rig, _ kind: StreamKind, _ simulate: String, _ code: String) throws {
        let (head, stream) = try rig.client.stream(kind.path, kind.body, simulate: simulate)
        var reader = stream
        #expect(head.status == 200)
        let events = try reader.rest()
        #expect(events.count > 1)
        #expect(!events.contains { $0.contains(kind.terminal) && !$0.contains("error") })
        let last = try JSON(eventData(events.last ?? "") ?? "{}")
        let error =
            kind == .responses ? last["code"] : kind == .messages ? last["error"]["type"] : last["error"]["code"]
        #expect(error.string == (kind == .messages ? "api_error" : code), "\(events.last ?? "")")
        #expect(reader.brokenEnd == nil)
        #expect(try rig.server.ledgerRow(head.requestID)["error"].string == code)
        #expect(try eventually { try rig.provider.calls().connectionsOpen == 1 })
    }

    @Test("U1: a plain answer that falls silent in its middle is cut, never completed")
    func idlePlain() throws {
        let scripted = try ScriptedProvider.start { connection in
            while try connection.readRequest() != nil {
                try connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"half\":")
                _ = connection.waitForEnd()
            }
        }
        let server = try WeirServer.start(scripted.settings(lines: "idle-timeout = \"250ms\""))
        let connection = try server.client.connect()
        try connection.sendRequest(
            "POST", "/v1/chat/completions", headers: server.client.headers(), body: Array(Body.chat.utf8))
        #expect(try connection.readResponseHead().status == 200)
        #expect(throws: Connection.End.self) { try connection.readBody() }
        #expect(try server.ledgerRow { _ in true }["error"].string == "idle_timeout")
    }

    @Test("U1: a head in drops is an answer like any other")
    func drippedHead() throws {
        let rig = try Rig(lines: "idle-timeout = \"5s\"\nfirst-byte-timeout = \"5s\"")
        #expect(try rig.client.post("/v1/chat/completions", Body.chat, simulate: "drip").status == 200)
    }

    @Test("a redirect is passed on and never followed", arguments: [301, 302, 303, 307, 308])
    func redirects(status: Int) throws {
        let elsewhere = try ScriptedProvider.start(answering: plainAnswer(200, "{}"))
        let target = "http://127.0.0.1:\(elsewhere.port)/v1/chat/completions"
        let scripted = try ScriptedProvider.start(answering: plainAnswer(status, "{}", headers: [("Location", target)]))
        let server = try WeirServer.start(
            scripted.settings(lines: "key = \"env:KEY\""), environment: ["KEY": "provider-key"])
        for _ in 0..<2 {
            let answer = try server.client.post("/v1/chat/completions", Body.chat)
            #expect(answer.status == status)
            #expect(answer.header("Location") == target)
        }
        #expect(scripted.requests.count == 2)
        #expect(elsewhere.connections == 0)
    }
}

/// A port whose queue of unaccepted connections is full: who connects is neither accepted nor refused.
private final class BlackHole {
    let port: Int
    private let listener: Int32
    private var fillers: [Int32] = []

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = loopbackAddress(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        guard listener >= 0, withSocketAddress(&address, { bind(listener, $0, $1) }) == 0, listen(listener, 0) == 0,
            withSocketAddress(&address, { address, _ in getsockname(listener, address, &length) }) == 0
        else { throw HarnessFailure("cannot listen: \(errorText(errno))") }
        self.listener = listener
        port = Int(in_port_t(bigEndian: address.sin_port))
        for _ in 0..<4 {
            let filler = socket(
                AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            _ = withSocketAddress(&address) { connect(filler, $0, $1) }
            fillers.append(filler)
        }
    }

    deinit {
        fillers.forEach { close($0) }
        close(listener)
    }
}
