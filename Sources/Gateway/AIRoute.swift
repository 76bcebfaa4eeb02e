import Settings

/// The providers' own routes that Weir understands. Everything else under `/v1/` is handed on as it is.
package enum AIRoute: Int, Sendable, CaseIterable {
    case chatCompletions, completions, embeddings, responses, responseInputTokens, messages, countTokens

    package init?(path: String) {
        switch path {
        case "/v1/chat/completions": self = .chatCompletions
        case "/v1/completions": self = .completions
        case "/v1/embeddings": self = .embeddings
        case "/v1/responses": self = .responses
        case "/v1/responses/input_tokens": self = .responseInputTokens
        case "/v1/messages": self = .messages
        case "/v1/messages/count_tokens": self = .countTokens
        default: return nil
        }
    }

    package var path: String {
        switch self {
        case .chatCompletions: "/v1/chat/completions"
        case .completions: "/v1/completions"
        case .embeddings: "/v1/embeddings"
        case .responses: "/v1/responses"
        case .responseInputTokens: "/v1/responses/input_tokens"
        case .messages: "/v1/messages"
        case .countTokens: "/v1/messages/count_tokens"
        }
    }

    package var dialect: Dialect {
        switch self {
        case .messages, .countTokens: .anthropic
        default: .openai
        }
    }

    /// Usage in a stream comes only when asked for: `stream_options.include_usage`.
    var streamsUsageOnRequest: Bool { self == .chatCompletions || self == .completions }
}

extension Dialect {
    /// Which dialect the caller of any `/v1/` path expects errors in.
    package static func ofPath(_ path: String, hasAnthropicVersion: Bool) -> Dialect {
        path.hasPrefix("/v1/messages") || hasAnthropicVersion ? .anthropic : .openai
    }

    /// A path under `/v1` on a provider: an OpenAI base URL holds its version, an Anthropic one does not.
    func url(base: String, path: String, query: String?) -> String {
        let tail = query.map { "?\($0)" } ?? ""
        return self == .openai ? "\(base)\(path.dropFirst(3))\(tail)" : "\(base)\(path)\(tail)"
    }
}
