import Base
import Settings
import Testing

@Test("a flag wins over the environment, that over the file, that over the default")
func precedence() throws {
    let file = "\n[server]\nlisten = \"127.0.0.1:1\"\nthreads = 3\n"
    let variables = ["WEIR_SERVER_LISTEN": "127.0.0.1:2"]
    let all = try load(file, environment: variables, flags: ["listen": "127.0.0.1:3"])
    #expect(all.settings.server.listen == .tcp(host: "127.0.0.1", port: 3))
    #expect(all.origins["server.listen"] == .flag("listen"))
    let two = try load(file, environment: variables)
    #expect(two.settings.server.listen == .tcp(host: "127.0.0.1", port: 2))
    #expect(two.origins["server.listen"] == .environment("WEIR_SERVER_LISTEN"))
    let one = try load(file)
    #expect(one.settings.server.listen == .tcp(host: "127.0.0.1", port: 1))
    #expect(one.origins["server.listen"]?.description.hasSuffix("/appliance.conf:3") == true)
    let none = try load()
    #expect(none.settings.server.listen == .tcp(host: "127.0.0.1", port: 7411))
    #expect(none.origins["server.listen"] == .default)
    #expect(one.settings.server.threads == 3 && none.settings.server.threads == 0)
}

@Test("a value of every type can come from the environment")
func environmentTypes() throws {
    let file = "[providers.my-llm]\ndialect = \"openai\"\nbase-url = \"http://h\"\n[models.\"gpt-4.1\"]\n"
    let settings = try load(
        file,
        environment: [
            "WEIR_SERVER_BODY_LIMIT": "1MiB", "WEIR_SERVER_IDLE_TIMEOUT": "90s", "WEIR_SERVER_MAX_CONNECTIONS": "7",
            "WEIR_SERVER_ALLOWED_HOSTS": "a.example, b.example:80", "WEIR_FLAGS_POOL_REUSE": "false",
            "WEIR_AUTH_ANONYMOUS": "none", "WEIR_AUTH_ADMIN_KEY": "literal-is-fine-here",
            "WEIR_PROVIDERS_MY_LLM_BASE_URL": "https://other.example/v1/",
            "WEIR_PROVIDERS_MY_LLM_HEADERS": #"{ "X-Team" = "search" }"#, "WEIR_PROVIDERS_MY_LLM_KEYS": "k1,k2",
            "WEIR_MODELS_GPT_4_1_PRICE_INPUT": "2", "WEIR_MODELS_GPT_4_1_TARGETS": #"[{ provider = "my-llm" }]"#,
        ]
    ).settings
    #expect(settings.server.bodyLimit == .mebibytes(1))
    #expect(settings.server.idleTimeout == .seconds(90))
    #expect(settings.server.maxConnections == 7)
    #expect(settings.server.allowedHosts == ["a.example", "b.example:80"])
    #expect(settings.flags.poolReuse == false)
    #expect(settings.auth.anonymous == .none)
    #expect(settings.auth.adminKey?.reveal() == "literal-is-fine-here")
    let provider = try #require(settings.providers.first)
    #expect(provider.baseURL == "https://other.example/v1")
    #expect(provider.headers == [Settings.Header(name: "X-Team", value: Secret("search"))])
    #expect(provider.keys.map { $0.reveal() } == ["k1", "k2"])
    #expect(settings.models.first?.priceInput == 2)
    #expect(settings.models.first?.targets == [Settings.Target(provider: "my-llm")])
}

@Test("problems name the variable or the flag they came from")
func problemsNameTheirSource() {
    #expect(
        problems(nil, environment: ["WEIR_SERVER_BODY_LIMIT": "64"])
            == [#"WEIR_SERVER_BODY_LIMIT: expected a size such as "64MiB", got "64""#])
    #expect(
        problems(nil, flags: ["listen": "nowhere"])
            == [
                #"--listen: expected an address such as "127.0.0.1:7411", "[::1]:7411" or "unix:/run/weir.sock", "#
                    + #"got "nowhere""#
            ])
    #expect(problems(nil, flags: ["listem": "x"]) == ["--listem: no such flag"])
}

@Test("unknown WEIR_ variables are warnings, except those that verbs read and those that the file refers to")
func unknownVariables() throws {
    let loaded = try load(
        "[auth]\nadmin-key = \"env:WEIR_ADMIN\"\n",
        environment: [
            "WEIR_DATA": "/d", "WEIR_CONFIG": "/c", "WEIR_KEY": "k", "WEIR_ADMIN": "a", "PATH": "/bin",
            "WEIR_SERVER_LISTN": "x", "WEIR_PROVIDERS_LOCAL_KEY": "x", "WEIR_SOMETHING_ELSE": "x",
        ])
    #expect(
        loaded.warnings == [
            "WEIR_PROVIDERS_LOCAL_KEY is set but no setting reads it; "
                + "the settings file has no provider or model of that name",
            "WEIR_SERVER_LISTN is set but no setting reads it; did you mean WEIR_SERVER_LISTEN?",
            "WEIR_SOMETHING_ELSE is set but no setting reads it",
        ])
}

@Test("a variable that could mean two providers is refused")
func ambiguousVariable() {
    let file = """
        [providers.a-b]
        dialect = "openai"
        base-url = "http://h"
        [providers.a_b]
        dialect = "openai"
        base-url = "http://h"
        """
    #expect(problems(file).isEmpty)
    #expect(
        problems(file, environment: ["WEIR_PROVIDERS_A_B_WAITING_LIMIT": "5"]) == [
            "WEIR_PROVIDERS_A_B_WAITING_LIMIT: could mean providers.a-b.waiting-limit or providers.a_b.waiting-limit; "
                + "set it in the file instead"
        ])
}

@Test("HTTPS_PROXY counts unless the settings say otherwise")
func proxyFromEnvironment() throws {
    let variables = ["HTTPS_PROXY": "http://Proxy.example:3128/", "https_proxy": "http://second:1"]
    let loaded = try load(environment: variables)
    #expect(loaded.settings.gateway.proxy == "http://proxy.example:3128")
    #expect(loaded.origins["gateway.proxy"] == .environment("HTTPS_PROXY"))
    #expect(try load(environment: ["https_proxy": "http://second:1"]).settings.gateway.proxy == "http://second:1")
    #expect(try load("[gateway]\nproxy = \"\"\n", environment: variables).settings.gateway.proxy == nil)
    #expect(try load(environment: ["HTTPS_PROXY": ""]).settings.gateway.proxy == nil)
    #expect(
        problems(nil, environment: ["HTTPS_PROXY": "http://user:secret@proxy:1"])
            == ["HTTPS_PROXY: a user or password cannot stand in this URL"])
    #expect(
        problems(nil, environment: ["HTTPS_PROXY": "socks5://proxy:1"])
            == [#"HTTPS_PROXY: only an "http://" proxy is supported, got "socks5://""#])
}

@Test("only listen and threads need a restart")
func changesNeedingRestart() throws {
    let old = try load("[server]\nthreads = 1\n").settings
    var new = old
    new.server.listen = .unix(path: "/run/weir.sock")
    new.server.threads = 2
    new.server.bodyLimit = .mebibytes(1)
    new.server.maxConnections = 5
    new.auth.anonymous = .none
    new.log.level = .debug
    new.flags.poolReuse = false
    new.providers = [Settings.Provider(name: "openai")]
    #expect(Settings.changesNeedingRestart(from: old, to: new) == ["server.listen", "server.threads"])
    #expect(Settings.changesNeedingRestart(from: old, to: old).isEmpty)
}
