import Base
import Testing

struct JSONTextTests {
    @Test(
        "A string is decoded with its escapes",
        arguments: [
            (#""""#, ""), (#""abc""#, "abc"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0041\u00e9\u20AC""#, "Aé€"),
            (#""\ud83d\ude00""#, "😀"), (#""\uD83D\uDE00!""#, "😀!"), (#""\uFFFF""#, "\u{FFFF}"), (#""\u0000""#, "\u{0}"),
            (#""\ud800\udc00""#, "\u{10000}"), (#""\udbff\udfff""#, "\u{10FFFF}"), ("\"é😀\"", "é😀"),
        ])
    func decodes(_ text: String, _ expected: String) {
        #expect(JSONText.decodeString(text.utf8) == expected)
    }

    @Test(
        "What is no string, or no Unicode, gives nil",
        arguments: [
            "", "\"", "a", "1", "null", #"'a'"#, #""\ud83d""#, #""\ud83dx""#, #""\ud83d\n""#, #""\ud83d\u0041""#,
            #""\ude00""#,
            #""\ud83d\ud83d""#, #""\u12""#, #""\uzzzz""#,
        ])
    func refuses(_ text: String) {
        #expect(JSONText.decodeString(text.utf8) == nil)
    }

    @Test(
        "Bytes that are not UTF-8 give nil, with and without escapes",
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xC0, 0x80, 0x22],
            [0x22, 0x5C, 0x6E, 0xFF, 0x22], [0x22, 0xF5, 0x80, 0x80, 0x80, 0x22],
        ] as [[UInt8]])
    func refusesBadUTF8(_ bytes: [UInt8]) {
        #expect(JSONText.decodeString(bytes) == nil)
    }

    @Test("Quoting is one line of valid JSON that decodes to the same text")
    func roundTrip() {
        let seed = testSeed()
        var random = SeededRandom(seed: seed)
        let odd: [Unicode.Scalar] = [
            "\"", "\\", "/", "\n", "\r", "\t", "\u{0}", "\u{1F}", "\u{7F}", "\u{85}", "\u{2028}",
            "\u{2029}", "é", "😀", "\u{10FFFF}", "a", " ",
        ]
        for _ in 0..<2_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                text.append(odd[Int.random(in: 0..<odd.count, using: &random)])
            }
            let original = String(text)
            let quoted = JSONText.quote(original)
            #expect(JSONText.decodeString(quoted.utf8).map { Array($0.utf8) } == Array(original.utf8), "seed \(seed)")
            #expect(quoted.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x2028 && $0.value != 0x2029 })
        }
    }

    @Test("A value is written compactly, members in order")
    func values() {
        let value = JSONValue.object([
            ("b", "x\"y"), ("a", 1), ("n", .null), ("t", true), ("f", .number(0.5)), ("i", .number(.infinity)),
            ("l", .array([.number(.nan), .integer(.min), .object([])])), ("none", JSONValue(nil as String?)),
        ])
        #expect(
            value.text == #"{"b":"x\"y","a":1,"n":null,"t":true,"f":0.5,"i":null,"#
                + #""l":[null,-9223372036854775808,{}],"none":null}"#)
    }
}
