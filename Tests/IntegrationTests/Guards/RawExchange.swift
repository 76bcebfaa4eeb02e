import Base

/// What a server said to raw bytes.
struct RawAnswer {
    let text: String
    let end: Connection.End

    /// Answers in the bytes: each begins with a status line, wherever the one before ends.
    var count: Int {
        text.split(separator: "HTTP/1.", omittingEmptySubsequences: false).dropFirst()
            .count { $0.dropFirst().first == " " && $0.dropFirst(2).prefix(3).allSatisfy(\.isNumber) && $0.count > 5 }
    }
    /// The status of the first.
    var status: Int? { text.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0) } }
    var body: String { text.firstRange(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? "" }
    /// Without the parts that differ in every answer.
    var withoutIDs: String {
        text.split(separator: "\r\n", omittingEmptySubsequences: false)
            .filter { !$0.lowercased().hasPrefix("x-request-id:") }.joined(separator: "\r\n")
            .replacingIDs()
    }
}

extension String {
    /// `req_…` becomes `req_`.
    fileprivate func replacingIDs() -> String {
        var result = ""
        for (index, part) in split(separator: "req_", omittingEmptySubsequences: false).enumerated() {
            result += index == 0 ? String(part) : "req_" + part.drop { $0.isHexDigit }
        }
        return result
    }
}

extension WeirServer {
    /// Sends bytes as they are, and reads to the end of the connection or for `limit` of silence.
    func raw(_ bytes: [UInt8], within limit: Duration = .milliseconds(400)) throws -> RawAnswer {
        let connection = try Connection(port: port)
        defer { connection.close() }
        // A server that refuses early may have gone before all was sent.
        do { try connection.send(bytes) } catch is Connection.End {}
        let (answer, end) = connection.readToEnd(within: limit)
        return RawAnswer(text: answer.text, end: end)
    }

    func raw(_ text: String, within limit: Duration = .milliseconds(400)) throws -> RawAnswer {
        try raw(Array(text.utf8), within: limit)
    }

    /// A head with this server's Host, from its request line and more fields.
    func head(_ line: String, _ fields: [String] = []) -> String {
        ([line, "Host: 127.0.0.1:\(port)"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
    }
}
