package import Base

/// The status line and header fields of a provider's answer.
package struct ResponseHead: Sendable {
    package var status: Int
    package var headers: HeaderLines

    package init(status: Int, headers: HeaderLines) {
        self.status = status
        self.headers = headers
    }

    /// Parses what curl hands over line by line: `HTTP/x status…`, then `name: value` lines. Lines without a colon
    /// mean nothing to anyone: curl has unfolded what it accepts.
    init?(lines: UnsafeRawBufferPointer) {
        let end = lines.firstIndex(of: UInt8(ascii: "\n")) ?? lines.count
        guard let status = Self.statusCode(lines[..<end]) else { return nil }
        var headers = HeaderLines()
        headers.reserveCapacity(lines.count + 256)
        if end < lines.count { headers.add(lines: UnsafeRawBufferPointer(rebasing: lines[(end + 1)...])) }
        self.init(status: status, headers: headers)
    }

    /// `HTTP/1.1 200 OK` -> 200
    static func statusCode(_ line: some Collection<UInt8>) -> Int? {
        let rest = line.drop { $0 != UInt8(ascii: " ") }.dropFirst()
        let digits = rest.prefix { $0 >= 48 && $0 <= 57 }
        guard digits.count == 3 else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 48) }
    }
}
