import Base
import Glibc
import Testing

@testable import Simulator

@Suite("The server, over real sockets", .serialized)
struct SimulatorServerTests {
    private static let chat = #"{"model":"m","messages":[{"role":"user","content":"q"}]}"#
    private static let stream = #"{"model":"m","stream":true,"messages":[{"role":"user","content":"q"}]}"#
    private static let route = "/v1/chat/completions"

    private func withServer(
        _ change: (inout SimulatorOptions) -> Void = { _ in }, _ body: (SimulatorServer) throws -> Void
    ) throws {
        var options = SimulatorOptions()
        options.port = 0
        change(&options)
        let server = try SimulatorServer.start(options)
        defer { server.shutdown() }
        try body(server)
    }

    /// Waits for something another thread does, for a minute at most: it is a bound, not a measurement.
    private func eventually(_ what: Comment, _ isTrue: () -> Bool) {
        let deadline = MonotonicInstant.now().advanced(by: .seconds(60))
        while !isTrue() {
            guard MonotonicInstant.now() < deadline else { Issue.record(what); return }
            sched_yield()
        }
    }

    @Test("a connection serves one request after another, also when they come together")
    func keepAlive() throws {
        try withServer { server in
            let client = try LoopbackClient(port: server.boundPort)
            for _ in 0..<3 {
                try client.post(Self.route, Self.chat)
                #expect(try client.readReply().status == 200)
            }
            try client.post(Self.route, Self.stream, "X-Simulate: tps=200,tokens=3\r\n")
            try client.post(Self.route, Self.chat)
            try client.post(Self.route, Self.chat, "Connection: close\r\n")
            let rest = client.readToEnd()
            #expect(rest.end == .closed)
            let heads = String(decoding: rest.bytes, as: UTF8.self).ranges(of: "HTTP/1.1 200 OK").count
            #expect(heads == 3)
            #expect(server.calls.total == 6 && server.calls.connectionsOpened == 1)
            #expect(server.calls.byRoute == [Self.route: 6])
        }
    }

    @Test("a reset is a reset, before the head or after bytes, and a close is a close")
    func resets() throws {
        try withServer { server in
            let early = try LoopbackClient(port: server.boundPort)
            try early.post(Self.route, Self.stream, "X-Simulate: reset=0\r\n")
            let none = early.readToEnd()
            #expect(none.bytes.isEmpty && none.end == .reset)
            let late = try LoopbackClient(port: server.boundPort)
            try late.post(Self.route, Self.stream, "X-Simulate: reset=500\r\n")
            let some = late.readToEnd()
            #expect(some.end == .reset && Reply(wire: some.bytes).bodyBytes.count == 500)
            let clean = try LoopbackClient(port: server.boundPort)
            try clean.post(Self.route, Self.stream, "X-Simulate: close=500\r\n")
            let closed = clean.readToEnd()
            #expect(closed.end == .closed && Reply(wire: closed.bytes).bodyBytes.count == 500)
        }
    }

    @Test("close-idle makes the kept connection stale")
    func closeIdle() throws {
        try withServer { server in
            let client = try LoopbackClient(port: server.boundPort)
            try client.post(Self.route, Self.chat, "X-Simulate: close-idle\r\n")
            let answer = client.readToEnd()
            #expect(answer.end == .closed)
            #expect(try Reply(wire: answer.bytes).json()["object"].string == "chat.completion")
        }
    }

    @Test("a client that leaves is counted as cancelled, before the head and in the stream")
    func cancelled() throws {
        try withServer { server in
            for behaviour in ["hang", "latency=1h", "stall=3", "tps=1,tokens=1000"] {
                let before = server.calls.cancelled
                var client: LoopbackClient? = try LoopbackClient(port: server.boundPort)
                try client?.post(Self.route, Self.stream, "X-Simulate: \(behaviour)\r\n")
                if behaviour == "stall=3" {
                    _ = client?.read { String(decoding: $0, as: UTF8.self).contains("content") }
                }
                eventually("the call is under way") { server.calls.active == 1 }
                client = nil
                eventually("the call is cancelled") { server.calls.cancelled == before + 1 }
                #expect(server.calls.active == 0)
            }
            eventually("every connection is closed") { server.calls.connectionsOpen == 0 }
        }
    }

    @Test("the last request is told byte for byte, with its headers in their order")
    func last() throws {
        try withServer { server in
            let client = try LoopbackClient(port: server.boundPort)
            let body = "{\"model\":\"m\",\"messages\":[],\"q\":\"\\u00e9 \\\"é\"}"
            try client.post("/v1/chat/completions?a=1", body, "X-B: 2\r\nx-a: 1\r\nX-B: 3\r\n")
            _ = try client.readReply()
            try client.get("/simulator/last")
            let json = try client.readReply().json()
            #expect(json["method"].string == "POST" && json["uri"].string == "/v1/chat/completions?a=1")
            let headers = json["headers"].items.map { [$0[0].string ?? "", $0[1].string ?? ""] }
            let length = String(body.utf8.count)
            #expect(
                headers == [["Host", "x"], ["X-B", "2"], ["x-a", "1"], ["X-B", "3"], ["Content-Length", length]])
            #expect(json["bodyBase64"].string == base64(Array(body.utf8)))
            #expect(json["bodyBytes"].integer == body.utf8.count)
            var hash = FNV1a()
            hash.add(Array(body.utf8))
            #expect(UInt64(json["bodyFNV1a"].string ?? "", radix: 16) == hash.value)
        }
    }

    @Test("calls are told over HTTP, the simulator's own are not counted, and a reset starts again")
    func calls() throws {
        try withServer { server in
            let client = try LoopbackClient(port: server.boundPort)
            try client.post(Self.route, Self.chat)
            _ = try client.readReply()
            try client.get("/v1/files/none")
            _ = try client.readReply()
            try client.get("/simulator/calls")
            let json = try client.readReply().json()
            #expect(json["total"].integer == 2 && json["connectionsOpen"].integer == 1)
            #expect(json["byRoute"] == .object([Self.route: .number(1), "/v1/files/{id}": .number(1)]))
            try client.post("/simulator/reset", "")
            _ = try client.readReply()
            #expect(server.calls.total == 0 && server.calls.byRoute.isEmpty && server.calls.connectionsOpen == 1)
            try client.get("/simulator/nothing")
            #expect(try client.readReply().status == 404)
        }
    }

    @Test("a large body is taken whole, with 100 Continue for who waits for it, and a too large one is a 413")
    func largeBodies() throws {
        try withServer { server in
            let client = try LoopbackClient(port: server.boundPort)
            let filler = String(repeating: "x", count: 3 << 20)
            let body = "{\"model\":\"m\",\"messages\":[],\"filler\":\"\(filler)\"}"
            let length = body.utf8.count
            try client.send(
                "POST \(Self.route) HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: \(length)\r\n\r\n")
            let go = client.read { $0.count >= 25 }
            #expect(String(decoding: go.bytes, as: UTF8.self) == "HTTP/1.1 100 Continue\r\n\r\n")
            try client.send(body)
            #expect(try client.readReply().status == 200)
            try client.get("/simulator/last")
            let json = try client.readReply().json()
            #expect(json["bodyBytes"].integer == length)
            let kept: Int = (CallCounters.keptBodyBytesMax + 2) / 3 * 4
            #expect(json["bodyBase64"].string?.utf8.count == kept)
        }
    }

    @Test("what is no HTTP gets a 400 and the end of the connection")
    func notHTTP() throws {
        try withServer { server in
            let client = try LoopbackClient(port: server.boundPort)
            try client.send("hello, is this HTTP?\r\n\r\n")
            let answer = client.readToEnd()
            #expect(Reply(wire: answer.bytes).status == 400 && answer.end == .closed)
        }
    }

    @Test("a big answer reaches a slow reader whole")
    func slowReader() throws {
        try withServer { server in
            let client = try LoopbackClient(port: server.boundPort)
            try client.post(Self.route, Self.chat, "X-Simulate: big=20000000\r\n")
            eventually("the socket is full") { server.calls.active == 1 }
            let answer = client.read { $0.count >= 20_000_000 }
            #expect(answer.end == .open && Reply(wire: answer.bytes).framedBody.count >= 19_999_000)
            eventually("the answer is complete") { server.calls.active == 0 }
            #expect(server.calls.cancelled == 0)
        }
    }

    @Test("a thousand paced streams run at once on one thread")
    func thousandStreams() throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = min(limit.rlim_max, 8_192)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        try withServer { server in
            let start = MonotonicInstant.now()
            let clients = try (0..<1_000).map { _ in
                let client = try LoopbackClient(port: server.boundPort)
                try client.post(
                    Self.route, Self.stream,
                    "Connection: close\r\nX-Simulate: first-token=1500ms,tps=40,tokens=20\r\n")
                return client
            }
            eventually("all run at once") { server.calls.active == 1_000 || server.calls.total > 1_000 }
            for client in clients {
                let (bytes, end) = client.readToEnd()
                #expect(end == .closed && Reply(wire: bytes).events.last?.data == "[DONE]")
            }
            let took = MonotonicInstant.now().duration(since: start)
            #expect(took < .seconds(60), "one after another they would take half an hour")
            #expect(server.calls.total == 1_000 && server.calls.cancelled == 0)
        }
    }

    @Test("it listens on a unix socket")
    func unixSocket() throws {
        let path = "/tmp/weir-simulator-\(getpid()).sock"
        defer { unlink(path) }
        try withServer {
            $0.unixPath = path
        } _: { server in
            let client = try LoopbackClient(unixPath: path)
            try client.post(Self.route, Self.chat)
            #expect(try client.readReply().status == 200 && server.boundPort == 0)
        }
    }

    @Test("a taken port is an error that names it; shutdown closes what is open, twice is once")
    func startAndStop() throws {
        var options = SimulatorOptions()
        options.port = 0
        options.threads = 2
        let server = try SimulatorServer.start(options)
        options.port = server.boundPort
        #expect { try SimulatorServer.start(options) } throws: { error in
            (error as? SimulatorStartError)?.message.contains(":\(server.boundPort)") == true
        }
        let client = try LoopbackClient(port: server.boundPort)
        try client.post(Self.route, Self.chat, "X-Simulate: hang\r\n")
        eventually("the call is under way") { server.calls.active == 1 }
        server.shutdown()
        server.shutdown()
        let end = client.readToEnd().end
        #expect(end == .closed || end == .reset)
    }
}
