import NIOCore

/// One part of a `multipart/form-data` body (RFC 7578).
struct FormPart {
    var name: String
    var fileName: String?
    var content: ByteBuffer

    /// The parts of a body; none when the content type or the body is not multipart. At most 100 parts.
    static func parse(_ body: ByteBuffer, contentType: String) -> [FormPart] {
        guard let boundary = parameter("boundary", of: contentType) else { return [] }
        let delimiter = Array("\r\n--\(boundary)".utf8)
        // The first delimiter has no line end before it: one is lent.
        var rest = ByteBuffer(string: "\r\n")
        rest.writeImmutableBuffer(body)
        var parts: [FormPart] = []
        var start = find(delimiter, in: rest, from: 0)
        while let open = start, parts.count < 100 {
            let next = find(delimiter, in: rest, from: open + delimiter.count)
            guard let end = next else { break }
            let begin = open + delimiter.count + 2
            if end >= begin, let slice = rest.getSlice(at: begin, length: end - begin), let part = FormPart(slice) {
                parts.append(part)
            }
            start = end
        }
        return parts
    }

    private init?(_ text: ByteBuffer) {
        guard let blank = Self.find(Array("\r\n\r\n".utf8), in: text, from: 0),
            let head = text.getString(at: text.readerIndex, length: blank),
            let content = text.getSlice(
                at: text.readerIndex + blank + 4, length: text.readableBytes - blank - 4)
        else { return nil }
        let disposition = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-disposition:") }
        guard let disposition, let name = Self.parameter("name", of: String(disposition)) else { return nil }
        self.name = name
        fileName = Self.parameter("filename", of: String(disposition))
        self.content = content
    }

    /// `key=value` or `key="value"` among the parts between semicolons.
    private static func parameter(_ key: String, of text: String) -> String? {
        for part in text.split(separator: ";") {
            let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, pair[0].lowercased() == key else { continue }
            return String(pair[1].drop { $0 == "\"" }.prefix { $0 != "\"" })
        }
        return nil
    }

    /// The offset, from the first readable byte, at which the pattern stands.
    private static func find(_ pattern: [UInt8], in buffer: ByteBuffer, from start: Int) -> Int? {
        buffer.withUnsafeReadableBytes { bytes in
            guard bytes.count >= pattern.count + start else { return nil }
            for position in start...(bytes.count - pattern.count)
            where bytes[position] == pattern[0] && bytes[position + 1] == pattern[1] {
                if bytes[position..<(position + pattern.count)].elementsEqual(pattern) { return position }
            }
            return nil
        }
    }
}
