import Base
import Ledger
import Settings
import Testing
import Upstream

@testable import Gateway

@Suite("which provider answers for a model")
struct CatalogTests {
    private func provider(_ name: String, _ models: [String], _ dialect: Dialect = .openai) -> ProviderRoute {
        var settings = Settings.Provider(name: name)
        (settings.dialect, settings.models, settings.baseURL) = (dialect, models, "http://127.0.0.1:1/v1")
        return ProviderRoute(settings, endpoint: Endpoint(name: name, allowsPlainHTTP: true))
    }

    private func alias(_ name: String, _ targets: [Settings.Target]) -> Settings.Model {
        var model = Settings.Model(name: name)
        model.targets = targets
        return model
    }

    /// `provider/model`, or the code of the error.
    private func resolve(_ catalog: Catalog, _ model: String, _ dialect: Dialect = .openai) -> String {
        do throws(GatewayError) {
            let target = try catalog.resolve(model, dialect)
            return "\(target.provider.name)/\(target.model)"
        } catch {
            return "\(error.status) \(error.code)"
        }
    }

    private var shop: Catalog {
        Catalog(
            providers: [
                provider("openai", ["gpt-*", "o1"]), provider("anthropic", ["claude-*"], .anthropic),
                provider("local", ["gpt-oss*", "llama"]), provider("spare", ["llama"]), provider("two", ["o1*"]),
            ],
            aliases: [
                alias(
                    "fast",
                    [
                        Settings.Target(provider: "local", model: "llama", priority: 2),
                        Settings.Target(provider: "openai", model: "gpt-5-mini", priority: 1),
                    ]),
                alias(
                    "both",
                    [
                        Settings.Target(provider: "anthropic", model: "claude-x"),
                        Settings.Target(provider: "openai"),
                    ]),
                alias("claude-mine", [Settings.Target(provider: "openai", model: "gpt-5")]),
                alias("lost", [Settings.Target(provider: "gone")]),
            ])
    }

    @Test(
        "aliases and patterns",
        arguments: [
            ("gpt-5", "openai/gpt-5"), ("gpt-oss:20b", "local/gpt-oss:20b"), ("o1", "openai/o1"),
            ("o1-mini", "two/o1-mini"),
            ("fast", "openai/gpt-5-mini"), ("both", "openai/both"), ("claude-mine", "openai/gpt-5"),
            ("llama", "404 model_ambiguous"), ("llama2", "404 model_not_found"), ("GPT-5", "404 model_not_found"),
            ("", "404 model_not_found"), ("lost", "404 model_not_found"), ("claude-3", "400 wrong_dialect"),
        ])
    func openAI(_ model: String, _ expected: String) { #expect(resolve(shop, model) == expected) }

    @Test(
        "the same from an Anthropic client",
        arguments: [
            ("claude-3", "anthropic/claude-3"), ("both", "anthropic/claude-x"), ("gpt-5", "400 wrong_dialect"),
            ("fast", "400 wrong_dialect"),
        ])
    func anthropic(_ model: String, _ expected: String) { #expect(resolve(shop, model, .anthropic) == expected) }

    @Test("of equal patterns the provider of the route's dialect is meant")
    func dialectBreaksTies() {
        let catalog = Catalog(providers: [provider("a", ["*"]), provider("b", ["*"], .anthropic)], aliases: [])
        #expect(resolve(catalog, "x", .openai) == "a/x")
        #expect(resolve(catalog, "x", .anthropic) == "b/x")
    }

    @Test("the errors say what to do")
    func advice() {
        let none = gatewayError { () throws(GatewayError) in
            try Catalog(providers: [], aliases: []).resolve("gpt-5", .openai)
        }
        #expect(none?.message.contains("OPENAI_API_KEY") == true)
        let wrong = gatewayError { () throws(GatewayError) in try shop.resolve("claude-3", .openai) }
        #expect(wrong?.message.contains("/v1/messages") == true)
        #expect(wrong?.parameter == "model")
        let several = gatewayError { () throws(GatewayError) in try shop.resolve("llama", .openai) }
        #expect(several?.message.contains("local, spare") == true)
    }

    @Test("a pattern is a name, or a beginning with a star; an exact name counts most")
    func patterns() {
        #expect(Catalog.match("gpt-4", pattern: "gpt-4") == 6)
        #expect(Catalog.match("gpt-4", pattern: "gpt-4*") == 5)
        #expect(Catalog.match("gpt-4", pattern: "*") == 0)
        #expect(Catalog.match("gpt-4", pattern: "gpt-5*") == nil)
        #expect(Catalog.match("gpt-4", pattern: "gpt*4") == nil)
    }

    @Test("our key and the settings' fields take the place of what the caller sent")
    func headers() {
        var settings = Settings.Provider(name: "openai")
        settings.keys = [Secret("k1"), Secret("k2")]
        settings.headers = [Settings.Header(name: "OpenAI-Project", value: Secret("p"))]
        let route = ProviderRoute(settings, endpoint: Endpoint(name: "openai", allowsPlainHTTP: false))
        let inbound = HeaderFields([("Authorization", "Bearer weir"), ("openai-project", "mine"), ("x", "y")])
        let now = MonotonicInstant(nanoseconds: 1)
        let (first, firstKey) = route.headers(inbound, decodes: false, now: now)
        #expect(first["authorization"] == "Bearer k1" && firstKey == 0)
        #expect(first.fields.filter { equalIgnoringCase($0.name, "openai-project") }.map(\.value) == ["p"])
        #expect(first["x"] == "y")
        route.restKey(1, for: .seconds(9_999), now: now)
        #expect(route.headers(inbound, decodes: false, now: now).keyIndex == 0)
        let later = now.advanced(by: settings.keyCooldownMax)
        #expect(Set([0, 1].map { _ in route.headers(inbound, decodes: false, now: later).keyIndex }) == [0, 1])
    }
}
