extension ValueType where Value == ListenAddress {
    static var listenAddress: ValueType {
        ValueType(
            "address", expected: #"an address such as "127.0.0.1:7411", "[::1]:7411" or "unix:/run/weir.sock""#,
            read: { $0.text.flatMap { ListenAddress(text: $0) } },
            raw: { .string($0.description) })
    }
}

extension ValueType where Value == String {
    /// `https://host[:port][/path]`, without slashes at its end.
    static var baseURL: ValueType {
        url("URL", example: "https://api.openai.com/v1") { url throws(ValueProblem) in
            guard url.scheme == "https" || url.scheme == "http" else {
                throw .problem(#"expected "https://" or "http://", got "\#(url.scheme)://""#)
            }
        }
    }

    /// `http://host:port`
    static var proxy: ValueType {
        url("URL", example: "http://proxy.internal:3128") { url throws(ValueProblem) in
            guard url.scheme == "http" else {
                throw .problem(#"only an "http://" proxy is supported, got "\#(url.scheme)://""#)
            }
            guard url.port != nil, url.path.isEmpty else {
                throw .problem(#"expected "http://host:port" with a port and no path"#)
            }
        }
    }

    /// `https://app.example.com`: what a browser sends as `Origin`.
    static var webOrigin: ValueType {
        url("origin", example: "https://app.example.com") { url throws(ValueProblem) in
            guard url.path.isEmpty else { throw .problem("an origin has no path") }
        }
    }

    /// `weir.internal` or `weir.internal:8080`: what a client sends as `Host`.
    static var host: ValueType {
        text("host", expected: #"a host such as "weir.internal" or "weir.internal:8080""#) { HostPort($0) != nil }
    }

    /// A model's name, or the beginning of one followed by `*`.
    static var modelPattern: ValueType {
        text("pattern", expected: #"a model's name, or the beginning of one such as "gpt-*""#) { text in
            text == "*" || isModelName(text.hasSuffix("*") ? text.dropLast() : text[...])
        }
    }

    static var headerName: ValueType {
        text("header name", expected: #"a header name such as "api-key""#, where: isHeaderName)
    }

    static var modelName: ValueType {
        text("model", expected: "a model's name") { isModelName($0) }
    }

    private static func url(
        _ name: String, example: String, check: @escaping @Sendable (URLText) throws(ValueProblem) -> Void
    ) -> ValueType {
        ValueType(
            name,
            parse: { raw, _ throws(ValueProblem) in
                guard let text = raw.text else { throw .expected("a URL such as \"\(example)\"", got: raw) }
                let url = try URLText(text, example: example)
                try check(url)
                return url.text
            }, raw: { .string($0) })
    }
}

/// Visible characters without `*`, at most 200 bytes; providers use `/`, `:`, `@` and more in them.
func isModelName(_ name: some StringProtocol) -> Bool {
    !name.isEmpty && name.utf8.count <= 200
        && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "*") }
}

/// The parts of a URL that leads to a server: no user, query or fragment. Errors never repeat the text, which may
/// hold a password.
private struct URLText {
    let scheme: String
    let authority: String
    let port: Int?
    /// Empty, or from a slash on, without slashes at its end.
    let path: String

    var text: String { "\(scheme)://\(authority)\(path)" }

    init(_ text: String, example: String) throws(ValueProblem) {
        guard text.utf8.count <= 2_000, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            let mark = text.firstRange(of: "://"), mark.lowerBound > text.startIndex
        else { throw .problem("expected a URL such as \"\(example)\"") }
        scheme = text[..<mark.lowerBound].lowercased()
        let rest = text[mark.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        guard !rest[..<end].contains("@") else {
            throw .problem("a user or password cannot stand in this URL")
        }
        guard !rest[end...].contains("?"), !rest[end...].contains("#") else {
            throw .problem("this URL takes no query (?) and no fragment (#)")
        }
        guard scheme.utf8.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: "+") }),
            let address = HostPort(rest[..<end]), address.port != 0
        else { throw .problem("expected a URL such as \"\(example)\"") }
        authority = rest[..<end].lowercased()
        port = address.port
        var path = rest[end...]
        while path.hasSuffix("/") { path.removeLast() }
        self.path = String(path)
    }
}
