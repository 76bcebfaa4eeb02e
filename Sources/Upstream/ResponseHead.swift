package import Base

/// The status line and header fields of a provider's answer.
package struct ResponseHead: Sendable {
    package var status: Int
    package var headers: HeaderFields

    package init(status: Int, headers: HeaderFields) {
        self.status = status
        self.headers = headers
    }

    /// Parses what curl hands over line by line: `HTTP/x status…`, then `name: value` lines. Lines without a colon
    /// and folded ones are dropped: curl has unfolded what it accepts.
    init?(lines: [UInt8]) {
        var status: Int?
        var fields: [(name: String, value: String)] = []
        fields.reserveCapacity(16)
        for line in lines.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true) {
            if status == nil {
                guard let code = Self.statusCode(line) else { return nil }
                status = code
            } else if let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex {
                let value = line[(colon + 1)...].drop(while: isBlank)
                let end = value.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? value.startIndex
                fields.append(
                    (
                        String(decoding: line[..<colon], as: UTF8.self),
                        String(decoding: value[value.startIndex..<end], as: UTF8.self)
                    ))
            }
        }
        guard let status else { return nil }
        self.init(status: status, headers: HeaderFields(fields))
    }

    /// `HTTP/1.1 200 OK` -> 200
    static func statusCode(_ line: some Collection<UInt8>) -> Int? {
        let rest = line.drop { $0 != UInt8(ascii: " ") }.dropFirst()
        let digits = rest.prefix { $0 >= 48 && $0 <= 57 }
        guard digits.count == 3 else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 48) }
    }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
