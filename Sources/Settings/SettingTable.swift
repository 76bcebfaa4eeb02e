internal import Base

/// Every setting, once. The parser, the environment names, the help text, the shipped file and `config show` all
/// come from here.
package enum SettingTable {
    /// The file's tables in their order, with what they are for. `providers` and `models` hold one table a name.
    static let sections: [(name: String, doc: String)] = [
        ("server", "The HTTP server that clients talk to."),
        ("auth", "Who may call. Keys of tenants are made with `weir keys create`."),
        ("gateway", "The AI routes as a whole."),
        (
            "providers",
            "Who answers. Without any [providers] table, `openai` and `anthropic` exist when "
                + "OPENAI_API_KEY or ANTHROPIC_API_KEY is set."
        ),
        (
            "models",
            "Models by the name that clients ask for: where requests go and what they cost. A model that is not "
                + "listed goes to the provider that claims its name. Put names in quotes: a dot divides them otherwise."
        ),
        (
            "cache",
            "Answers that are kept and given again, each tenant's to itself, in three layers: memory, disk "
                + "(cache.lmdb) and database (cache.db)."
        ),
        ("log", "What is written to standard error."),
        ("flags", "Optimizations that can be switched off one by one."),
    ]

    /// Settings that exist once.
    static let general = server + access + cache + log + flags

    private static let access: [Setting<Settings>] = [
        Setting(
            "auth.admin-key", \.auth.adminKey, ValueType.secret.optional, secret: true,
            example: .string("env:ADMIN_KEY"),
            "A key that may do everything, for the first steps and for automation."),
        Setting(
            "auth.anonymous", \.auth.anonymous, .choice,
            "Who may use the AI routes without a key: programs on this machine, or nobody."),
        Setting(
            "gateway.passthrough", \.gateway.passthrough, ValueType.providerName.orEmpty,
            "The provider that gets every other /v1/ route. An empty text: none does."),
        Setting(
            "gateway.proxy", \.gateway.proxy, ValueType.proxy.orEmpty,
            example: .string("http://proxy.internal:3128"),
            conventional: { _ in ["HTTPS_PROXY", "https_proxy"] },
            "The proxy that leads to the providers. Without it HTTPS_PROXY counts; an empty text: never a proxy."),
    ]

    private static let log: [Setting<Settings>] = [
        Setting("log.level", \.log.level, .choice, "The least severe line that is written."),
        Setting("log.format", \.log.format, .choice, "`auto` is text on a terminal and JSON lines elsewhere."),
        Setting(
            "log.requests", \.log.requests, .choice,
            "Which requests get a line; `errors` are those that ended with status 400 or above."),
        Setting(
            "log.retention", \.log.retention, .duration(.seconds(1) ... .seconds(3_650 * 86_400)),
            "How long the request log (requests.db) keeps its rows."),
    ]

    private static let flags: [Setting<Settings>] = [
        Setting(
            "flags.pool-reuse", \.flags.poolReuse, .bool,
            "Keep connections to providers open for the next request. false: every request opens its own."),
        Setting(
            "flags.cache-l1", \.flags.cacheL1, .bool,
            "Use the cache's memory. false: it is emptied, and the other layers answer."),
        Setting(
            "flags.cache-l2", \.flags.cacheL2, .bool,
            "Use the cache's disk layer. false: it rests, and its file stays as it is."),
        Setting(
            "flags.cache-l3", \.flags.cacheL3, .bool,
            "Use the cache's database. false: it rests, and its file stays as it is."),
        Setting(
            "flags.single-flight", \.flags.singleFlight, .bool,
            "Let equal requests that come together share one request to the provider. false: each makes its own."),
    ]

    private static let server: [Setting<Settings>] = [
        Setting(
            "server.listen", \.server.listen, .listenAddress, flag: "listen", reloadable: false,
            "Where clients connect: host:port, or unix:PATH. Beyond this machine, put a TLS proxy in front."),
        Setting(
            "server.allowed-hosts", \.server.allowedHosts, ValueType.host.list(),
            "Host names served beside localhost and the listen address; others get 403."),
        Setting(
            "server.allowed-origins", \.server.allowedOrigins, ValueType.webOrigin.list(),
            "Web sites whose pages may call from a browser, such as \"https://app.example.com\"."),
        Setting(
            "server.header-timeout", \.server.headerTimeout, .duration(),
            "How long a client may take to send a request's headers."),
        Setting(
            "server.body-limit", \.server.bodyLimit, .size(.kibibytes(1) ... .gibibytes(4)),
            "The largest request body; larger ones get 413."),
        Setting(
            "server.body-timeout", \.server.bodyTimeout, .duration(),
            "The longest pause between two pieces of a request's body."),
        Setting(
            "server.idle-timeout", \.server.idleTimeout, .duration(),
            "How long a connection is kept open between two requests."),
        Setting(
            "server.write-timeout", \.server.writeTimeout, .duration(),
            "How long a client may stop reading its answer before it is cut off."),
        Setting(
            "server.shutdown-timeout", \.server.shutdownTimeout, .duration(.zero ... .seconds(3_600)),
            "How long requests in flight may go on after SIGTERM."),
        Setting(
            "server.max-connections", \.server.maxConnections, .integer(1...1_000_000),
            "Client connections at the same time."),
        Setting(
            "server.threads", \.server.threads, .integer(0...1_024), reloadable: false,
            "Event loops. 0: one for each core."),
    ]
}

extension ValueType where Value == String {
    /// A name as providers have one.
    static var providerName: ValueType {
        text("provider", expected: #"a provider's name such as "openai""#, where: isValidName)
    }
}
