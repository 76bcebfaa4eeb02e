import Base
import Ledger
package import NIOCore
package import ResponseCache
package import Settings

/// Takes answers of past traffic into the cache, under the keys and by the rules of the gateway, so that the first
/// requests of a new Weir find what an old one, or a log, knows.
package struct AnswerImport: Sendable {
    /// Lines that one call takes: what waits for the files stays far below what they take in.
    package static let linesMax = 256

    /// Why a line was not taken.
    package struct Refusal: Failure {
        package let code: String
        package let message: String

        package init(_ code: String, _ message: String) {
            self.code = code
            self.message = message
        }
    }

    /// What became of some lines; as JSON it is the answer of `POST /cache/import`.
    package struct Tally: Codable, Sendable {
        /// A line, from 1 on, that was not taken, and why.
        package struct Refused: Codable, Sendable {
            package var line: Int
            package var code: String
            package var reason: String
        }

        package var imported = 0
        package var refused: [Refused] = []

        mutating func refuse(_ line: Int, _ why: Refusal) {
            refused.append(Refused(line: line, code: why.code, reason: why.message))
        }
    }

    private let configuration: Gateway.Configuration
    private let cache: ResponseCache

    package init(_ settings: Settings, _ cache: ResponseCache) {
        self.init(Gateway.Configuration(settings, reusing: nil), cache)
    }

    init(_ configuration: Gateway.Configuration, _ cache: ResponseCache) {
        self.configuration = configuration
        self.cache = cache
    }

    /// Takes lines in (see `PastAnswer`); those that are imported have reached the files when this returns. Blocks.
    /// - Parameters:
    ///   - tenant: whose requests they will answer.
    ///   - namespace: `X-Weir-Namespace` of lines that name none; empty for none.
    /// - Throws: why the files could not be written.
    package func take(_ lines: [ByteBuffer], tenant: String, namespace: String) throws -> Tally {
        precondition(lines.count <= Self.linesMax)
        var tally = Tally()
        var keys: [(line: Int, key: CacheKey)] = []
        for (index, line) in lines.enumerated() {
            do throws(Refusal) {
                keys.append((index + 1, try take(PastAnswer(line), tenant, namespace)))
            } catch {
                tally.refuse(index + 1, error)
            }
        }
        try cache.flush()
        for (line, key) in keys {
            if cache.isBelow(key) {
                tally.imported += 1
            } else {
                tally.refuse(line, Refusal("no_room", "no file of the cache took it; see weir inspect cache"))
            }
        }
        tally.refused.sort { $0.line < $1.line }
        return tally
    }

    /// The same way a request goes: `Exchange.consultCache`, then `FlightRecorder.settle`.
    private func take(_ past: PastAnswer, _ tenant: String, _ namespace: String) throws(Refusal) -> CacheKey {
        do {
            let fields = try RequestFields(scanning: past.request)
            guard let requested = fields.model else { throw Refusal("missing_model", "the request names no model") }
            let target = try configuration.catalog.resolve(requested, past.route.dialect)
            if let provider = past.provider, provider != target.provider.name {
                let why = "the settings send this model to the provider '\(target.provider.name)'"
                throw Refusal("other_provider", why)
            }
            var directives = try CacheDirectives(past.headers)
            if directives.namespace.isEmpty { directives.namespace = namespace }
            let scope = CacheScope(
                tenant: tenant, namespace: directives.namespace, route: past.route, target: target,
                query: past.query, headers: past.headers)
            let inquiry = CacheInquiry(past.request, scope, configuration.cachePolicy(of: requested), directives)
            let (identity, life) = try judge(inquiry, hasTime: past.created != nil)
            let answer = try answer(past, identity, life, scope, directives, requested, target)
            try cache.takeIn(identity, answer, made: past.created)
            return identity.key
        } catch let refusal as Refusal {
            throw refusal
        } catch let failure as any Failure {
            throw Refusal(failure.code, failure.message)
        } catch {
            throw Refusal("internal_error", "\(error)")
        }
    }

    private func judge(_ inquiry: CacheInquiry, hasTime: Bool) throws(Refusal) -> (CacheIdentity, LifeClass) {
        switch inquiry.cacheability {
        case .bypass(let reason):
            let rule = CacheRule.table.first { $0.reason == reason }
            throw Refusal(reason.rawValue, "it may not be cached: \(rule?.sentence ?? "")")
        case .cacheable(.volatile) where !hasTime:
            throw Refusal("unknown_age", #"it asks for what changes, and there is no "created" to tell how old it is"#)
        case .cacheable(let life):
            guard let identity = inquiry.identity else { preconditionFailure("a cacheable request has an identity") }
            return (identity, life)
        }
    }

    private func answer(
        _ past: PastAnswer, _ identity: CacheIdentity, _ life: LifeClass, _ scope: CacheScope,
        _ directives: CacheDirectives, _ requested: String, _ target: Catalog.Target
    ) throws(Refusal) -> CachedAnswer {
        let shape = past.isEvents ? AnswerShape.events : .document
        let summary = AnswerShapes.summary(past.body, shape: shape, family: scope.family)
        if let reason = AnswerRule.discard(summary, status: 200, family: scope.family) {
            let rule = AnswerRule.table.first { $0.reason == reason }
            throw Refusal(reason.rawValue, "its answer may not be kept: \(rule?.sentence ?? "")")
        }
        if past.isEvents, past.route.streamsUsageOnRequest, summary.inputTokens == 0 {
            throw Refusal("no_usage", "its events hold no usage, which other clients may ask for")
        }
        let usage = TokenUsage(input: summary.inputTokens, output: summary.outputTokens)
        let (model, prices) = (summary.model ?? past.model ?? target.model, configuration.prices)
        let cost = prices.cost(model: requested, usage: usage) ?? prices.cost(model: model, usage: usage) ?? 0
        let never = UnixTime(microseconds: 0)  // the cache sets the times
        let facts = AnswerFacts(
            family: scope.family, shape: shape, life: life, tenant: scope.tenant, namespace: scope.namespace,
            model: model, provider: target.provider.name, tags: directives.tags, collections: directives.collections,
            contentType: past.isEvents ? "text/event-stream; charset=utf-8" : "application/json", created: never,
            freshUntil: never, usableUntil: never, inputTokens: usage.input, outputTokens: usage.output,
            costNanodollars: cost)
        return CachedAnswer(request: identity.request, body: past.body, facts: facts)
    }
}

extension Gateway {
    /// By the settings in force now; nil without a cache.
    package var answerImport: AnswerImport? { cache.map { AnswerImport(configuration, $0) } }
}
