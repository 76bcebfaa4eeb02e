internal import Base

/// Finds the line of every key in a TOML text, which the parser does not tell. It trusts nothing and fails on nothing:
/// what it cannot read it skips, since the parser reports it. O(bytes).
struct TOMLLineScanner {
    /// Line (from 1) where each table or key first stands.
    private(set) var lines: [[String]: Int] = [:]
    /// Keys and tables that stand twice: the line of the second, with its path.
    private(set) var repeats: [Int: [String]] = [:]

    private let text: [UInt8]
    private var position = 0
    private var line = 1
    private var table: [String] = []
    private var defined: Set<[String]> = []

    init(_ text: [UInt8]) {
        self.text = text
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        while position < text.count { scanLine() }
    }

    private var byte: UInt8? { position < text.count ? text[position] : nil }

    private mutating func scanLine() {
        skipBlanks()
        let start = line
        if byte == UInt8(ascii: "[") {
            position += 1
            let isElement = byte == UInt8(ascii: "[")
            if isElement { position += 1 }
            if let path = scanPath() {
                table = path
                record(path, line: start, once: !isElement)
            }
        } else if let byte, byte != UInt8(ascii: "#"), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r"),
            let path = scanPath()
        {
            record(table + path, line: start, once: true)
        }
        skipValue()
    }

    private mutating func record(_ path: [String], line: Int, once: Bool) {
        for depth in path.indices where lines[Array(path[...depth])] == nil { lines[Array(path[...depth])] = line }
        if once && !defined.insert(path).inserted { repeats[line] = path }
    }

    /// `server . "body-limit"` -> its components; nil where no key stands.
    private mutating func scanPath() -> [String]? {
        var path: [String] = []
        while true {
            skipBlanks()
            guard let component = scanKey() else { return nil }
            path.append(component)
            skipBlanks()
            guard byte == UInt8(ascii: ".") else { return path }
            position += 1
        }
    }

    private mutating func scanKey() -> String? {
        let start = position
        if let quote = byte, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            skipString(quote)
            guard position - start >= 2 else { return nil }
            let content = text[(start + 1)..<(position - 1)]
            return quote == UInt8(ascii: "'")
                ? String(decoding: content, as: UTF8.self) : JSONText.decodeContent(content)
        }
        while let byte, isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") {
            position += 1
        }
        return position > start ? String(decoding: text[start..<position], as: UTF8.self) : nil
    }

    /// To the end of the line that ends the value: strings and arrays may span several.
    private mutating func skipValue() {
        var depth = 0
        while let byte {
            switch byte {
            case UInt8(ascii: "\n"):
                position += 1
                line += 1
                if depth <= 0 { return }
            case UInt8(ascii: "#"):
                while let byte = self.byte, byte != UInt8(ascii: "\n") { position += 1 }
            case UInt8(ascii: "\""), UInt8(ascii: "'"): skipString(byte)
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                position += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
                position += 1
            default: position += 1
            }
        }
    }

    /// Over a string of one quote or three; one of one quote ends at the line's end at the latest.
    private mutating func skipString(_ quote: UInt8) {
        let long = text[position...].starts(with: [quote, quote, quote])
        position += long ? 3 : 1
        while let byte {
            if byte == UInt8(ascii: "\n") {
                if !long { return }
                line += 1
            } else if byte == UInt8(ascii: "\\") && quote == UInt8(ascii: "\"") {
                if position + 1 < text.count && text[position + 1] != UInt8(ascii: "\n") { position += 1 }
            } else if byte == quote {
                if !long { position += 1; return }
                if text[position...].starts(with: [quote, quote, quote]) {
                    position += 3
                    while self.byte == quote { position += 1 }
                    return
                }
            }
            position += 1
        }
    }

    private mutating func skipBlanks() {
        while byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { position += 1 }
    }
}
