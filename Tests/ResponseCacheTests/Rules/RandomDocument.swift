import Base

/// A JSON document to be spelled in many ways.
indirect enum RandomDocument {
    case integer(Int)
    /// A decimal: digits times ten to the power.
    case decimal(Int, Int)
    case string(String)
    case word(String)
    case array([RandomDocument])
    case object([(String, RandomDocument)])

    static func object(_ random: inout SeededRandom, depth: Int) -> RandomDocument {
        let count = Int(random.next() % 6)
        return .object((0..<count).map { ("\(letters(&random))\($0)", make(&random, depth: depth - 1)) })
    }

    private static func make(_ random: inout SeededRandom, depth: Int) -> RandomDocument {
        switch random.next() % (depth > 0 ? 6 : 4) {
        case 0: .integer(Int(random.next() >> (1 + random.next() % 60)) * (random.next() & 1 == 0 ? 1 : -1))
        case 1: .decimal(Int(random.next() % 100_000), Int(random.next() % 40) - 20)
        case 2: .string(letters(&random))
        case 3: .word(["true", "false", "null"][Int(random.next() % 3)])
        case 4: .array((0..<Int(random.next() % 4)).map { _ in make(&random, depth: depth - 1) })
        default: object(&random, depth: depth)
        }
    }

    private static func letters(_ random: inout SeededRandom) -> String {
        let alphabet = Array("abcABC \"\\/\n\t\u{1}é€😀_09")
        return String((0..<Int(random.next() % 12)).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] })
    }

    /// One of its many spellings.
    func text(_ random: inout SeededRandom) -> String {
        let space = [" ", "", "\n\t", ""][Int(random.next() % 4)]
        switch self {
        case .integer(let value): return random.next() & 1 == 0 ? "\(value)" : "\(value).0"
        case .decimal(let digits, let power):
            let zeros = Int(random.next() % 3)
            return "\(digits)\(String(repeating: "0", count: zeros))e\(power - zeros)"
        case .string(let value): return Self.quote(value, &random)
        case .word(let word): return word
        case .array(let values):
            return "[" + values.map { space + $0.text(&random) + space }.joined(separator: ",") + "]"
        case .object(let members):
            let texts = members.shuffled(using: &random).map {
                "\(space)\(Self.quote($0.0, &random))\(space):\(space)\($0.1.text(&random))"
            }
            return "{" + texts.joined(separator: ",") + space + "}"
        }
    }

    private static func quote(_ text: String, _ random: inout SeededRandom) -> String {
        var quoted = ""
        for scalar in text.unicodeScalars {
            if random.next() % 3 == 0 || scalar.value < 0x20 {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16, uppercase: random.next() & 1 == 0)
                    quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            } else if scalar == "\"" || scalar == "\\" {
                quoted += "\\\(scalar)"
            } else {
                quoted += String(scalar)
            }
        }
        return "\"\(quoted)\""
    }

    /// The same document but for one value.
    func withOneLeafChanged(_ random: inout SeededRandom) -> RandomDocument {
        switch self {
        case .integer(let value): return .integer(value ^ 1)
        case .decimal(let digits, let power): return .decimal(digits + 1, power)
        case .string(let text): return .string(text + "x")
        case .word(let word): return .word(word == "true" ? "false" : "true")
        case .array(var values):
            guard !values.isEmpty else { return .array([.word("null")]) }
            let index = Int(random.next() % UInt64(values.count))
            values[index] = values[index].withOneLeafChanged(&random)
            return .array(values)
        case .object(var members):
            guard !members.isEmpty else { return .object([("new", .word("null"))]) }
            let index = Int(random.next() % UInt64(members.count))
            members[index].1 = members[index].1.withOneLeafChanged(&random)
            return .object(members)
        }
    }
}
