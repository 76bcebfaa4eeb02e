import Base
import Glibc
import Synchronization
import Testing

/// D5: SIGTERM ends in order, a second one at once.
@Suite struct ShutdownTests {
    @Test("D5: a stream under way is finished, new connections are refused, then the process ends with 0")
    func drain() throws {
        let rig = try Rig()
        let (head, stream) = try rig.client.stream(
            "/v1/chat/completions", Body.chatStream, simulate: "tokens=40,tps=40")
        var events = stream
        #expect(head.status == 200)
        #expect(try events.next() != nil)
        rig.server.signal(SIGTERM)
        #expect(eventually { (try? Connection(port: rig.server.port)) == nil })
        #expect(rig.server.exitStatus == nil)
        let rest = try events.rest()
        #expect(rest.last == "data: [DONE]\n\n")
        #expect(events.brokenEnd == nil)
        #expect(events.connection.waitForEnd() == .closed)
        #expect(try rig.server.waitForEnd() == 0)
    }

    @Test("D5: idle connections are closed at once, and a server without work ends quickly")
    func idleConnections() throws {
        let server = try WeirServer.start()
        let connections = try (0..<20).map { _ in try Connection(port: server.port) }
        for connection in connections.dropFirst(10) {
            #expect(try connection.request("GET", "/health/live").status == 200)
        }
        let started = MonotonicInstant.now()
        #expect(try server.stop() == 0)
        #expect(MonotonicInstant.now().duration(since: started) < .seconds(5))
        for connection in connections { #expect(connection.waitForEnd() != .timedOut) }
        #expect(!names(in: server.dataFolder).contains { $0.hasSuffix("-wal") }, "the last checkpoint was made")
    }

    @Test("D5: a request on a kept connection while the server drains is told 503, health that it is not ready")
    func requestsWhileDraining() throws {
        let rig = try Rig()
        let (_, stream) = try rig.client.stream("/v1/chat/completions", Body.chatStream, simulate: "stall=2")
        var events = stream
        #expect(try events.next() != nil)
        let control = try Connection(unixPath: "\(rig.server.dataFolder)/control.sock")
        // Half a head: the connection has a request under way and is not closed as idle.
        let late = try Connection(port: rig.server.port)
        try late.send("POST /v1/chat/completions HTTP/1.1\r\n")
        #expect(try control.request("GET", "/health/ready").status == 200)
        rig.server.signal(SIGTERM)
        #expect(eventually { (try? Connection(port: rig.server.port)) == nil })
        let (bytes, end) = late.readToEnd(within: .seconds(2))
        #expect(end != .timedOut || bytes.text.contains(" 503 "))
        #expect(try events.next(within: .milliseconds(100)) != "data: [DONE]\n\n")
        rig.server.signal(SIGTERM)
        #expect(try rig.server.waitForEnd() == 2)
    }

    @Test("D5: requests that take longer than shutdown-timeout are cut, the exit status is still 0")
    func drainLimit() throws {
        let rig = try Rig("[server]\nshutdown-timeout = \"300ms\"\n")
        let (_, stream) = try rig.client.stream("/v1/chat/completions", Body.chatStream, simulate: "stall=2")
        var events = stream
        #expect(try events.next() != nil)
        let started = MonotonicInstant.now()
        #expect(try rig.server.stop() == 0)
        #expect(MonotonicInstant.now().duration(since: started) < .seconds(8))
        #expect(try !events.rest().contains { $0.contains("[DONE]") })
        #expect(rig.server.output.contains("shutdown-timeout"))
    }

    @Test("D5: a second SIGTERM ends at once with 2", arguments: [SIGTERM, SIGINT])
    func forced(second: Int32) throws {
        let rig = try Rig()
        let (_, stream) = try rig.client.stream("/v1/chat/completions", Body.chatStream, simulate: "stall=2")
        var events = stream
        #expect(try events.next() != nil)
        rig.server.signal(SIGTERM)
        #expect(eventually { rig.server.output.contains("stopping") })
        #expect(rig.server.exitStatus == nil)
        rig.server.signal(second)
        #expect(try rig.server.waitForEnd(within: .seconds(3)) == 2)
    }

    @Test("D5: what was answered before SIGTERM is in the request log of the next start")
    func ledgerIsWritten() throws {
        let provider = try Provider.start()
        let folder = try TemporaryFolder()
        let settings = "[auth]\nadmin-key = \"env:ADMIN_KEY\"\n\n" + provider.settings()
        let environment = ["ADMIN_KEY": "a-key-that-is-long-enough"]
        let first = try Serving(
            ["--listen", "127.0.0.1:0"], settings: settings, environment: environment, folder: folder)
        let client = HTTPClient(port: try first.port(), key: "a-key-that-is-long-enough")
        for _ in 0..<30 { #expect(try client.post("/v1/chat/completions", Body.chat).status == 200) }
        first.child.signal(SIGTERM)
        #expect(try first.child.waitForEnd() == 0)
        let second = try Serving(
            ["--listen", "127.0.0.1:0"], settings: settings, environment: environment, folder: folder)
        let rows = try HTTPClient(port: second.port(), key: "a-key-that-is-long-enough").get("/requests").json()
        #expect(rows["requests"].elements.count == 30)
    }

    @Test("D5: ten rounds of SIGTERM under load: each ends with 0, and no client gets half an answer")
    func underLoad() throws {
        let provider = try Provider.start()
        for _ in 0..<10 {
            let server = try WeirServer.start(provider.settings())
            let (port, key) = (server.port, server.adminKey)
            let answered = Shared(0)
            let threads = (0..<4).map { index in
                OSThread.start("load-\(index)") {
                    while true {
                        guard let connection = try? Connection(port: port) else { return }
                        do {
                            while true {
                                try connection.sendRequest(
                                    "POST", "/v1/chat/completions", headers: [("Authorization", "Bearer \(key)")],
                                    body: Array(Body.chat.utf8))
                                let head = try connection.readResponseHead()
                                let body = try connection.readBody()
                                if head.status == 200 && body.last == UInt8(ascii: "}") {
                                    answered.value.withLock { $0 += 1 }
                                }
                                if head.status != 200 && head.status != 503 { Issue.record("got \(head.status)") }
                            }
                        } catch is Connection.End {
                            continue
                        } catch { Issue.record("\(error)") }
                    }
                }
            }
            #expect(eventually { answered.now > 20 })
            #expect(try server.stop() == 0)
            threads.forEach { $0.join() }
        }
    }
}
