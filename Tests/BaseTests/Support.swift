import Base
import Testing

/// A seed for one random test, printed so that a failure can be repeated with WEIR_TEST_SEED.
func testSeed(_ test: String = #function) -> UInt64 {
    let seed = environmentVariable("WEIR_TEST_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    print("\(test): seed \(seed)")
    return seed
}

/// A JSON object and its members as they were written.
struct WrittenObject {
    var text = ""
    var members: [(key: String, value: String, kind: JSONKind)] = []
}

/// Random JSON objects: every kind of value, odd spacing, escapes, duplicates; never space at the end.
struct ObjectWriter {
    var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func object(members: Int, depth: Int) -> WrittenObject {
        var written = WrittenObject(text: "{")
        for index in 0..<members {
            if index > 0 { written.text += "," }
            let key = pick(["a", "usage", "model", #"\u006dodel"#, "", "é", #"x\"y"#, "{", "]"])
            let (value, kind) = value(depth: depth)
            written.text += space() + "\"\(key)\"" + space() + ":" + space() + value + space()
            written.members.append((key, value, kind))
        }
        if members == 0 { written.text += space() }
        written.text += "}"
        return written
    }

    mutating func value(depth: Int) -> (text: String, kind: JSONKind) {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
        case 0: (pick(["true", "false"]), .bool)
        case 1: ("null", .null)
        case 2, 3: (pick(["0", "-0", "1", "12.50", "-3e8", "0.1E-2", "9007199254740993", "1e999"]), .number)
        case 4, 5: (string(), .string)
        case 6: (object(members: Int.random(in: 0...3, using: &random), depth: depth - 1).text, .object)
        default: (array(depth: depth - 1), .array)
        }
    }

    private mutating func array(depth: Int) -> String {
        let items = (0..<Int.random(in: 0...3, using: &random)).map { _ in space() + value(depth: depth).text + space()
        }
        return "[" + items.joined(separator: ",") + "]"
    }

    private mutating func string() -> String {
        let parts = [
            "a", " ", #"\""#, #"\\"#, #"\/"#, #"\n"#, #"\u00e9"#, #"\ud83d\ude00"#, "é", "😀", "}", "]", ",", ":",
            #"\"usage\":1"#,
        ]
        return "\"" + (0..<Int.random(in: 0...5, using: &random)).map { _ in pick(parts) }.joined() + "\""
    }

    private mutating func space() -> String { pick(["", "", "", " ", "\n", "\t", "\r\n  "]) }

    mutating func pick(_ choices: [String]) -> String { choices[Int.random(in: 0..<choices.count, using: &random)] }
}
