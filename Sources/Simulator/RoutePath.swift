/// The paths a provider answers, as calls are counted by them. `/v1` may be left out in a request.
enum RoutePath: String, CaseIterable, Sendable {
    case chat = "/v1/chat/completions"
    case completions = "/v1/completions"
    case embeddings = "/v1/embeddings"
    case responses = "/v1/responses"
    case response = "/v1/responses/{id}"
    case responseCancel = "/v1/responses/{id}/cancel"
    case responseItems = "/v1/responses/{id}/input_items"
    case responseTokens = "/v1/responses/input_tokens"
    case messages = "/v1/messages"
    case countTokens = "/v1/messages/count_tokens"
    case models = "/v1/models"
    case model = "/v1/models/{id}"
    case files = "/v1/files"
    case file = "/v1/files/{id}"
    case fileContent = "/v1/files/{id}/content"
    case batches = "/v1/batches"
    case batch = "/v1/batches/{id}"
    case batchCancel = "/v1/batches/{id}/cancel"
    case other

    /// Finds the path of a request target, and what stands at `{id}`. The query does not count.
    static func find(_ target: String) -> (path: RoutePath, id: String) {
        if let known = RoutePath(rawValue: target), known != .other, !target.utf8.contains(UInt8(ascii: "{")) {
            return (known, "")
        }
        var parts = target.prefix { $0 != "?" }.split(separator: "/")
        if parts.first == "v1" { parts.removeFirst() }
        let whole = "/v1/" + parts.joined(separator: "/")
        if let known = RoutePath(rawValue: whole), !whole.utf8.contains(UInt8(ascii: "{")) { return (known, "") }
        guard parts.count == 2 || parts.count == 3 else { return (.other, "") }
        let pattern = "/v1/\(parts[0])/{id}" + (parts.count == 3 ? "/\(parts[2])" : "")
        guard let known = RoutePath(rawValue: pattern) else { return (.other, "") }
        return (known, String(parts[1]))
    }

    /// Whether errors and headers are Anthropic's.
    var isAnthropic: Bool { self == .messages || self == .countTokens }
}
