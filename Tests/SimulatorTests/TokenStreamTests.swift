import Base
import NIOCore
import NIOHTTP1
import Testing

@testable import Simulator

@Suite("Pace")
struct TokenStreamTests {
    private static let stream = #"{"model":"m","stream":true,"messages":[{"role":"user","content":"q"}]}"#

    @Test("the opening waits for the latency, the first token for its own wait, the others for the pace")
    func times() throws {
        let reply = try Desk().post(
            "/v1/chat/completions", Self.stream, simulate: "latency=100ms,first-token=50ms,tps=100,tokens=4")
        #expect(reply.writes.map(\.at) == [100, 150, 160, 170, 180].map { Duration.milliseconds($0) })
        #expect(String(decoding: reply.writes[0].bytes, as: UTF8.self).contains("\"role\":\"assistant\""))
        #expect(String(decoding: reply.writes[4].bytes, as: UTF8.self).hasSuffix("data: [DONE]\n\n\r\n0\r\n\r\n"))
        #expect(reply.ending == .keepAlive && reply.chunks.isComplete)
    }

    @Test("the options set the pace, a request changes it, and a plain answer waits for the latency alone")
    func options() throws {
        let desk = Desk {
            $0.latency = .milliseconds(10)
            $0.firstToken = .milliseconds(5)
            $0.tokensPerSecond = 1_000
        }
        let reply = try desk.post("/v1/chat/completions", Self.stream, simulate: "tokens=3")
        #expect(reply.writes.map(\.at) == [10, 15, 16, 17].map { Duration.milliseconds($0) })
        let fast = try desk.post("/v1/chat/completions", Self.stream, simulate: "latency=0,first-token=0,tps=0")
        #expect(fast.isImmediate)
        let plain = try desk.post("/v1/chat/completions", "{\"model\":\"m\",\"messages\":[]}")
        #expect(plain.writes.map(\.at) == [.milliseconds(10)])
    }

    @Test("who comes late sends everything that is due in one write")
    func catchesUp() throws {
        let desk = Desk()
        var request = SimulatedRequest(
            method: "POST", path: .chat, headers: ["X-Simulate": "tps=10,tokens=20"],
            body: ByteBuffer(string: Self.stream), bodyBytes: Self.stream.utf8.count, bodyHash: 1)
        request.number = 1
        let start = MonotonicInstant(nanoseconds: 50)
        var stream = TokenStream(desk.provider.transfer(for: request, ConnectionTerms()), now: start)
        guard case .send = stream.next(now: start) else { Issue.record("the opening is due"); return }
        // The first token is due with the opening, the next after a tenth of a second.
        #expect(stream.next(now: start) == .wait(until: start.advanced(by: .milliseconds(100))))
        guard case .send(let late) = stream.next(now: start.advanced(by: .seconds(1))) else {
            Issue.record("tokens are due")
            return
        }
        let events = String(buffer: late).components(of: "data: ")
        #expect(events == 10)
        let next = start.advanced(by: .milliseconds(1_100))
        #expect(stream.next(now: start.advanced(by: .seconds(1))) == .wait(until: next))
    }

    @Test("a stamped token says when it was sent")
    func stamps() throws {
        let desk = Desk { $0.timestamps = true }
        let reply = try desk.post("/v1/chat/completions", Self.stream, simulate: "tps=100,tokens=3,first-token=5ms")
        let times = try reply.eventTrees().compactMap { $0["choices"][0]["delta"]["content"].string }.dropFirst()
        #expect(times.allSatisfy { $0.utf8.count == 20 })
        #expect(times.compactMap { UInt64($0) } == [5, 15, 25].map { 1_000_000_000_000 + $0 * 1_000_000 })
        let before = MonotonicInstant.now().nanoseconds
        let now = try desk.post("/v1/chat/completions", Self.stream, simulate: "comments,tokens=2").chatText()
        #expect(try #require(UInt64(now.prefix(20))) >= before)
    }

    @Test("before a reset there is a moment in which the last byte arrives")
    func resetDelay() throws {
        let request = "tokens=5,reset=40"
        let reply = try Desk().post("/v1/chat/completions", Self.stream, simulate: request)
        #expect(reply.ending == .reset && reply.bodyBytes.count == 40)
    }

    @Test("HTTP/1.0 gets no chunks, and the end of a stream is the end of the connection")
    func http10() throws {
        let terms = ConnectionTerms(keepAlive: true, chunks: false)
        let reply = try Desk().call("POST", "/v1/chat/completions", Array(Self.stream.utf8), [:], terms)
        #expect(reply.header("transfer-encoding") == nil && reply.ending == .close)
        #expect(reply.events.last?.data == "[DONE]")
    }
}

extension String {
    /// How often a text stands in this one.
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
