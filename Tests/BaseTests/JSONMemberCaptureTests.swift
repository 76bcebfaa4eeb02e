import Base
import Testing

struct JSONMemberCaptureTests {
    private let names = ["usage", "model", "id"]

    /// What is captured when the text comes in these pieces.
    private func capture(_ text: some Collection<UInt8>, cuts: [Int]) -> (values: [String?], isComplete: Bool) {
        let bytes = Array(text)
        var capture = JSONMemberCapture(names)
        for (start, end) in zip([0] + cuts, cuts + [bytes.count]) {
            bytes[start..<end].withUnsafeBytes { capture.feed($0) }
        }
        return (capture.values.map { $0.map { String(decoding: $0, as: UTF8.self) } }, capture.isComplete)
    }

    @Test(
        "Top-level members are found whatever their kind, spacing trimmed",
        arguments: [
            (#"{"usage":{"a":[1,{"b":2}]},"model":"m","id":7}"#, [#"{"a":[1,{"b":2}]}"#, #""m""#, "7"]),
            (#" { "id" : "x\"}y" , "model":null ,"usage": true } "#, ["true", "null", #""x\"}y""#]),
            ("{\"usage\"\n:\t1.5e3\r\n,\"other\":[\"usage\",2]}", ["1.5e3", nil, nil]),
            (#"{}"#, [nil, nil, nil]), (#"{"Usage":1,"usages":2,"usag":3}"#, [nil, nil, nil]),
            (#"{"usage":1,"usage":2}"#, ["2", nil, nil]), (#"["usage",{"usage":1}]"#, [nil, nil, nil]),
        ] as [(String, [String?])])
    func finds(_ text: String, _ values: [String?]) {
        let found = capture(text.utf8, cuts: [])
        #expect(found.values == values)
        #expect(found.isComplete)
    }

    @Test("Look-alikes in strings and further down are ignored")
    func lookAlikes() {
        let text = #"""
            {"text":"\"usage\":1,\"model\":2}","inner":{"usage":{"x":1},"id":[{"model":3}]},"usage\"":4,
            "content":"{\"id\":\"no\"}\\","choices":[{"model":"no"},"usage","id"],"model":"yes"}
            """#
        #expect(capture(text.utf8, cuts: []).values == [nil, #""yes""#, nil])
    }

    @Test("Nothing is reported of an object that has not ended, but what came before is there")
    func incomplete() {
        let found = capture(#"{"model":"m","usage":{"a":1}"#.utf8, cuts: [])
        #expect(found.values == [nil, #""m""#, nil])
        #expect(!found.isComplete)
    }

    @Test("What follows the object is not looked at")
    func afterTheEnd() {
        #expect(capture(#"{"id":1}{"id":2}"#.utf8, cuts: []).values == [nil, nil, "1"])
    }

    @Test("A value of 16 KiB is kept, a longer one dropped, and the next member found all the same")
    func oversized() {
        let most = JSONMemberCapture.valueBytesMax
        for (length, isKept) in [(most, true), (most + 1, false), (4 * most, false)] {
            let value = "\"" + String(repeating: "x", count: length - 2) + "\""
            let found = capture(#"{"usage":\#(value),"model":"m"}"#.utf8, cuts: [])
            #expect(found.values[0] == (isKept ? value : nil), "\(length) bytes")
            #expect(found.values[1] == #""m""#)
        }
        let key = String(repeating: "k", count: 100_000)
        #expect(capture(#"{"\#(key)":1,"id":2}"#.utf8, cuts: []).values == [nil, nil, "2"])
    }

    @Test("Cut in three anywhere, the same values are found")
    func everySplit() {
        let bytes = Array(#"{"a":"\\","model":"é\"",  "usage" : {"x":[1, "}"]} ,"id":-1}"#.utf8)
        let whole = capture(bytes, cuts: [])
        #expect(whole.values == [#"{"x":[1, "}"]}"#, #""é\"""#, "-1"])
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let found = capture(bytes, cuts: [first, second])
                #expect(found.values == whole.values && found.isComplete, "cut at \(first) and \(second)")
            }
        }
    }

    @Test("Of random objects in random pieces it finds what the scanner finds")
    func agreesWithScanner() throws {
        let seed = testSeed()
        var writer = ObjectWriter(seed: seed)
        for _ in 0..<1_000 {
            let written = writer.object(members: Int.random(in: 0...6, using: &writer.random), depth: 3)
            let bytes = Array(written.text.utf8)
            let cuts = (0..<4).map { _ in Int.random(in: 0...bytes.count, using: &writer.random) }.sorted()
            let expected = names.map { name in written.members.last { $0.key == name }?.value }
            let found = capture(bytes, cuts: cuts)
            #expect(found.values == expected && found.isComplete, "seed \(seed): \(written.text)")
        }
    }
}
