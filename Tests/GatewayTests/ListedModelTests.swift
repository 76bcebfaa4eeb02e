import Base
import Ledger
import Settings
import Testing
import Upstream

@testable import Gateway

@Suite("a model that the settings list without saying where it goes")
struct ListedModelTests {
    @Test("its prices are the settings', its provider the one that claims its name")
    func pricesOnly() throws {
        var provider = Settings.Provider(name: "openai")
        provider.models = ["gpt-*"]
        var model = Settings.Model(name: "gpt-5-mini")
        model.priceInput = 1
        let catalog = Catalog(
            providers: [ProviderRoute(provider, endpoint: Endpoint(name: "openai", allowsPlainHTTP: false))],
            aliases: [model])
        let target = try catalog.resolve("gpt-5-mini", .openai)
        #expect(target.provider.name == "openai" && target.model == "gpt-5-mini")
        model.name = "llama"
        #expect(
            gatewayError { () throws(GatewayError) in
                try Catalog(providers: catalog.providers, aliases: [model]).resolve("llama", .openai)
            }?.code == "model_not_found")
    }
}
