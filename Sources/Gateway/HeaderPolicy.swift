import Base

/// Which header fields cross the gateway. Open lists: what is not named here passes, so that a header invented
/// tomorrow works tomorrow.
enum HeaderPolicy {
    /// Hop by hop (RFC 9110, 7.6.1), set anew by whoever sends the message.
    private static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]
    /// Of a request: who the caller is to Weir and how it got here is none of the provider's business.
    private static let requestOnly: Set<String> = [
        "host", "content-length", "expect", "authorization", "x-api-key", "cookie", "forwarded", "x-real-ip", "origin",
        "referer",
    ]
    /// Of an answer: cookies and promises about the provider's own host mean nothing at ours.
    private static let responseOnly: Set<String> = ["set-cookie", "alt-svc", "strict-transport-security"]

    /// The fields that go to the provider. `decodes`: the answer is read by us, so it must come unencoded.
    static func request(_ headers: HeaderFields, decodes: Bool) -> HeaderFields {
        let named = connectionOptions(headers)
        var kept = HeaderFields()
        kept.fields.reserveCapacity(headers.fields.count + 4)
        for (name, value) in headers.fields {
            let lower = name.lowercased()
            if hopByHop.contains(lower) || requestOnly.contains(lower) || named.contains(lower) { continue }
            if lower.hasPrefix("x-forwarded-") || lower.hasPrefix("x-weir-") || lower.hasPrefix("sec-fetch-") { continue }
            if decodes && lower == "accept-encoding" { continue }
            kept.add(name, value)
        }
        if decodes { kept.add("Accept-Encoding", "identity") }
        return kept
    }

    /// The fields that go to the client. `isDecoded`: encoding and length no longer describe what we send.
    static func response(_ headers: HeaderFields, isDecoded: Bool) -> HeaderFields {
        let named = connectionOptions(headers)
        var kept = HeaderFields()
        kept.fields.reserveCapacity(headers.fields.count + 6)
        for (name, value) in headers.fields {
            let lower = name.lowercased()
            if hopByHop.contains(lower) || responseOnly.contains(lower) || named.contains(lower) { continue }
            if isDecoded && (lower == "content-encoding" || lower == "content-length") { continue }
            guard isHeaderValue(value) else { continue }
            kept.add(name, value)
        }
        return kept
    }

    private static func connectionOptions(_ headers: HeaderFields) -> [String] {
        guard let value = headers["connection"] else { return [] }
        return value.split(separator: ",").map { $0.filter { $0 != " " }.lowercased() }
    }
}
