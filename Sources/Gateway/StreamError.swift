import Base

/// The status that an error event stands for when it is the first thing in a stream.
enum StreamError {
    /// Reads `{"error":{type, code, status}}` or `{"type":"error", …}`; 502 when it says nothing usable.
    static func status(of event: [UInt8]) -> Int {
        var words: [String] = []
        var number: Int?
        event.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            var error: JSONMember?
            try? scanner.scanObject { member in
                collect(member, bytes, &words, &number)
                if bytes[member.key].elementsEqual("error".utf8) { error = member }
            }
            guard let error, error.kind == .object else { return }
            try? scanner.scanObject(in: error.value) { collect($0, bytes, &words, &number) }
        }
        if let number, (400...599).contains(number) { return number }
        return words.lazy.compactMap(status(ofWord:)).first ?? 502
    }

    private static func collect(
        _ member: JSONMember, _ bytes: UnsafeRawBufferPointer, _ words: inout [String], _ number: inout Int?
    ) {
        guard ["type", "code", "status"].contains(String(decoding: bytes[member.key], as: UTF8.self)) else { return }
        let value = bytes[member.value]
        if member.kind == .string, let word = JSONText.decodeString(value) { words.append(word) }
        if member.kind == .number { number = Int(String(decoding: value, as: UTF8.self)) }
    }

    private static func status(ofWord word: String) -> Int? {
        if let number = Int(word), (400...599).contains(number) { return number }
        let table: [(String, Int)] = [
            ("rate_limit", 429), ("insufficient_quota", 429), ("too_many", 429), ("overloaded", 529),
            ("authentication", 401), ("invalid_api_key", 401), ("permission", 403), ("not_found", 404),
            ("context_length", 400), ("invalid_request", 400), ("too_large", 413), ("timeout", 504),
            ("unavailable", 503), ("server_error", 500), ("api_error", 500),
        ]
        return table.first { word.contains($0.0) }?.1
    }
}

/// Why a provider said no. Each cause asks for something else: wait, another key, a shorter prompt, more money.
package enum RefusalCause: String, Sendable, CaseIterable {
    case rateLimited = "rate_limited"
    case overloaded
    case quota = "quota_exhausted"
    case key = "key_rejected"
    case contextLength = "context_length_exceeded"
    case contentPolicy = "content_policy"
    case notFound = "not_found"
    case invalidRequest = "invalid_request"
    case provider = "provider_error"

    /// From the status and the provider's own words (`error.type`, `error.code`, `error.message`).
    package init(status: Int, body: some Collection<UInt8>) {
        let text = String(decoding: body.prefix(4_096), as: UTF8.self).lowercased()
        func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        switch status {
        case 401, 403: self = .key
        case 402: self = .quota
        case 404: self = .notFound
        case 429: self = says("insufficient_quota", "credit balance", "billing") ? .quota : .rateLimited
        case 503, 529: self = .overloaded
        case 400..<500 where says("context_length", "context window", "prompt is too long", "maximum context"):
            self = .contextLength
        case 400..<500 where says("content_policy", "content_filter", "content management", "safety"):
            self = .contentPolicy
        case 400..<500: self = .invalidRequest
        default: self = says("overloaded") ? .overloaded : .provider
        }
    }

    /// The key is to blame, not the request: it should rest.
    var restsKey: Bool { self == .rateLimited || self == .quota || self == .key }
}
