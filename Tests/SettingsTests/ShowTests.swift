import Base
import Settings
import Testing

private let file = """
    [server]
    threads = 2
    allowed-hosts = ["weir.example"]
    [providers.my-llm]
    dialect = "openai"
    base-url = "http://h/v1"
    headers = { "X Team" = "a" }
    [models."gpt-4.1"]
    targets = ["my-llm", { provider = "my-llm", model = "quote\\"d" }]
    """.replacing("X Team", with: "X-Team")

@Test("show gives the effective values as TOML with their origins")
func showOrigins() throws {
    let loaded = try load(file, environment: ["WEIR_LOG_LEVEL": "debug"], flags: ["listen": "[::1]:80"])
    let lines = loaded.show(origin: true).split(separator: "\n").map(String.init)
    #expect(lines.contains(#"listen = "[::1]:80"  # --listen"#))
    #expect(lines.contains(#"level = "debug"  # WEIR_LOG_LEVEL"#))
    #expect(lines.contains(#"header-timeout = "10s"  # default"#))
    #expect(lines.contains { $0.hasPrefix("threads = 2  # ") && $0.hasSuffix("/appliance.conf:2") })
    #expect(lines.contains("[models.\"gpt-4.1\"]"))
    #expect(!loaded.show(origin: false).contains("  # "))
}

@Test("what show prints loads again to the same settings")
func showRoundTrip() throws {
    let first = try load(file)
    let again = try load(first.show(origin: false).replacing("\"***\"", with: "\"a\""))
    #expect(again.settings == first.settings)
    #expect(again.show(origin: false) == first.show(origin: false))
    let defaults = try load()
    #expect(try load(defaults.show(origin: true)).settings == Settings())
}

@Test("json holds the same values by the same names")
func json() throws {
    let loaded = try load(file, environment: ["OPENAI_API_KEY": "unused"])
    let plain = loaded.json(origin: false)
    #expect(plain.hasPrefix(#"{"server":{"listen":"127.0.0.1:7411","allowed-hosts":["weir.example"],"#))
    #expect(plain.contains(#""admin-key":null"#))
    #expect(plain.contains(#""headers":{"X-Team":"***"}"#))
    #expect(plain.contains(#""targets":["my-llm",{"model":"quote\"d","priority":1,"provider":"my-llm","weight":1}]"#))
    let origins = loaded.json(origin: true)
    #expect(origins.contains(#""listen":{"value":"127.0.0.1:7411","origin":"default"}"#))
    #expect(origins.contains("/appliance.conf:2\"}"))
    #expect(try load().json(origin: false).contains(#""providers":{},"models":{}"#))
}
