import Base
import NIOCore
import NIOHTTP1
import Testing

@testable import Simulator

@Suite("Behaviour on demand")
struct BehaviourTests {
    private let desk = Desk()
    private static let plain = #"{"model":"m","messages":[{"role":"user","content":"q"}]}"#
    private static let stream = #"{"model":"m","stream":true,"messages":[{"role":"user","content":"q"}]}"#
    private static let claude = stream.replacing("\"stream\"", with: "\"max_tokens\":99,\"stream\"")

    private func chat(_ simulate: String) throws -> Reply {
        try desk.post("/v1/chat/completions", Self.plain, simulate: simulate)
    }

    private func chatStream(_ simulate: String) throws -> Reply {
        try desk.post("/v1/chat/completions", Self.stream, simulate: simulate)
    }

    private func messages(_ simulate: String) throws -> Reply {
        try desk.post("/v1/messages", Self.claude, simulate: simulate)
    }

    @Test("the list is read whole, with spaces and bare names, and adds up")
    func parse() throws {
        var behaviour = Behaviour()
        try behaviour.apply("status=429, retry-after=2,latency=300ms,drip,retry-after-date,tps=12.5,gzip=force")
        try behaviour.apply("reset=7")
        var expected = Behaviour()
        (expected.status, expected.retryAfter, expected.latency) = (429, 2, .milliseconds(300))
        (expected.drip, expected.retryAfterDate, expected.tokensPerSecond) = (true, 2, 12.5)
        (expected.gzip, expected.gzipForced, expected.reset) = (true, true, 7)
        #expect(behaviour == expected)
    }

    @Test(
        "what it does not know is refused",
        arguments: ["nonsense", "status", "status=20", "status=999", "tokens=-1", "latency=5", "drip=2", "tps=inf"])
    func refused(text: String) throws {
        let reply = try chat(text)
        #expect(reply.status == 400)
        #expect(try reply.json()["error"]["code"].string == "bad_behaviour")
    }

    @Test("the body may ask too, and the header wins")
    func inBody() throws {
        let body = String(Self.plain.dropLast() + ",\"x_simulate\":\"status=503,retry-after=9\"}")
        let reply = try desk.post("/v1/chat/completions", body)
        #expect(reply.status == 503 && reply.header("retry-after") == "9")
        #expect(try desk.post("/v1/chat/completions", body, simulate: "status=500").status == 500)
    }

    @Test("status and the hints for a retry")
    func status() throws {
        let reply = try chat("status=429,retry-after=2,retry-after-ms=1500,x-ms-retry-after-ms=7")
        #expect(reply.status == 429 && reply.header("retry-after") == "2")
        #expect(reply.header("retry-after-ms") == "1500" && reply.header("x-ms-retry-after-ms") == "7")
        #expect(try reply.json()["error"]["code"].string == "rate_limit_exceeded")
        let dated = try chat("status=503,retry-after-date").header("retry-after") ?? ""
        #expect(dated.hasSuffix(" GMT") && dated.split(separator: " ").count == 6)
        let reset = try messages("status=429,reset-header=5").header("anthropic-ratelimit-requests-reset") ?? ""
        #expect(reset > UnixTime.now().iso8601 && reset.hasSuffix("Z"))
        #expect(ClockTexts.httpDate(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
    }

    @Test("an HTML page in place of JSON")
    func html() throws {
        let reply = try chat("html=502")
        #expect(reply.status == 502 && reply.header("content-type") == "text/html" && reply.body.hasPrefix("<html>"))
    }

    @Test("200 and then an error as the first event")
    func errorFirst() throws {
        let openAI = try chatStream("error-first")
        #expect(openAI.status == 200 && openAI.events.count == 1 && openAI.chunks.isComplete)
        #expect(try openAI.eventTrees()[0]["error"]["message"].string != nil)
        let anthropic = try messages("error-first")
        #expect(anthropic.events.map(\.name) == ["error"])
        #expect(try anthropic.eventTrees()[0]["error"]["type"].string == "overloaded_error")
    }

    @Test("an error after some tokens, with no regular end")
    func errorMid() throws {
        let openAI = try chatStream("error-mid=3")
        #expect(try openAI.chatText().split(separator: " ").count == 3)
        #expect(try openAI.eventTrees().last?.has("error") == true && openAI.events.last?.data != "[DONE]")
        let anthropic = try messages("error-mid=2")
        #expect(anthropic.events.filter { $0.name == "content_block_delta" }.count == 2)
        #expect(anthropic.events.last?.name == "error")
    }

    @Test("a stall sends its tokens and then nothing, for ever")
    func stall() throws {
        let reply = try chatStream("stall=2")
        #expect(try reply.chatText().split(separator: " ").count == 2)
        #expect(reply.ending == .stall && !reply.chunks.isComplete)
        let hung = try chat("hang")
        #expect(hung.ending == .stall && hung.wire.isEmpty)
    }

    @Test("a cut after bytes keeps exactly these", arguments: [0, 1, 100, 1_000])
    func cut(bytes: Int) throws {
        let whole = try chatStream("tokens=30").bodyBytes
        let closed = try chatStream("tokens=30,close=\(bytes)")
        #expect(closed.ending == .close && closed.bodyBytes == Array(whole.prefix(bytes)))
        #expect(!closed.chunks.isComplete && closed.status == 200)
        let reset = try chatStream("tokens=30,reset=\(bytes)")
        #expect(reset.ending == .reset)
        #expect(bytes == 0 ? reset.wire.isEmpty : reset.bodyBytes == Array(whole.prefix(bytes)))
        let plain = try chat("close=\(bytes)")
        #expect(plain.framedBody.count == min(bytes, Int(plain.header("content-length") ?? "") ?? 0))
    }

    @Test("a stream without its last event or its last blank line")
    func noEnd() throws {
        #expect(try chatStream("no-done").events.last?.data != "[DONE]")
        #expect(try chatStream("no-done").chunks.isComplete)
        #expect(try messages("no-done").events.last?.name == "message_delta")
        #expect(try chatStream("missing-blank").body.hasSuffix("data: [DONE]\n"))
        #expect(try !chatStream("missing-blank").body.hasSuffix("\n\n"))
    }

    @Test("line ends, comments and data over two lines change nothing that is said")
    func styles() throws {
        let reference = try chatStream("tokens=9").eventTrees()
        let crlf = try chatStream("tokens=9,crlf")
        #expect(try crlf.eventTrees() == reference)
        let lines = crlf.body.utf8.split(separator: UInt8(ascii: "\n"))
        #expect(lines.allSatisfy { $0.last == UInt8(ascii: "\r") })
        let comments = try chatStream("tokens=9,comments")
        #expect(try comments.eventTrees() == reference)
        #expect(comments.body.contains(": keep-alive\n\n") && comments.body.contains(",\ndata: "))
    }

    @Test("every byte is a write and a chunk of its own")
    func split() throws {
        let whole = try chatStream("tokens=3,utf8")
        let reply = try chatStream("tokens=3,utf8,split")
        #expect(reply.bodyBytes == whole.bodyBytes)
        #expect(reply.chunks.all.allSatisfy { $0.count == 1 } && reply.writes.count >= whole.bodyBytes.count)
        let plain = try chat("split")
        #expect(plain.writes.dropFirst().allSatisfy { $0.bytes.count == 1 })
        #expect(try plain.json() == chat("latency=0").json())
    }

    @Test("text outside ASCII, up to four bytes a character, and still JSON")
    func utf8() throws {
        let text = try chatStream("utf8,tokens=200").chatText()
        #expect(text.utf8.contains { $0 >= 0xF0 })
        #expect(try chat("utf8,tokens=200").json()["choices"][0]["message"]["content"].string?.utf8.count ?? 0 > 400)
    }

    @Test("half a UTF-8 sequence and a line that is no JSON stand in one event each")
    func malformed() throws {
        let bad = try chatStream("bad-utf8,tokens=5")
        #expect(String(validating: bad.bodyBytes, as: UTF8.self) == nil)
        #expect(bad.bodyBytes.firstRange(of: [0xF0, 0x9F, UInt8(ascii: "\"")]) != nil)
        let broken = try chatStream("malformed,tokens=5")
        #expect(broken.events.filter { (try? JSONTree.parse(Array($0.data.utf8))) == nil }.count == 2)
        #expect(broken.events.last?.data == "[DONE]")
    }

    @Test("one data line has exactly the length that was asked for")
    func longLine() throws {
        let lines = try chatStream("long-line=70000,tokens=5").body.split(separator: "\n")
        #expect(lines.filter { $0.utf8.count == 70_000 }.count == 1)
        let other = try messages("long-line=3000,tokens=5").body.split(separator: "\n")
        #expect(other.filter { $0.utf8.count == 3_000 }.count == 1)
    }

    @Test("usage in a chunk with an empty delta, or nowhere")
    func usage() throws {
        let body = String(Self.stream.dropLast() + ",\"stream_options\":{\"include_usage\":true}}")
        let last = try desk.post("/v1/chat/completions", body, simulate: "usage-delta").eventTrees().last
        #expect(last?["choices"][0]["delta"] == .object([:]) && last?["usage"]["total_tokens"].integer != nil)
        #expect(try desk.post("/v1/chat/completions", body, simulate: "no-usage").body.contains("usage") == false)
        #expect(try chat("no-usage").json().has("usage") == false)
    }

    @Test("more is announced than comes")
    func truncate() throws {
        let plain = try chat("truncate")
        #expect(Int(plain.header("content-length") ?? "") == plain.framedBody.count + 64 && plain.ending == .close)
        let stream = try chatStream("truncate")
        #expect(!stream.chunks.isComplete && stream.ending == .close)
    }

    @Test("a chunk size that is no number")
    func badChunk() throws {
        for reply in [try chat("bad-chunk"), try chatStream("bad-chunk")] {
            #expect(reply.header("transfer-encoding") == "chunked" && !reply.chunks.isComplete)
            #expect(reply.framedBody.firstRange(of: Array("zz\r\n".utf8)) != nil && reply.ending == .close)
        }
    }

    @Test("a second answer that nobody asked for follows the first")
    func extra() throws {
        let reply = try chat("extra")
        let length = Int(reply.header("content-length") ?? "") ?? 0
        let second = Reply(wire: Array(reply.framedBody[length...]))
        #expect(second.status == 200 && second.body == "extra\n" && reply.ending == .keepAlive)
    }

    @Test("the head drips byte by byte")
    func drip() throws {
        let reply = try chat("drip")
        let headBytes = reply.wire.count - reply.framedBody.count
        #expect(reply.writes.prefix(headBytes).allSatisfy { $0.bytes.count == 1 })
        #expect(reply.writes.count == headBytes + 1)
    }

    @Test("the connection closes after the answer though nothing said so")
    func closeIdle() throws {
        let reply = try chat("close-idle")
        #expect(reply.ending == .close && reply.header("connection") == nil)
    }

    @Test("a plain answer of any size", arguments: [5_000, 300_000])
    func big(size: Int) throws {
        let reply = try chat("big=\(size)")
        #expect(reply.framedBody.count == size)
        #expect(try reply.json()["choices"][0]["message"]["content"].string != nil)
        let claude = Self.claude.replacing("\"stream\":true,", with: "")
        #expect(try desk.post("/v1/messages", claude, simulate: "big=\(size)").framedBody.count == size)
    }

    @Test("faults by rate hit the same calls on every run")
    func faults() throws {
        let rates = try FaultRates(text: "429:0.2,503:0.1,reset:0.1")
        func run() throws -> [Int] {
            let desk = Desk { $0.faults = rates }
            return try (0..<300).map { _ in try desk.post("/v1/chat/completions", Self.plain).status }
        }
        let first = try run()
        #expect(try run() == first)
        #expect((35...85).contains(first.filter { $0 == 429 }.count))
        #expect((12...50).contains(first.filter { $0 == 0 }.count), "0: reset before the head")
    }

    @Test(
        "rates that make no sense are refused", arguments: ["429", "429:2", "700:0.1", "a:0.1", "429:0.6,503:0.6"])
    func badRates(text: String) {
        #expect(throws: FaultRatesError.self) { try FaultRates(text: text) }
    }

    @Test("with a required key, another one is a 401 in the dialect")
    func requiredKey() throws {
        let desk = Desk { $0.requiredKey = "sk-1" }
        #expect(try desk.post("/v1/chat/completions", Self.plain).status == 401)
        #expect(try desk.post("/v1/messages", Self.claude).json()["error"]["type"].string == "authentication_error")
        #expect(try desk.post("/v1/chat/completions", Self.plain, ["Authorization": "Bearer sk-1"]).status == 200)
        #expect(try desk.post("/v1/messages", Self.claude, ["x-api-key": "sk-1"]).status == 200)
    }
}
