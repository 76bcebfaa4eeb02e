import Base
import Settings
import Testing

@Test("without a file the two known providers exist when their keys are set")
func impliedProviders() throws {
    #expect(try load().settings.providers.isEmpty)
    #expect(try load(environment: ["OPENAI_API_KEY": ""]).settings.providers.isEmpty)
    let loaded = try load(environment: [
        "OPENAI_API_KEY": "sk-1", "ANTHROPIC_API_KEY": "sk-2", "OPENAI_BASE_URL": "https://ignored.example",
    ])
    let providers = loaded.settings.providers
    #expect(providers.map(\.name) == ["anthropic", "openai"])
    #expect(providers.map(\.dialect) == [.anthropic, .openai])
    #expect(providers.map(\.baseURL) == ["https://api.anthropic.com", "https://api.openai.com/v1"])
    #expect(providers.map(\.keys) == [[Secret("sk-2")], [Secret("sk-1")]])
    #expect(providers[0].models == ["claude-*"] && providers[1].models.contains("gpt-*"))
    #expect(loaded.origins["providers.openai.key"] == .environment("OPENAI_API_KEY"))
    let other = try load("[server]\nthreads = 1\n", environment: ["OPENAI_API_KEY": "sk-1"])
    #expect(other.settings.providers.map(\.name) == ["openai"], "a file without [providers] changes nothing")
}

@Test("a file with providers has those only, and a known one still finds its key")
func declaredProviders() throws {
    let variables = ["OPENAI_API_KEY": "sk-1", "ANTHROPIC_API_KEY": "sk-2"]
    let openai = try load("[providers.openai]\n", environment: variables).settings.providers
    #expect(openai.map(\.name) == ["openai"] && openai.first?.keys == [Secret("sk-1")])
    #expect(try load("[providers.openai]\n").settings.providers.first?.keys == [])
    let keyless = try load("[providers.openai]\nkeys = []\n", environment: variables).settings.providers
    #expect(keyless.first?.keys == [], "an empty list says: no key")
    let local = "[providers.local]\ndialect = \"openai\"\nbase-url = \"http://127.0.0.1:11434/v1\"\n"
    let provider = try #require(try load(local, environment: variables).settings.providers.first)
    #expect(provider.keys.isEmpty && provider.models == ["*"] && provider.baseURL == "http://127.0.0.1:11434/v1")
}

@Test("a provider's variable is enough to make a known provider exist")
func providerFromItsVariable() throws {
    let loaded = try load(environment: ["WEIR_PROVIDERS_OPENAI_BASE_URL": "http://127.0.0.1:9/v1"])
    #expect(loaded.settings.providers.map(\.baseURL) == ["http://127.0.0.1:9/v1"])
    #expect(loaded.origins["providers.openai.base-url"] == .environment("WEIR_PROVIDERS_OPENAI_BASE_URL"))
}

@Test("a provider with another name needs its dialect and its base URL")
func requiredSettings() {
    #expect(
        problems("\n[providers.local]\nmodels = [\"*\"]\n") == [
            #"appliance.conf:2: providers.local.dialect: is required: "openai" or "anthropic""#,
            #"appliance.conf:2: providers.local.base-url: is required, such as "http://127.0.0.1:11434/v1""#,
        ])
}

@Test(
    "base URLs are taken apart strictly",
    arguments: [
        ("https://h/v1", "https://h/v1"), ("https://H.example:8443/a/b///", "https://h.example:8443/a/b"),
        ("http://[::1]:9/v1", "http://[::1]:9/v1"), ("HTTPS://h", "https://h"), ("ftp://h", nil), ("h/v1", nil),
        ("https://", nil), ("https://u:p@h/", nil), ("https://h?x=1", nil), ("https://h/#x", nil), ("https://h:0", nil),
        ("https://h:99999", nil), ("https://h:/", nil), ("https://a b/", nil), ("://h", nil), ("https:///v1", nil),
        ("https://[::1/v1", nil), ("https://h\\u0009/", nil), ("", nil), ("unix:/run/x", nil),
    ] as [(String, String?)])
func baseURLs(text: String, expected: String?) throws {
    let file = "[providers.p]\ndialect = \"openai\"\nbase-url = \"\(text)\"\n"
    if let expected {
        #expect(try load(file).settings.providers.first?.baseURL == expected)
    } else {
        let found = problems(file)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("appliance.conf:3: providers.p.base-url: ") == true)
        #expect(found.allSatisfy { !$0.contains("u:p") })
    }
}

@Test("an anthropic base URL that ends in /v1 is refused with advice")
func anthropicBaseURL() {
    #expect(
        problems("[providers.anthropic]\nbase-url = \"https://h.example/v1/\"\n") == [
            #"appliance.conf:2: providers.anthropic.base-url: leave out "/v1": for dialect anthropic it is added to every "#
                + "request"
        ])
}

@Test("key and keys: one of them, and the environment's wins over the file's")
func keyOrKeys() throws {
    let variables = ["A": "ka", "B": "kb"]
    let both = "[providers.openai]\nkey = \"env:A\"\nkeys = [\"env:A\", \"env:B\"]\n"
    #expect(
        problems(both, environment: variables)
            == ["appliance.conf:3: providers.openai.keys: key and keys are both set: keep one"])
    let several = "[providers.openai]\nkeys = [\"env:A\", \"env:B\"]\n"
    let loaded = try load(several, environment: variables)
    #expect(loaded.settings.providers.first?.keys.map { $0.reveal() } == ["ka", "kb"])
    let overridden = try load(several, environment: ["A": "ka", "B": "kb", "WEIR_PROVIDERS_OPENAI_KEY": "kc"])
    #expect(overridden.settings.providers.first?.keys.map { $0.reveal() } == ["kc"])
    #expect(overridden.origins["providers.openai.key"] == .environment("WEIR_PROVIDERS_OPENAI_KEY"))
    let list = try load(
        "[providers.openai]\nkey = \"env:A\"\n",
        environment: ["A": "ka", "WEIR_PROVIDERS_OPENAI_KEYS": "k1,k2"])
    #expect(list.settings.providers.first?.keys.map { $0.reveal() } == ["k1", "k2"])
}

@Test("the header that carries the key depends on the dialect and on auth-header")
func authorization() {
    var provider = Settings.Provider(name: "openai")
    func header() -> [String] {
        let header = provider.authorization(key: Secret("K"))
        return [header.name, header.value.reveal()]
    }
    #expect(header() == ["authorization", "Bearer K"])
    provider.authHeader = "Api-Key"
    #expect(header() == ["api-key", "K"])
    provider.dialect = .anthropic
    provider.authHeader = nil
    #expect(header() == ["x-api-key", "K"])
    provider.authHeader = "Authorization"
    #expect(header() == ["authorization", "Bearer K"])
}

@Test(
    "headers must have valid names, come once and leave the connection alone",
    arguments: [
        (#"{ "bad name" = "x" }"#, #""bad name" is no header name"#),
        (#"{ "" = "x" }"#, #""" is no header name"#),
        (#"{ "X-A" = "1", "x-a" = "2" }"#, "x-a is set twice"),
        (#"{ "Content-Length" = "1" }"#, "Content-Length belongs to the connection and cannot be set"),
        (#"{ "X-A" = 5 }"#, "expected text as a header's value"),
        (#"{ "X-A" = "a\nb" }"#, "a header's value holds a control character or is longer than 8KiB"),
        (#"{ "X-A" = "env:NONE" }"#, "the environment variable NONE is not set"),
        (#"["X-A"]"#, #"expected a table such as { "X-Team" = "search" }"#),
        (#"{ "Authorization" = "x" }"#, "authorization already carries the key: keep one of them"),
    ])
func headerProblems(value: String, message: String) {
    #expect(
        problems("[providers.openai]\nheaders = \(value)\n", environment: ["OPENAI_API_KEY": "k"])
            == ["appliance.conf:2: providers.openai.headers: \(message)"])
}

@Test("patterns, authority files and HTTP versions are checked")
func otherProviderSettings() throws {
    #expect(problems("[providers.openai]\nmodels = [\"gpt-*-mini\"]\n").count == 1)
    #expect(
        problems("[providers.openai]\nca-file = \"/does/not/exist.pem\"\n")
            == [
                "appliance.conf:2: providers.openai.ca-file: cannot open /does/not/exist.pem: No such file or directory"
            ])
    #expect(
        problems("[providers.openai]\nhttp-version = 2\n")
            == [#"appliance.conf:2: providers.openai.http-version: expected "1.1" or "2", got 2"#])
    #expect(problems("[providers.openai]\nauth-header = \"a b\"\n").count == 1)
    let file = "[providers.openai]\nhttp-version = \"2\"\nmax-connections = 7\nkey-cooldown-max = \"5s\"\n"
    let provider = try #require(try load(file).settings.providers.first)
    #expect(provider.httpVersion == .http2 && provider.maxConnections == 7 && provider.keyCooldownMax == .seconds(5))
}
