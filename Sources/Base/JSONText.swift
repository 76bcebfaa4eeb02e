/// Reading and writing single JSON values as text.
package enum JSONText {
    /// The text of a JSON string (quotes included in `bytes`) with its escapes resolved; nil when it is no string,
    /// holds an unpaired surrogate or is not UTF-8.
    package static func decodeString(_ bytes: some Collection<UInt8>) -> String? {
        let raw = Array(bytes)
        guard raw.count >= 2, raw.first == UInt8(ascii: "\""), raw.last == UInt8(ascii: "\"") else { return nil }
        return decodeContent(raw[1..<(raw.count - 1)])
    }

    /// The same for the part between the quotes.
    package static func decodeContent(_ content: some Collection<UInt8>) -> String? {
        guard content.contains(UInt8(ascii: "\\")) else { return String(validating: content, as: UTF8.self) }
        var units: [UInt8] = []
        var rest = content[...]
        while let byte = rest.popFirst() {
            if byte != UInt8(ascii: "\\") { units.append(byte); continue }
            guard let escape = rest.popFirst() else { return nil }
            switch escape {
            case UInt8(ascii: "b"): units.append(8)
            case UInt8(ascii: "f"): units.append(12)
            case UInt8(ascii: "n"): units.append(10)
            case UInt8(ascii: "r"): units.append(13)
            case UInt8(ascii: "t"): units.append(9)
            case UInt8(ascii: "u"):
                guard let scalar = popScalar(&rest) else { return nil }
                units.append(contentsOf: String(Character(scalar)).utf8)
            default: units.append(escape)
            }
        }
        return String(validating: units, as: UTF8.self)
    }

    /// The four digits after `\u`, and the low surrogate that a high one must be followed by.
    private static func popScalar<C: Collection>(_ rest: inout C) -> Unicode.Scalar?
    where C.Element == UInt8, C.SubSequence == C {
        guard let high = popUnit(&rest) else { return nil }
        guard high & 0xFC00 == 0xD800 else { return Unicode.Scalar(UInt32(high)) }
        guard rest.popFirst() == UInt8(ascii: "\\"), rest.popFirst() == UInt8(ascii: "u"),
            let low = popUnit(&rest), low & 0xFC00 == 0xDC00
        else { return nil }
        return Unicode.Scalar(0x10000 + UInt32(high & 0x3FF) << 10 + UInt32(low & 0x3FF))
    }

    private static func popUnit<C: Collection>(_ rest: inout C) -> UInt16?
    where C.Element == UInt8, C.SubSequence == C {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = rest.popFirst(), let value = hexValue(byte) else { return nil }
            unit = unit << 4 | value
        }
        return unit
    }

    /// `text` as a JSON string, quotes included.
    package static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where isControl(scalar):
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// What may end a line or steer a terminal: C0, DEL, C1 and Unicode's two separators.
    package static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }
}
