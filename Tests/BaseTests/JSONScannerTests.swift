import Base
import Testing

struct JSONScannerTests {
    /// The members of an object, or why it is none.
    private func scan(_ text: some Collection<UInt8>) -> Result<[JSONMember], JSONError> {
        Array(text).withUnsafeBytes { bytes in
            var members: [JSONMember] = []
            var scanner = JSONScanner(bytes)
            do throws(JSONError) { try scanner.scanObject { members.append($0) } } catch { return .failure(error) }
            return .success(members)
        }
    }

    private func isObject(_ text: String) -> Bool { (try? scan(text.utf8).get()) != nil }

    @Test(
        "Valid values are accepted with their kind",
        arguments: [
            ("0", JSONKind.number), ("-0", .number), ("10", .number), ("-1.5e+10", .number), ("1E5", .number),
            ("0.0", .number), ("1e-0", .number), ("123456789012345678901234567890", .number), ("true", .bool),
            ("false", .bool), ("null", .null), (#""""#, .string), (#""a""#, .string),
            (#""\"\\\/\b\f\n\r\t\u00Af""#, .string),
            ("\"\u{7F}\u{2028}😀\"", .string), (#""\ud800""#, .string), ("[]", .array), ("[ ]", .array),
            ("[1,[2,{}]]", .array),
            ("{}", .object), ("{\t\r\n }", .object), (#"{"a":{"a":[null]}}"#, .object),
        ])
    func accepts(_ value: String, _ kind: JSONKind) throws {
        let text = #"{"v":\#(value)}"#
        let members = try scan(text.utf8).get()
        #expect(members.count == 1 && members[0].kind == kind)
        #expect(Array(text.utf8)[members[0].value].elementsEqual(value.utf8))
    }

    @Test(
        "What RFC 8259 does not allow is refused",
        arguments: [
            "", "+1", "01", "-01", "-", "1.", ".5", "1.e5", "1e", "1e+", "0x10", "1_000", "NaN", "Infinity",
            "-Infinity",
            "True", "TRUE", "tru", "truee", "nul", "undefined", "'a'", #""a"#, "\"a\nb\"", "\"a\tb\"", "\"\u{0}\"",
            #""\x41""#,
            #""\u12""#, #""\u12g4""#, #""\U0041""#, #""\"#, "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1:2]",
            "[}",
            "{", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{,"a":1}"#, "{a:1}", "{1:1}", #"{"a":1 "b":2}"#, #"{"a":1]"#,
            #"{"a"::1}"#, #"{"a";1}"#, "1 2", "1,", "1;", "/**/1", "//\n1", "\u{A0}1", "\u{FEFF}1", "\u{0B}1",
        ])
    func refuses(_ value: String) {
        #expect(!isObject(#"{"v":\#(value)}"#))
        #expect(!isObject(#"{"w":[\#(value)],"v":\#(value)}"#))
    }

    @Test(
        "The whole text is one object, with white space and a byte order mark around it at most",
        arguments: [
            ("{}", true), (" \t\r\n{ } \n", true), ("\u{FEFF}{}", true), ("\u{FEFF} {}", true), ("{}{}", false),
            ("{} x", false), ("{},", false), ("[]", false), ("1", false), ("\"{}\"", false), ("null", false),
            ("", false),
            (" ", false), ("\u{FEFF}", false), (" \u{FEFF}{}", false), ("{}\u{0}", false),
        ])
    func wholeText(_ text: String, _ accepted: Bool) {
        #expect(isObject(text) == accepted)
    }

    @Test("Nesting of 512 inside the object is accepted, of 513 not", arguments: ["[", #"{"a":"#, #"[{"b":"#])
    func nesting(_ opening: String) {
        let closing = String(opening.filter { $0 == "[" || $0 == "{" }.reversed().map { $0 == "[" ? "]" : "}" })
        let levels = closing.count
        func nested(_ depth: Int) -> String {
            let whole = depth / levels
            let rest = depth % levels
            return #"{"v":"# + String(repeating: opening, count: whole) + String(repeating: "[", count: rest) + "1"
                + String(repeating: "]", count: rest) + String(repeating: closing, count: whole) + "}"
        }
        #expect(isObject(nested(512)))
        #expect(!isObject(nested(513)))
    }

    @Test("A hundred thousand brackets are refused where the limit is, not after them")
    func bomb() {
        for bracket in ["[", #"{"":"#] {
            guard case .failure(let error) = scan((#"{"v":"# + String(repeating: bracket, count: 100_000)).utf8) else {
                Issue.record("such a text was accepted")
                return
            }
            #expect(error.offset < 6_000)
            #expect(error.message.contains("nesting"))
            #expect(error.code == "invalid_json")
        }
    }

    @Test("Keys and values come as exact ranges, in order, duplicates and escapes included")
    func ranges() throws {
        let text = #" { "a" : 1 , "a":"x\"y", "\u0061" :[ 1, {"b":2} ] ,"":{ } }"#
        let bytes = Array(text.utf8)
        let members = try scan(bytes).get()
        #expect(members.map { String(decoding: bytes[$0.key], as: UTF8.self) } == ["a", "a", #"\u0061"#, ""])
        #expect(
            members.map { String(decoding: bytes[$0.value], as: UTF8.self) }
                == ["1", #""x\"y""#, #"[ 1, {"b":2} ]"#, "{ }"])
        #expect(members.map(\.keyIsEscaped) == [false, false, true, false])
        #expect(members.map(\.kind) == [.number, .string, .array, .object])
    }

    @Test("Objects and arrays inside are scanned by their range")
    func inside() throws {
        let bytes = Array(#"{"o":{"x":1,"y":[2]},"l":[ 1 ,"two",[3],{"k":4}, null ],"e":[ ]}"#.utf8)
        let members = try scan(bytes).get()
        try bytes.withUnsafeBytes { raw in
            var scanner = JSONScanner(raw)
            var keys: [String] = []
            try scanner.scanObject(in: members[0].value) { keys.append(String(decoding: raw[$0.key], as: UTF8.self)) }
            #expect(keys == ["x", "y"])
            #expect(scanner.position == members[0].value.upperBound)
            var items: [String] = []
            var kinds: [JSONKind] = []
            try scanner.scanArray(in: members[1].value) { range, kind in
                items.append(String(decoding: raw[range], as: UTF8.self))
                kinds.append(kind)
            }
            #expect(items == ["1", #""two""#, "[3]", #"{"k":4}"#, "null"])
            #expect(kinds == [.number, .string, .array, .object, .null])
            try scanner.scanArray(in: members[2].value) { _, _ in Issue.record("an empty array has no element") }
            #expect(throws: JSONError.self) { try scanner.scanArray(in: members[0].value) { _, _ in } }
            #expect(throws: JSONError.self) { try scanner.scanObject(in: members[1].value) { _ in } }
        }
    }

    @Test("An error says where")
    func offsets() {
        for (text, offset) in [("{\"a\":tru}", 8), ("{\"a\" 1}", 5), ("{}x", 2), ("{\"a\":\"b", 5), ("{\"a\":1", 6)] {
            guard case .failure(let error) = scan(text.utf8) else {
                Issue.record("\(text) was accepted")
                continue
            }
            #expect(error.offset == offset, "\(text): \(error.message)")
        }
    }

    @Test("Random objects are read as they were written, and no prefix of one is an object")
    func randomObjects() throws {
        let seed = testSeed()
        var writer = ObjectWriter(seed: seed)
        for _ in 0..<300 {
            let written = writer.object(members: Int.random(in: 0...5, using: &writer.random), depth: 4)
            let bytes = Array(written.text.utf8)
            let members = try scan(bytes).get()
            let read = members.map {
                (
                    String(decoding: bytes[$0.key], as: UTF8.self), String(decoding: bytes[$0.value], as: UTF8.self),
                    $0.kind
                )
            }
            #expect(read.count == written.members.count, "seed \(seed): \(written.text)")
            for (found, expected) in zip(read, written.members) {
                #expect(found == expected, "seed \(seed): \(written.text)")
            }
            for end in 0..<bytes.count {
                if case .success = scan(bytes[..<end]) {
                    Issue.record("seed \(seed): accepted \(end) of \(written.text)")
                }
            }
        }
    }

    @Test("Random bytes never trap the scanner")
    func randomBytes() {
        let seed = testSeed()
        var random = SeededRandom(seed: seed)
        let alphabet = Array(#"{}[]:,"\u0e1-+.tfn "#.utf8) + [0, 0x1F, 0x80, 0xFF]
        var accepted = 0
        for _ in 0..<50_000 {
            let text = (0..<Int.random(in: 1...16, using: &random)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            if case .success = scan([UInt8(ascii: "{")] + text) { accepted += 1 }
        }
        #expect(accepted < 50_000, "seed \(seed)")
    }
}
