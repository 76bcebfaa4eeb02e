import Base
import NIOCore

/// One value inside a document: where it stands and what it is.
struct JSONValue {
    var range: Range<Int>
    var kind: JSONKind
}

/// A JSON text with its parts found on demand. Ranges count from the first readable byte.
struct JSONDocument {
    let text: ByteBuffer

    /// Visits the members of the whole text, which must be an object. One pass, nothing is kept.
    func scan(_ visit: (String, JSONValue) -> Void) throws(JSONError) {
        let outcome: Result<Void, JSONError> = text.withUnsafeReadableBytes { bytes in
            var scanner = JSONScanner(bytes)
            do throws(JSONError) {
                try scanner.scanObject { member in
                    visit(Self.name(member, bytes), JSONValue(range: member.value, kind: member.kind))
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }

    /// The members of an object that the scan has already accepted; none when it is no object.
    func members(_ value: JSONValue?) -> [(name: String, value: JSONValue)] {
        guard let value, value.kind == .object else { return [] }
        var found: [(name: String, value: JSONValue)] = []
        text.withUnsafeReadableBytes { bytes in
            var scanner = JSONScanner(bytes)
            try? scanner.scanObject(in: value.range) { member in
                found.append((Self.name(member, bytes), JSONValue(range: member.value, kind: member.kind)))
            }
        }
        return found
    }

    /// One member of an object, or nil.
    func member(_ name: String, of value: JSONValue?) -> JSONValue? {
        members(value).first { $0.name == name }?.value
    }

    /// The elements of an array; none when it is no array.
    func elements(_ value: JSONValue?) -> [JSONValue] {
        guard let value, value.kind == .array else { return [] }
        var found: [JSONValue] = []
        text.withUnsafeReadableBytes { bytes in
            var scanner = JSONScanner(bytes)
            try? scanner.scanArray(in: value.range) { found.append(JSONValue(range: $0, kind: $1)) }
        }
        return found
    }

    /// The value as it is written.
    func raw(_ value: JSONValue) -> ByteBuffer {
        let start = text.readerIndex + value.range.lowerBound
        return text.getSlice(at: start, length: value.range.count) ?? ByteBuffer()
    }

    /// A string with its escapes resolved; nil when it is no string.
    func string(_ value: JSONValue?) -> String? {
        guard let value, value.kind == .string else { return nil }
        return JSONText.decodeString(raw(value).readableBytesView)
    }

    /// A whole number; nil when it is none.
    func integer(_ value: JSONValue?) -> Int? {
        guard let value, value.kind == .number else { return nil }
        return Int(String(buffer: raw(value)))
    }

    func isTrue(_ value: JSONValue?) -> Bool {
        guard let value, value.kind == .bool else { return false }
        return value.range.count == 4
    }

    func contains(_ word: String, in value: JSONValue) -> Bool {
        let needle = Array(word.utf8)
        return raw(value).withUnsafeReadableBytes { bytes in
            guard bytes.count >= needle.count else { return false }
            return (0...(bytes.count - needle.count)).contains { start in
                bytes[start] == needle[0] && bytes[start..<(start + needle.count)].elementsEqual(needle)
            }
        }
    }

    private static func name(_ member: JSONMember, _ bytes: UnsafeRawBufferPointer) -> String {
        let key = UnsafeRawBufferPointer(rebasing: bytes[member.key])
        if member.keyIsEscaped { return JSONText.decodeContent(key) ?? "" }
        return String(decoding: key, as: UTF8.self)
    }
}
