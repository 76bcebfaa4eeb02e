import Base

/// Which header fields cross the gateway. Open lists: what is not named here passes, so that a header invented
/// tomorrow works tomorrow.
enum HeaderPolicy {
    /// Hop by hop (RFC 9110, 7.6.1), set anew by whoever sends the message.
    private static let hopByHop = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]
    /// Of a request: who the caller is to Weir and how it got here is none of the provider's business.
    private static let requestOnly = HeaderNames(
        hopByHop + [
            "host", "content-length", "expect", "authorization", "x-api-key", "cookie", "forwarded", "x-real-ip",
            "origin",
            "referer",
        ])
    /// Of an answer: cookies and promises about the provider's own host mean nothing at ours.
    private static let responseOnly = HeaderNames(hopByHop + ["set-cookie", "alt-svc", "strict-transport-security"])
    private static let codingNames = HeaderNames(["content-encoding", "content-length"])

    /// The fields that go to the provider. `decodes`: the answer is read by us, so it must come unencoded.
    static func request(_ headers: HeaderFields, decodes: Bool) -> HeaderFields {
        let named = connectionOptions(headers)
        var kept = HeaderFields()
        kept.fields.reserveCapacity(headers.fields.count + 4)
        for (name, value) in headers.fields {
            if requestOnly.contains(name) || named?.contains(name) == true { continue }
            if hasPrefixIgnoringCase(name, "x-forwarded-") || hasPrefixIgnoringCase(name, "x-weir-")
                || hasPrefixIgnoringCase(name, "sec-fetch-")
            {
                continue
            }
            if decodes && equalIgnoringCase(name, "accept-encoding") { continue }
            kept.add(name, value)
        }
        if decodes { kept.add("Accept-Encoding", "identity") }
        return kept
    }

    /// The fields that go to the client. `isDecoded`: encoding and length no longer describe what we send.
    static func response(_ headers: HeaderLines, isDecoded: Bool) -> HeaderLines {
        let named = connectionOptions(headers)
        var kept = HeaderLines()
        kept.reserveCapacity(headers.bytes.count + 256)
        headers.walk { line, all in
            let name = all[line.name]
            if responseOnly.contains(name) || named?.contains(name) == true { return true }
            if isDecoded && codingNames.contains(name) { return true }
            if isHeaderValue(all[line.value]) { kept.add(line: UnsafeRawBufferPointer(rebasing: all[line.whole])) }
            return true
        }
        return kept
    }

    /// Fields that the sender names as hop-by-hop in `Connection`; nil for the usual values, which name none.
    private static func connectionOptions(_ headers: HeaderFields) -> HeaderNames? {
        var named: [String] = []
        for (name, value) in headers.fields where equalIgnoringCase(name, "connection") {
            named += optionNames(value)
        }
        return named.isEmpty ? nil : HeaderNames(named)
    }

    private static func connectionOptions(_ headers: HeaderLines) -> HeaderNames? {
        var named: [String] = []
        headers.walk { line, all in
            guard line.name.count == 10, equalIgnoringCase(all[line.name], "connection") else { return true }
            let value = all[line.value]
            if !equalIgnoringCase(value, "keep-alive") && !equalIgnoringCase(value, "close") {
                named += optionNames(String(decoding: value, as: UTF8.self))
            }
            return true
        }
        return named.isEmpty ? nil : HeaderNames(named)
    }

    private static func optionNames(_ value: String) -> [String] {
        if equalIgnoringCase(value, "keep-alive") || equalIgnoringCase(value, "close") { return [] }
        return value.split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" } }
    }
}
