extension Settings {
    /// One place that answers AI requests.
    package struct Provider: Sendable, Equatable {
        /// As in `[providers.NAME]`.
        package var name: String
        /// The API it speaks; decides the default of `authHeader`.
        package var dialect: Dialect
        /// `http://` or `https://`, without a slash at its end. OpenAI's includes `/v1`, Anthropic's does not.
        package var baseURL: String
        /// Empty: the provider wants none. Several are used in turn.
        package var keys: [Secret] = []
        /// Nil: the dialect's own. See `authorization(key:)`.
        package var authHeader: String?
        /// Sent with every request beside the client's own; sorted by name.
        package var headers: [Header] = []
        /// Model names it answers; a pattern may end in `*`.
        package var models: [String]
        /// Connections at the same time.
        package var maxConnections = 100
        /// Name look-up, TCP and TLS together.
        package var connectTimeout = Duration.seconds(5)
        /// From the request's last byte to the answer's first.
        package var firstByteTimeout = Duration.seconds(600)
        /// The longest pause inside an answer.
        package var idleTimeout = Duration.seconds(120)
        /// The whole request, from the connection to the last byte.
        package var totalTimeout = Duration.seconds(3600)
        /// Requests that may wait for a connection; further ones are refused.
        package var waitingLimit = 1_000
        /// How long one may wait.
        package var waitingTimeout = Duration.seconds(10)
        /// HTTP/2 only where it is set.
        package var httpVersion = HTTPVersion.http1_1
        /// PEM file of the authorities that may sign the provider's certificate; nil: the system's.
        package var caFile: String?
        /// The longest time a key rests after the provider refused it for its rate.
        package var keyCooldownMax = Duration.seconds(60)

        /// The defaults for a provider of this name. `openai` and `anthropic` know their dialect, base URL and
        /// models; any other gets dialect `openai`, an empty base URL and every model.
        package init(name: String) {
            let known = WellKnownProvider(rawValue: name)
            self.name = name
            dialect = known?.dialect ?? .openai
            baseURL = known?.baseURL ?? ""
            models = known?.models ?? ["*"]
        }

        /// The header that carries `key`: `authorization` gets `Bearer KEY`, any other name the bare key.
        package func authorization(key: Secret) -> Header {
            let name = authHeaderName
            return Header(name: name, value: name == "authorization" ? Secret("Bearer \(key.reveal())") : key)
        }

        /// Lower case.
        package var authHeaderName: String {
            authHeader?.lowercased() ?? (dialect == .openai ? "authorization" : "x-api-key")
        }
    }

    /// Which API a provider speaks.
    package enum Dialect: String, Sendable, CaseIterable { case openai, anthropic }

    /// HTTP to a provider.
    package enum HTTPVersion: String, Sendable, CaseIterable {
        case http1_1 = "1.1"
        case http2 = "2"
    }

    /// One header line; its value is kept like a secret because it may be one.
    package struct Header: Sendable, Equatable {
        /// A valid token, spelled as the operator did.
        package var name: String
        /// As it is sent.
        package var value: Secret

        /// Both are taken as they are; the loader has checked what comes from the settings.
        package init(name: String, value: Secret) {
            self.name = name
            self.value = value
        }
    }
}

/// The two providers that need no description.
enum WellKnownProvider: String, CaseIterable {
    case openai, anthropic

    var dialect: Settings.Dialect { self == .openai ? .openai : .anthropic }

    var baseURL: String { self == .openai ? "https://api.openai.com/v1" : "https://api.anthropic.com" }

    /// Where their own tools look for the key.
    var keyVariable: String { self == .openai ? "OPENAI_API_KEY" : "ANTHROPIC_API_KEY" }

    var models: [String] {
        guard self == .openai else { return ["claude-*"] }
        return [
            "gpt-*", "o1*", "o3*", "o4*", "chatgpt-*", "text-embedding-*", "ft:*", "codex-*", "computer-use-*",
            "davinci-*", "babbage-*", "omni-moderation-*", "tts-*", "whisper-*", "dall-e-*",
        ]
    }
}
