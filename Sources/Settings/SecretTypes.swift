internal import Base

extension ValueType where Value == Secret {
    /// `"env:NAME"`, `"file:PATH"`, or the value itself where nobody else can read it.
    static var secret: ValueType {
        ValueType(
            "secret",
            parse: { raw, context throws(ValueProblem) in
                guard let text = raw.text else {
                    throw .problem(#"expected a secret such as "env:NAME" or "file:PATH""#)
                }
                if let secret = try referenced(text, context) { return secret }
                if let refusal = context.literalSecretsRefused { throw .problem(refusal) }
                return try checked(text, from: "the value")
            }, raw: { _ in .string(Secret.mask) })
    }

    /// A header's value: like a secret, but writing it out is fine anywhere.
    static var headerValue: ValueType {
        ValueType(
            "text",
            parse: { raw, context throws(ValueProblem) in
                guard let text = raw.text else { throw .problem("expected text as a header's value") }
                if let secret = try referenced(text, context) { return secret }
                guard text.utf8.count <= Secret.bytesMax, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                    throw .problem("a header's value holds a control character or is longer than 8KiB")
                }
                return Secret(text)
            }, raw: { _ in .string(Secret.mask) })
    }

    /// The secret that `env:` or `file:` names; nil when the text is neither.
    private static func referenced(_ text: String, _ context: ValueContext) throws(ValueProblem) -> Secret? {
        if text.hasPrefix("env:") {
            let name = String(text.dropFirst("env:".count))
            guard let value = context.environment[name], !value.isEmpty else {
                throw .problem("the environment variable \(name.isEmpty ? "after env:" : name) is not set")
            }
            return try checked(value, from: "the environment variable \(name)")
        }
        guard text.hasPrefix("file:") else { return nil }
        return try fromFile(String(text.dropFirst("file:".count)))
    }

    private static func fromFile(_ path: String) throws(ValueProblem) -> Secret {
        guard let status = fileStatus(path) else { throw .problem("the secret's file \(path) does not exist") }
        guard status.isRegular else { throw .problem("\(path) is no regular file") }
        guard status.mode & 0o077 == 0 else {
            throw .problem("others may read \(path) (mode \(modeText(status.mode))): run chmod 600 on it")
        }
        var bytes: [UInt8]
        do throws(SystemFailure) {
            bytes = try SmallFile.read(path, atMost: ByteCount(bytes: Secret.bytesMax + 2))
        } catch {
            throw .problem(error.message)
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .problem("\(path) is no text") }
        return try checked(text, from: path)
    }

    /// A key travels in a header: visible ASCII only. The message never shows it.
    private static func checked(_ value: String, from source: String) throws(ValueProblem) -> Secret {
        guard !value.isEmpty else { throw .problem("\(source) is empty") }
        guard value.utf8.count <= Secret.bytesMax else { throw .problem("\(source) is longer than 8KiB") }
        guard value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .problem("\(source) holds a space, a line break or a character outside ASCII: no key does")
        }
        return Secret(value)
    }
}

extension ValueType where Value == [Settings.Header] {
    /// `{ "X-Team" = "search", "X-Token" = "env:TOKEN" }`
    static var headers: ValueType {
        let value = ValueType<Secret>.headerValue
        return ValueType(
            "table of headers",
            parse: { raw, context throws(ValueProblem) in
                guard case .table(let members) = raw.structured else {
                    throw .problem(#"expected a table such as { "X-Team" = "search" }"#)
                }
                guard members.count <= 100 else { throw .problem("expected at most 100 headers") }
                var headers: [Settings.Header] = []
                for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                    guard isHeaderName(name) else { throw .problem("\(JSONText.quote(name)) is no header name") }
                    guard !connectionHeaders.contains(name.lowercased()) else {
                        throw .problem("\(name) belongs to the connection and cannot be set")
                    }
                    guard !headers.contains(where: { $0.name.lowercased() == name.lowercased() }) else {
                        throw .problem("\(name) is set twice")
                    }
                    headers.append(Settings.Header(name: name, value: try value.parse(member, context)))
                }
                return headers
            },
            raw: { headers in
                .table(
                    Dictionary(headers.map { ($0.name, .string(Secret.mask)) }, uniquingKeysWith: { first, _ in first })
                )
            })
    }
}

/// Headers that frame a message or govern one connection (RFC 9110, section 7.6.1).
private let connectionHeaders: Set<String> = [
    "connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
]

/// A token (RFC 9110, section 5.6.2).
func isHeaderName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 100
        && name.utf8.allSatisfy {
            isAlphanumeric($0) || "!#$%&'*+-.^_`|~".utf8.contains($0)
        }
}
