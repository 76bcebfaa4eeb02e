import Base
import NIOCore
import Testing

@testable import ResponseCache

@Suite("the one spelling of a request")
struct CanonicalFormTests {
    @Test(
        "key order, white space, string and number spelling do not matter",
        arguments: [
            (
                #" { "b" : [ 1 , true , null ] , "a" : { "y" : { } , "x" : "é" } } "#,
                #"{"a":{"x":"é","y":{}},"b":[1,true,null]}"#
            ),
            (
                #"{"a":"\u00e9\/\ud83d\ude00\u0041\u000a\u001F\u0008\u000c\u000d\u0009\u0022\u005c"}"#,
                #"{"a":"é/😀A\n\u001f\b\f\r\t\"\\"}"#
            ),
            (#"{"\u0061a":1,"a":2,"":3}"#, #"{"":3,"a":2,"aa":1}"#),
            (
                #"{"b":{"b":{"b":1,"a":2},"a":[{"d":1,"c":{"f":1,"e":2}}]},"a":0}"#,
                #"{"a":0,"b":{"a":[{"c":{"e":2,"f":1},"d":1}],"b":{"a":2,"b":1}}}"#
            ),
            ("\u{FEFF}{}", "{}"),
            (
                #"{"model":"x","user":"u","z":1,"stream":true,"metadata":{"b":1,"a":2},"a":{"model":1}}"#,
                #"{"a":{"model":1},"z":1}"#
            ),
            (#"{"model":"x","stream":false}"#, "{}"),
        ])
    func spelling(_ text: String, _ canonical: String) { #expect(RuleDesk.canonical(text) == canonical) }

    @Test(
        "a number has one spelling",
        arguments: [
            ("1", ["1", "1.0", "1e0", "10e-1", "0.1E+1", "1.000", "100E-2"]),
            ("1e-1", ["0.1", "0.10", "1e-1", "10e-2", "0.01e1"]),
            ("0", ["0", "-0", "0.0", "-0.0e5", "0e999999999999999999999"]),
            ("-15e-1", ["-1.5", "-15e-1", "-0.15e1"]),
            ("1e2", ["100", "1e2", "1E+02", "100.0"]),
            ("9007199254740993", ["9007199254740993", "9007199254740993.0", "9.007199254740993e15"]),
            ("9007199254740992", ["9007199254740992"]),
            ("1e400", ["1e400", "10E399"]),
            ("1e-1000000000", ["1e-1000000000"]),
        ])
    func numbers(_ canonical: String, _ spellings: [String]) {
        for spelling in spellings { #expect(RuleDesk.canonical("{\"a\":\(spelling)}") == "{\"a\":\(canonical)}") }
    }

    @Test(
        "what has no one meaning is not cached",
        arguments: [
            (#"{"a":1,"a":1}"#, BypassReason.duplicateMember), (#"{"x":[{"a":1,"b":2,"\u0061":3}]}"#, .duplicateMember),
            (#"{"user":"a","b":1,"user":"b"}"#, .duplicateMember), (#"{"a":"\ud800"}"#, .invalidText),
            (#"{"a":"\ud800\u0041"}"#, .invalidText), (#"{"a":"\udc00"}"#, .invalidText),
            (#"{"a":"\ud800x"}"#, .invalidText),
            (#"{"a":1e1000000001}"#, .numberOutOfRange), (#"{"a":1e99999999999999999999999}"#, .numberOutOfRange),
            ("", .invalidJSON), ("[]", .invalidJSON), ("{", .invalidJSON), (#"{"a"}"#, .invalidJSON),
            (#"{"a":}"#, .invalidJSON),
            (#"{"a":1,}"#, .invalidJSON), (#"{"a":[1,]}"#, .invalidJSON), (#"{"a":01}"#, .invalidJSON),
            (#"{"a":1.}"#, .invalidJSON),
            (#"{"a":-}"#, .invalidJSON), (#"{"a":1e}"#, .invalidJSON), (#"{"a":"\x"}"#, .invalidJSON),
            (#"{"a":"\u12g4"}"#, .invalidJSON),
            (#"{"a":"b"#, .invalidJSON), (#"{"a":"\"#, .invalidJSON), (#"{"a":tru}"#, .invalidJSON),
            (#"{} x"#, .invalidJSON),
            ("{\"a\":\"\u{1}\"}", .invalidJSON), (#"{"a":1 "b":2}"#, .invalidJSON), (#"{a:1}"#, .invalidJSON),
        ])
    func refused(_ text: String, _ reason: BypassReason) {
        let inquiry = RuleDesk.ask(text)
        #expect(inquiry.cacheability == .bypass(reason))
        #expect(inquiry.identity == nil)
    }

    @Test(
        "bytes that are not UTF-8 are not cached",
        arguments: [
            [0xFF], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3],
            [0xE2, 0x82],
        ] as [[UInt8]])
    func notText(_ bad: [UInt8]) {
        #expect(RuleDesk.bytes(Array("{\"a\":\"12345678".utf8) + bad + Array("\"}".utf8)) == .bypass(.invalidText))
    }

    @Test("every place in a string is checked, wherever eight bytes begin")
    func alignment() {
        for length in 0..<20 {
            let plain = String(repeating: "x", count: length)
            #expect(RuleDesk.canonical("{\"a\":\"\(plain)\\u00e9\(plain)€\"}") == "{\"a\":\"\(plain)é\(plain)€\"}")
            #expect(
                RuleDesk.bytes(Array("{\"a\":\"\(plain)".utf8) + [0x1F] + Array("\"}".utf8)) == .bypass(.invalidJSON))
        }
    }

    @Test("nesting is bounded")
    func depth() {
        func nested(_ levels: Int) -> String {
            "{\"a\":" + String(repeating: "[", count: levels) + String(repeating: "]", count: levels) + "}"
        }
        #expect(RuleDesk.canonical(nested(Limits.jsonDepthMax - 1)) == nested(Limits.jsonDepthMax - 1))
        #expect(RuleDesk.ask(nested(Limits.jsonDepthMax)).cacheability == .bypass(.tooDeep))
    }

    @Test("the members to be sorted are bounded")
    func members() {
        func body(_ count: Int) -> String { "{" + (0..<count).map { "\"\($0)\":0" }.joined(separator: ",") + "}" }
        #expect(RuleDesk.ask(body(1_000)).identity != nil)
        #expect(RuleDesk.ask(body(CanonicalScanner.membersMax + 1)).cacheability == .bypass(.tooComplex))
    }

    @Test("random documents spelled anew have the same identity, and any changed leaf gives another")
    func respelled() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        for round in 0..<300 {
            let tree = RandomDocument.object(&random, depth: 4)
            let first = RuleDesk.ask(tree.text(&random))
            let second = RuleDesk.ask(tree.text(&random))
            #expect(first.identity != nil, "seed \(seed), round \(round)")
            #expect(first.identity == second.identity, "seed \(seed), round \(round)")
            if let canonical = first.identity.map({ String(buffer: $0.canonicalBody) }) {
                #expect(RuleDesk.canonical(canonical) == canonical, "seed \(seed), round \(round)")
            }
            let third = RuleDesk.ask(tree.withOneLeafChanged(&random).text(&random))
            #expect(third.identity?.key != first.identity?.key, "seed \(seed), round \(round)")
            #expect(third.identity?.request != first.identity?.request, "seed \(seed), round \(round)")
        }
    }

    @Test("random bytes in place of others never crash, and are refused or mean something else")
    func mutated() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        let text = Array(
            #"{"messages":[{"role":"user","content":"a\u00e9\n é"}],"temperature":0.10,"n":[-1e5,10,{}]}"#.utf8)
        for _ in 0..<3_000 {
            var bytes = text
            for _ in 0..<(1 + Int(random.next() % 3)) {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(random.next() & 255)
            }
            bytes.removeLast(Int(random.next() % 4))
            let inquiry = CacheInquiry(ByteBuffer(bytes: bytes), RuleDesk.scope(), .all, CacheDirectives())
            if let body = inquiry.identity?.canonicalBody {
                let again = CacheInquiry(body, RuleDesk.scope(), .all, CacheDirectives()).identity?.canonicalBody
                #expect(again == body, "seed \(seed): \(bytes)")
            }
        }
    }

    @Test("what is written stays within its room, when nearly every number grows and when the body breaks off")
    func room() {
        let text = Array(("{\"a\":[" + String(repeating: "1.5,-0.5,10,-1e-9,\"\\u0001é\",", count: 40) + "1.5]}").utf8)
        for length in 1...text.count {
            let capacity = CanonicalScanner.capacity(for: length)
            let output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: capacity + 64)
            defer { output.deallocate() }
            output.initialize(repeating: 0xA5)
            Array(text[..<length]).withUnsafeBufferPointer { input in
                guard let room = output.baseAddress else { return }
                var scanner = CanonicalScanner(input, output: room, family: .chat)
                let isWhole = (try? scanner.scan()) != nil
                #expect(isWhole == (length == text.count))
                #expect(output[capacity...].allSatisfy { $0 == 0xA5 })
            }
        }
    }

    @Test("work grows with the body and no faster, deep and out of order included")
    func linear() {
        func time(_ body: String) -> Double {
            (0..<3).map { _ in
                let start = MonotonicInstant.now()
                _ = RuleDesk.ask(body)
                return MonotonicInstant.now().duration(since: start).seconds
            }.min() ?? 0
        }
        func flat(_ count: Int) -> String {
            "{" + (0..<count).reversed().map { "\"k\($0)\":[{\"b\":1,\"a\":\"text\"}]" }.joined(separator: ",") + "}"
        }
        // A long value under many objects whose members must all move.
        func deep(_ length: Int, _ levels: Int) -> String {
            String(repeating: "{\"b\":", count: levels) + "\"" + String(repeating: "x", count: length) + "\""
                + String(repeating: ",\"a\":0}", count: levels)
        }
        #expect(time(flat(8_000)) < time(flat(1_000)) * 30)
        #expect(time(deep(400_000, 400)) < time(deep(0, 400)) * 3 + time(deep(400_000, 1)) * 6)
    }
}
