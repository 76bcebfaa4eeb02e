import Base
import Testing

/// A gateway with the simulator behind it, as most tests need them.
struct Rig {
    let provider: Provider
    let server: WeirServer
    var client: HTTPClient { server.client }
    /// Goes to the simulator itself: what it answers is what should come through the gateway.
    var direct: HTTPClient { provider.client }

    /// - Parameters:
    ///   - more: settings after the providers.
    ///   - lines: more lines for both providers' tables.
    ///   - caches: see `WeirServer.start`.
    init(
        _ more: String = "", lines: String = "", environment: [String: String] = [:], caches: Bool = false
    ) throws {
        provider = try Provider.start()
        server = try WeirServer.start(provider.settings(lines: lines) + more, environment: environment, caches: caches)
        server.companions = [provider]
    }
}

/// Requests as stock clients write them.
enum Body {
    static let chat = #"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hello"}]}"#
    static let chatStream =
        #"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hello"}],"stream":true}"#
    static let chatStreamWithUsage =
        #"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hello"}],"#
        + #""stream":true,"stream_options":{"include_usage":true}}"#
    static let messages =
        #"{"model":"claude-sonnet-4-5","max_tokens":200,"messages":[{"role":"user","content":"hello"}]}"#
    static let messagesStream =
        #"{"model":"claude-sonnet-4-5","max_tokens":200,"stream":true,"#
        + #""messages":[{"role":"user","content":"hello"}]}"#
    static let responses = #"{"model":"gpt-4o-mini","input":"hello"}"#
    static let responsesStream = #"{"model":"gpt-4o-mini","input":"hello","stream":true}"#
}

/// The three kinds of stream, each with the end that must not be faked.
enum StreamKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case chat, messages, responses

    var path: String {
        switch self {
        case .chat: "/v1/chat/completions"
        case .messages: "/v1/messages"
        case .responses: "/v1/responses"
        }
    }

    /// A request for a stream to which the gateway has nothing to add.
    var body: String {
        switch self {
        case .chat: Body.chatStreamWithUsage
        case .messages: Body.messagesStream
        case .responses: Body.responsesStream
        }
    }

    var plainBody: String {
        switch self {
        case .chat: Body.chat
        case .messages: Body.messages
        case .responses: Body.responses
        }
    }

    /// What only a complete stream holds.
    var terminal: String {
        switch self {
        case .chat: "[DONE]"
        case .messages: "message_stop"
        case .responses: "response.completed"
        }
    }

    /// The code or, in Anthropic's dialect, the type in an error body.
    func errorWord(_ error: JSON) -> String? { error["error"][self == .messages ? "type" : "code"].string }

    var testDescription: String { rawValue }
}

/// The `data` of an event, its lines joined; nil for a comment.
func eventData(_ event: String) -> String? {
    let lines = event.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("data:") }
    guard !lines.isEmpty else { return nil }
    return lines.map { $0.dropFirst(5).drop { $0 == " " } }.joined(separator: "\n")
}

/// The events' data that is JSON.
func eventObjects(_ events: [String]) throws -> [JSON] {
    try events.compactMap(eventData).filter { $0 != "[DONE]" }.map { try JSON($0) }
}
