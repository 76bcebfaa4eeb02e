import Base
import NIOCore

@testable import ResponseCache

/// Asks the rules about requests written as text.
enum RuleDesk {
    static func scope(
        _ family: AnswerFamily = .chat, tenant: String = "t", namespace: String = "", model: String = "m",
        query: String? = nil, headers: [(String, String)] = []
    ) -> CacheScope {
        CacheScope(
            tenant: tenant, namespace: namespace, family: family, model: model, query: query,
            headers: HeaderFields(headers.map { (name: $0.0, value: $0.1) }))
    }

    static func ask(
        _ body: String, _ scope: CacheScope = scope(), _ policy: CachePolicy = .all,
        _ directives: CacheDirectives = CacheDirectives()
    ) -> CacheInquiry {
        CacheInquiry(ByteBuffer(string: body), scope, policy, directives)
    }

    /// The identity's canonical JSON; nil when there is none.
    static func canonical(_ body: String) -> String? { ask(body).identity.map { String(buffer: $0.canonicalBody) } }

    static func decide(
        _ body: String, _ family: AnswerFamily = .chat, _ policy: CachePolicy = .standard,
        _ headers: [(String, String)] = []
    ) throws -> Cacheability {
        let scope = scope(family, headers: headers)
        return ask(body, scope, policy, try CacheDirectives(scope.headers)).cacheability
    }

    static func bytes(_ body: [UInt8]) -> Cacheability {
        CacheInquiry(ByteBuffer(bytes: body), scope(), .all, CacheDirectives()).cacheability
    }
}
