import Base
import Testing

@testable import Benchmark

@Suite("the small HTTP client")
struct PlainClientTests {
    private static let plain = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    private static let events = """
        HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n\
        11\r\ndata: {"a":1}\r\n\r\n\r\n1B\r\nevent: stop\ndata: x\ndata: y\r\n\
        8\r\n\n: hey\n\n\r\nE\r\ndata: [DONE]\n\n\r\n0\r\n\r\n
        """

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("a request is written as it should be and its connection is used again")
    func reuse() throws {
        let server = try ScriptedServer([[[bytes(Self.plain)], [bytes(Self.plain)]]])
        defer { server.stop() }
        let client = PlainClient(port: server.port)
        let first = try client.request("POST", "/a", headers: [("X-B", "c")], body: bytes("body"))
        let second = try client.request("GET", "/d")
        #expect(first.status == 200 && first.text == "ok" && second.text == "ok")
        #expect(
            server.requests == [
                "POST /a HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nX-B: c\r\nContent-Length: 4\r\n\r\nbody",
                "GET /d HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n\r\n",
            ])
    }

    @Test("an answer that promises no further one, or is followed by more, ends the connection")
    func noReuse() throws {
        let closing = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
        let server = try ScriptedServer([[[bytes(closing)]], [[bytes(Self.plain + "more")]], [[bytes(Self.plain)]]])
        defer { server.stop() }
        let client = PlainClient(port: server.port)
        for _ in 0..<3 { #expect(try client.request("GET", "/").text == "ok") }
        #expect(server.requests.count == 3)
    }

    @Test("events arrive whole and in order whatever the writes, and the body is there as well")
    func stream() throws {
        let text = bytes(Self.events)
        for size in [1, 2, 3, 7, text.count] {
            let pieces = stride(from: 0, to: text.count, by: size).map { Array(text[$0..<min($0 + size, text.count)]) }
            let server = try ScriptedServer([[pieces]])
            defer { server.stop() }
            let before = MonotonicInstant.now()
            var events: [PlainEvent] = []
            let answer = try PlainClient(port: server.port).stream("GET", "/") { event in
                events.append(event)
                return true
            }
            #expect(answer.status == 200 && answer.text.hasSuffix("data: [DONE]\n\n"))
            #expect(events.map(\.name) == ["", "stop", ""])
            #expect(events.map(\.data) == [#"{"a":1}"#, "x\ny", "[DONE]"])
            #expect(events.allSatisfy { $0.received > before })
        }
    }

    @Test("the listener of events can hang up")
    func hangUp() throws {
        let server = try ScriptedServer([[[bytes(Self.events)]], [[bytes(Self.plain)]]])
        defer { server.stop() }
        let client = PlainClient(port: server.port)
        var count = 0
        _ = try client.stream("GET", "/") { _ in
            count += 1
            return false
        }
        #expect(count == 1)
        #expect(try client.request("GET", "/").text == "ok")
    }

    @Test("an error in place of a stream has no events and keeps its body")
    func errorInsteadOfStream() throws {
        let server = try ScriptedServer("HTTP/1.1 429 Slow\r\nContent-Length: 10\r\n\r\ndata: no\n\n")
        defer { server.stop() }
        let answer = try PlainClient(port: server.port).stream("GET", "/") { _ in
            Issue.record("an event that is none")
            return true
        }
        #expect(answer.status == 429 && answer.text == "data: no\n\n")
    }

    @Test("a cut answer, silence and a closed port are told apart")
    func failures() throws {
        let cut = try ScriptedServer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok")
        defer { cut.stop() }
        #expect(code { try PlainClient(port: cut.port).request("GET", "/") } == "cut_short")
        let silent = try ScriptedServer([[[], []]])
        defer { silent.stop() }
        let hasty = PlainClient(port: silent.port, timeout: .milliseconds(20))
        #expect(code { try hasty.request("GET", "/") } == "silence")
        let port = try FreePort.any()
        #expect(code { try PlainClient(port: port).request("GET", "/") } == "cannot_connect")
        #expect(code { try PlainClient(unixPath: "/tmp/no-such-socket").request("GET", "/") } == "cannot_connect")
    }

    private func code(_ call: () throws -> PlainResponse) -> String? {
        do {
            _ = try call()
            return nil
        } catch {
            return (error as? any Failure)?.code
        }
    }

    @Test("free ports are different from each other and can be listened on")
    func freePorts() throws {
        let ports = try FreePort.distinct(20)
        #expect(Set(ports).count == 20 && ports.allSatisfy { $0 > 1_023 })
    }
}
