import Base

/// A JSON document as a tree, for looking into answers. Numbers keep their spelling.
enum JSON: Equatable, Sendable {
    case object([String: JSON])
    case array([JSON])
    case string(String)
    case number(String)
    case bool(Bool)
    case null

    init(_ text: String) throws { try self.init(Array(text.utf8)) }

    /// Throws when the bytes are no JSON object.
    init(_ bytes: [UInt8]) throws {
        self = try bytes.withUnsafeBytes { raw in
            var scanner = JSONScanner(raw)
            var members: [JSONMember] = []
            do throws(JSONError) { try scanner.scanObject { members.append($0) } } catch {
                throw HarnessFailure("\(error.message): \(bytes.prefix(500).map { $0 }.text)")
            }
            return try Self.object(members, raw)
        }
    }

    private static func object(_ members: [JSONMember], _ bytes: UnsafeRawBufferPointer) throws -> JSON {
        var found: [String: JSON] = [:]
        for member in members {
            guard let key = JSONText.decodeContent(bytes[member.key]) else { throw HarnessFailure("a bad key") }
            found[key] = try value(member.value, member.kind, bytes)
        }
        return .object(found)
    }

    private static func value(_ range: Range<Int>, _ kind: JSONKind, _ bytes: UnsafeRawBufferPointer) throws -> JSON {
        let text = String(decoding: bytes[range], as: UTF8.self)
        var scanner = JSONScanner(bytes)
        switch kind {
        case .object:
            var members: [JSONMember] = []
            try scanner.scanObject(in: range) { members.append($0) }
            return try object(members, bytes)
        case .array:
            var elements: [(Range<Int>, JSONKind)] = []
            try scanner.scanArray(in: range) { elements.append(($0, $1)) }
            return .array(try elements.map { try value($0.0, $0.1, bytes) })
        case .string: return .string(JSONText.decodeString(bytes[range]) ?? "")
        case .number: return .number(text)
        case .bool: return .bool(text == "true")
        case .null: return .null
        }
    }

    /// A member; null when there is none.
    subscript(_ name: String) -> JSON {
        if case .object(let members) = self { return members[name] ?? .null }
        return .null
    }

    /// An element; null when there is none.
    subscript(_ index: Int) -> JSON {
        if case .array(let elements) = self, elements.indices.contains(index) { return elements[index] }
        return .null
    }

    var elements: [JSON] { if case .array(let elements) = self { elements } else { [] } }
    var keys: Set<String> { if case .object(let members) = self { Set(members.keys) } else { [] } }
    var string: String? { if case .string(let text) = self { text } else { nil } }
    var int: Int? { if case .number(let text) = self { Int(text) ?? Double(text).map { Int($0) } } else { nil } }
    var double: Double? { if case .number(let text) = self { Double(text) } else { nil } }
    var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    var isNull: Bool { self == .null }
}

/// Base64 (RFC 4648) back to bytes; nil when it is none.
func decodeBase64(_ text: String) -> [UInt8]? {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var values = [UInt8?](repeating: nil, count: 256)
    for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for letter in text.utf8 where letter != UInt8(ascii: "=") {
        guard let value = values[Int(letter)] else { return nil }
        bits = bits << 6 | UInt32(value)
        count += 6
        if count >= 8 {
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
    }
    return bytes
}
