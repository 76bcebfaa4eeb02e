import Base
import Ledger
import NIOCore
import ResponseCache
import Settings

/// What the cache and one request have to do with each other.
struct CachePart {
    let identity: CacheIdentity
    let family: AnswerFamily
    let directives: CacheDirectives
    let life: LifeClass
    /// The form the caller wants its answer in.
    let form: KeptAnswer.Form
    /// Too old to be served, but better than an error.
    var fallback: KeptAnswer?
    /// The answer that this request renews; its caller is Weir itself.
    var renews: KeptAnswer?
}

/// What goes to the provider when the cache has no answer.
struct ProviderCall {
    let target: Catalog.Target
    let body: ByteBuffer
    let fields: RequestFields
}

extension AIRoute {
    var answerFamily: AnswerFamily {
        switch self {
        case .chatCompletions: .chat
        case .completions: .completions
        case .embeddings: .embeddings
        case .responses: .responses
        case .messages: .messages
        case .countTokens, .responseInputTokens: .countTokens
        }
    }
}

extension CacheScope {
    /// The scope of a request to that target: live traffic and imported answers must name it alike.
    init(
        tenant: String, namespace: String, route: AIRoute, target: Catalog.Target, query: String?,
        headers: HeaderFields
    ) {
        self.init(
            tenant: tenant, namespace: namespace, family: route.answerFamily,
            model: target.provider.cacheName + target.model, query: query, headers: headers)
    }
}

extension RequestFields {
    /// The form of the answer that the request asks for. Only two routes have events that a caller must ask for.
    func form(_ route: AIRoute) -> KeptAnswer.Form {
        guard isStream else { return .document }
        return route.streamsUsageOnRequest && includeUsage?.value != true ? .events : .eventsWithUsage
    }
}

/// Texts of the `Cache-Status` field (RFC 9211).
enum CacheStatus {
    static func hit(_ result: CacheResult, secondsLeft: Int64) -> String {
        "weir; hit; ttl=\(secondsLeft); detail=\(result.rawValue)"
    }

    static let miss = "weir; fwd=miss"
    static let collapsed = "weir; fwd=miss; collapsed"
    static let renewal = "weir; fwd=request"

    static func bypass(_ reason: String) -> String { "weir; fwd=bypass; detail=\(reason)" }
}

/// Where the answer to a request of Weir's own goes: nowhere. It is made to be kept.
final class BackgroundSink: ResponseSink {
    let eventLoop: any EventLoop
    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    var isWritable: Bool { true }
    func sendHead(status: Int, headers: HeaderLines) {}
    func sendBody(_ bytes: ByteBuffer) {}
    func finish() {}
    func abort() {}
    func flush() {}
    func pauseReading(_ pause: Bool) {}
}
