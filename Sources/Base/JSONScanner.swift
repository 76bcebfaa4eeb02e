/// Why a text is not JSON (RFC 8259), and where.
package struct JSONError: Failure {
    package let code = "invalid_json"
    package let message: String
    package let offset: Int

    package init(_ what: String, at offset: Int) {
        self.offset = offset
        message = "the body is not valid JSON: \(what) at byte \(offset)"
    }
}

/// What a JSON value is.
package enum JSONKind: Sendable { case object, array, string, number, bool, null }

/// One member of an object, as byte ranges into the text: nothing is decoded.
package struct JSONMember: Sendable {
    /// The key without its quotes, as written.
    package var key: Range<Int>
    /// The value as written, quotes and brackets included.
    package var value: Range<Int>
    package var kind: JSONKind
    /// The key holds a backslash escape and must be decoded before it is compared.
    package var keyIsEscaped: Bool
}

/// Walks JSON without building anything: one pass, no allocation, no recursion, nesting bounded by
/// `Limits.jsonDepthMax`. Checks the whole grammar, so that a body it accepts is JSON to every other parser too.
/// The pointer must stay valid while the scanner is used.
package struct JSONScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    package private(set) var position = 0

    package init(_ text: UnsafeRawBufferPointer) { bytes = text.bindMemory(to: UInt8.self) }

    /// Visits the members of the object that is the whole text. O(n).
    package mutating func scanObject(_ visit: (JSONMember) -> Void) throws(JSONError) {
        skipByteOrderMark()
        skipSpace()
        guard peek() == UInt8(ascii: "{") else { throw JSONError("expected an object", at: position) }
        try members(visit)
        skipSpace()
        guard position == bytes.count else { throw JSONError("something follows the object", at: position) }
    }

    /// Visits the elements of the array at the given range of this text.
    package mutating func scanArray(
        in range: Range<Int>, _ visit: (Range<Int>, JSONKind) -> Void
    ) throws(JSONError) {
        precondition(range.upperBound <= bytes.count)
        position = range.lowerBound
        guard peek() == UInt8(ascii: "[") else { throw JSONError("expected an array", at: position) }
        position += 1
        skipSpace()
        if peek() == UInt8(ascii: "]") { position += 1; return }
        while true {
            skipSpace()
            let start = position
            let kind = try skipValue()
            visit(start..<position, kind)
            skipSpace()
            if try endsList(with: UInt8(ascii: "]")) { return }
        }
    }

    /// Visits the members of the object at the given range of this text.
    package mutating func scanObject(in range: Range<Int>, _ visit: (JSONMember) -> Void) throws(JSONError) {
        precondition(range.upperBound <= bytes.count)
        position = range.lowerBound
        guard peek() == UInt8(ascii: "{") else { throw JSONError("expected an object", at: position) }
        try members(visit)
    }

    private mutating func members(_ visit: (JSONMember) -> Void) throws(JSONError) {
        position += 1
        skipSpace()
        if peek() == UInt8(ascii: "}") { position += 1; return }
        while true {
            skipSpace()
            let escaped = try skipString()
            let key = (keyStart + 1)..<(position - 1)
            try expectColon()
            let start = position
            let kind = try skipValue()
            visit(JSONMember(key: key, value: start..<position, kind: kind, keyIsEscaped: escaped))
            skipSpace()
            if try endsList(with: UInt8(ascii: "}")) { return }
        }
    }

    /// Skips one value of any kind. Containers are walked with a bit a level: 1 for an object.
    private mutating func skipValue() throws(JSONError) -> JSONKind {
        let kind = try skipScalarOrOpen()
        guard kind == .object || kind == .array else { return kind }
        var depth = 1
        var levels = InlineArray<8, UInt64>(repeating: 0)
        levels[0] = kind == .object ? 1 : 0
        var first = true
        while depth > 0 {
            let isObject = levels[(depth - 1) >> 6] >> UInt64((depth - 1) & 63) & 1 == 1
            skipSpace()
            let close = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
            if first, peek() == close {
                position += 1
                depth -= 1
                first = false
                continue
            }
            if !first, try endsList(with: close) {
                depth -= 1
                continue
            }
            skipSpace()
            if isObject {
                _ = try skipString()
                try expectColon()
            }
            let inner = try skipScalarOrOpen()
            first = inner == .object || inner == .array
            guard first else { continue }
            guard depth < Limits.jsonDepthMax else { throw JSONError("nesting is too deep", at: position) }
            let bit = UInt64(1) << UInt64(depth & 63)
            if inner == .object { levels[depth >> 6] |= bit } else { levels[depth >> 6] &= ~bit }
            depth += 1
        }
        return kind
    }

    /// A scalar is skipped whole; of a container only the opening bracket.
    private mutating func skipScalarOrOpen() throws(JSONError) -> JSONKind {
        switch peek() {
        case UInt8(ascii: "{"): position += 1; return .object
        case UInt8(ascii: "["): position += 1; return .array
        case UInt8(ascii: "\""): _ = try skipString(); return .string
        case UInt8(ascii: "t"): try expect("true"); return .bool
        case UInt8(ascii: "f"): try expect("false"); return .bool
        case UInt8(ascii: "n"): try expect("null"); return .null
        default: try skipNumber(); return .number
        }
    }

    private var keyStart = 0

    /// Returns whether the string holds an escape. Refuses control characters; UTF-8 is checked by the caller
    /// that decodes.
    private mutating func skipString() throws(JSONError) -> Bool {
        guard peek() == UInt8(ascii: "\"") else { throw JSONError("expected a string", at: position) }
        keyStart = position
        position += 1
        var escaped = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") { position += 1; return escaped }
            if byte == UInt8(ascii: "\\") {
                escaped = true
                try skipEscape()
            } else if byte < 0x20 {
                throw JSONError("a control character stands inside a string", at: position)
            } else {
                position += 1
            }
        }
        throw JSONError("a string does not end", at: keyStart)
    }

    private mutating func skipEscape() throws(JSONError) {
        let start = position
        position += 1
        switch peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            position += 1
            for _ in 0..<4 {
                guard let byte = peek(), hexValue(byte) != nil else { throw JSONError("a bad escape", at: start) }
                position += 1
            }
        default: throw JSONError("a bad escape", at: start)
        }
    }

    private mutating func skipNumber() throws(JSONError) {
        let start = position
        if peek() == UInt8(ascii: "-") { position += 1 }
        if peek() == UInt8(ascii: "0") { position += 1 } else { try skipDigits(from: start) }
        if peek() == UInt8(ascii: ".") {
            position += 1
            try skipDigits(from: start)
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            position += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
            try skipDigits(from: start)
        }
    }

    private mutating func skipDigits(from start: Int) throws(JSONError) {
        let first = position
        while let byte = peek(), byte >= 48, byte <= 57 { position += 1 }
        guard position > first else { throw JSONError("expected a value", at: start) }
    }

    private mutating func expect(_ word: StaticString) throws(JSONError) {
        for offset in 0..<word.utf8CodeUnitCount {
            guard peek() == word.utf8Start[offset] else { throw JSONError("expected a value", at: position) }
            position += 1
        }
    }

    private mutating func expectColon() throws(JSONError) {
        skipSpace()
        guard peek() == UInt8(ascii: ":") else { throw JSONError("expected a colon", at: position) }
        position += 1
        skipSpace()
    }

    /// After an element: true at the closing bracket, false after a comma.
    private mutating func endsList(with close: UInt8) throws(JSONError) -> Bool {
        guard let byte = peek(), byte == close || byte == UInt8(ascii: ",") else {
            throw JSONError("expected a comma or a closing bracket", at: position)
        }
        position += 1
        return byte == close
    }

    private mutating func skipByteOrderMark() {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { position = 3 }
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            position += 1
        }
    }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }
}

func hexValue(_ byte: UInt8) -> UInt16? {
    switch byte {
    case 48...57: UInt16(byte - 48)
    case 65...70: UInt16(byte - 55)
    case 97...102: UInt16(byte - 87)
    default: nil
    }
}
