import Base
package import Settings
import Upstream

package typealias Dialect = Settings.Dialect

/// A provider as the gateway uses it: where it is, how to speak to it, its keys. Made from the settings, replaced as
/// a whole when they change.
final class ProviderRoute: Sendable {
    let name: String
    let dialect: Dialect
    let baseURL: String
    /// Stands in cache keys: two providers may call two models by one name.
    let cacheName: String
    let endpoint: Endpoint
    let settings: Settings.Provider
    private let keys: [Settings.Header]
    private let rotation: Locked<KeyRotation>

    init(_ provider: Settings.Provider, endpoint: Endpoint) {
        name = provider.name
        dialect = provider.dialect
        baseURL = provider.baseURL
        cacheName = "\(provider.name) \(provider.baseURL) "
        settings = provider
        self.endpoint = endpoint
        keys = provider.keys.map(provider.authorization)
        rotation = Locked(KeyRotation(count: provider.keys.count))
    }

    /// The header that authenticates, and which key it holds; nil for a keyless provider.
    func credentials(now: MonotonicInstant) -> (header: (name: String, value: String), index: Int)? {
        guard let index = rotation.withLock({ $0.pick(now: now) }) else { return nil }
        return ((keys[index].name, keys[index].value.reveal()), index)
    }

    /// One of its patterns matches the model's name.
    func claims(_ model: String) -> Bool {
        settings.models.contains { Catalog.match(model, pattern: $0) != nil }
    }

    func restKey(_ index: Int, for wait: Duration, now: MonotonicInstant) {
        rotation.withLock { $0.rest(index, until: now.advanced(by: min(wait, settings.keyCooldownMax))) }
    }

    /// Header fields for a request to this provider: what the caller sent, our key, the fields the settings add.
    func headers(_ inbound: HeaderFields, decodes: Bool, now: MonotonicInstant) -> (HeaderFields, keyIndex: Int?) {
        var headers = HeaderPolicy.request(inbound, decodes: decodes)
        for extra in settings.headers { headers.replace(extra.name, extra.value.reveal()) }
        guard let (header, index) = credentials(now: now) else { return (headers, nil) }
        headers.replace(header.name, header.value)
        return (headers, index)
    }
}

/// Which provider answers for which model.
struct Catalog: Sendable {
    struct Target: Sendable {
        var provider: ProviderRoute
        /// The model's name at the provider.
        var model: String
    }

    let providers: [ProviderRoute]
    let aliases: [String: Settings.Model]
    private let byName: [String: ProviderRoute]

    init(providers: [ProviderRoute], aliases: [Settings.Model]) {
        self.providers = providers
        self.aliases = Dictionary(uniqueKeysWithValues: aliases.map { ($0.name, $0) })
        byName = Dictionary(uniqueKeysWithValues: providers.map { ($0.name, $0) })
    }

    func provider(_ name: String) -> ProviderRoute? { byName[name] }

    /// The target of a model on a route of that dialect. A listed model goes where its first target (by priority)
    /// of that dialect says; others to the one provider whose patterns claim the name most exactly.
    func resolve(_ model: String, _ dialect: Dialect) throws(GatewayError) -> Target {
        let candidates: [Target]
        if let alias = aliases[model], !alias.targets.isEmpty {
            candidates = alias.targets.sorted { $0.priority < $1.priority }.compactMap { target in
                byName[target.provider].map { Target(provider: $0, model: target.model ?? model) }
            }
        } else {
            candidates = try claimants(of: model, dialect).map { Target(provider: $0, model: model) }
        }
        if let target = candidates.first(where: { $0.provider.dialect == dialect }) { return target }
        guard let other = candidates.first else { throw Self.unknown(model, providers.isEmpty) }
        throw GatewayError(
            400, "wrong_dialect",
            "the model '\(model)' is served by provider '\(other.provider.name)', which speaks the"
                + " \(other.provider.dialect.rawValue) dialect; send it to"
                + " \(other.provider.dialect == .anthropic ? "/v1/messages" : "/v1/chat/completions")",
            parameter: "model")
    }

    /// The longest literal pattern wins; among equally long ones a provider of the route's dialect comes before others.
    private func claimants(of model: String, _ dialect: Dialect) throws(GatewayError) -> [ProviderRoute] {
        var best: [ProviderRoute] = []
        var bestRank = (-1, -1)
        for provider in providers {
            var length = -1
            for pattern in provider.settings.models { length = max(length, Self.match(model, pattern: pattern) ?? -1) }
            guard length >= 0 else { continue }
            let rank = (length, provider.dialect == dialect ? 1 : 0)
            if rank == bestRank {
                best.append(provider)
            } else if rank > bestRank {
                (best, bestRank) = ([provider], rank)
            }
        }
        guard best.count > 1 else { return best }
        throw GatewayError(
            404, "model_ambiguous",
            "several providers could serve the model '\(model)': \(best.map(\.name).joined(separator: ", "))."
                + " List it under [models.\"\(model)\"] in the settings", parameter: "model")
    }

    private static func unknown(_ model: String, _ noProviders: Bool) -> GatewayError {
        let advice =
            noProviders
            ? "no provider is configured: set OPENAI_API_KEY or ANTHROPIC_API_KEY, or add a [providers.NAME]"
            : "list it under [models] in the settings, or add its name to a provider's models"
        return GatewayError(
            404, "model_not_found", "no provider serves the model '\(model)'; \(advice)",
            parameter: "model")
    }

    /// How many characters of the pattern stand for themselves; nil when the model does not match. `*` may end it.
    static func match(_ model: String, pattern: String) -> Int? {
        guard pattern.hasSuffix("*") else { return pattern == model ? pattern.utf8.count + 1 : nil }
        let prefix = pattern.dropLast()
        return model.hasPrefix(prefix) ? prefix.utf8.count : nil
    }
}
