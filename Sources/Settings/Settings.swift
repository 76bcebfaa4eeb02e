package import Base

/// Everything an operator may set, checked and with defaults filled in. `SettingTable` says how each value is
/// written; the initial values here are the defaults.
package struct Settings: Sendable, Equatable {
    /// `[server]`
    package var server = Server()
    /// `[auth]`
    package var auth = Auth()
    /// `[gateway]`
    package var gateway = Gateway()
    /// Sorted by name; names are unique.
    package var providers: [Provider] = []
    /// Sorted by name; names are unique.
    package var models: [Model] = []
    /// `[cache]`
    package var cache = Cache()
    /// `[log]`
    package var log = Log()
    /// `[flags]`
    package var flags = Flags()

    /// The defaults, without providers and models.
    package init() {}

    /// The HTTP server that clients talk to.
    package struct Server: Sendable, Equatable {
        /// Needs a restart.
        package var listen = ListenAddress.tcp(host: "127.0.0.1", port: 7411)
        /// `Host` values served beside the loopback names and the listen address.
        package var allowedHosts: [String] = []
        /// Web origins that may call from a browser.
        package var allowedOrigins: [String] = []
        /// From the first byte of a request to the end of its headers.
        package var headerTimeout = Duration.seconds(10)
        /// The largest request body.
        package var bodyLimit = ByteCount.mebibytes(32)
        /// The longest pause between two pieces of a request's body.
        package var bodyTimeout = Duration.seconds(30)
        /// How long a connection may stay open between two requests.
        package var idleTimeout = Duration.seconds(75)
        /// How long a client may read nothing of an answer that waits for it.
        package var writeTimeout = Duration.seconds(30)
        /// How long requests in flight get to end after SIGTERM.
        package var shutdownTimeout = Duration.seconds(20)
        /// Client connections at the same time.
        package var maxConnections = 10_000
        /// Event loops; 0 means one a core. Needs a restart.
        package var threads = 0
    }

    /// Who may call.
    package struct Auth: Sendable, Equatable {
        /// A key with every scope, beside the keys made with `weir keys create`.
        package var adminKey: Secret?
        /// What a request without a known key may do.
        package var anonymous = Anonymous.loopback
    }

    /// What a request without a known key may do.
    package enum Anonymous: String, Sendable, CaseIterable {
        /// From this machine: the AI routes. From elsewhere: nothing.
        case loopback
        case none
    }

    /// The AI routes as a whole.
    package struct Gateway: Sendable, Equatable {
        /// Name of the provider that gets every other `/v1/…` route; nil: none does. The default may name a provider
        /// that does not exist.
        package var passthrough: String? = "openai"
        /// `http://host:port`; nil: providers are reached directly. Holds HTTPS_PROXY when that was used.
        package var proxy: String?
    }

    /// What is written to standard error.
    package struct Log: Sendable, Equatable {
        /// The least severe line that is written.
        package var level = LogLevel.info
        /// How a line is written.
        package var format = LogFormat.auto
        /// Which requests get a line of their own.
        package var requests = LoggedRequests.errors
        /// Rows of the request log older than this are deleted.
        package var retention = Duration.seconds(30 * 86_400)
    }

    /// The least severe line that is written.
    package enum LogLevel: String, Sendable, CaseIterable { case trace, debug, info, warning, error }

    /// `auto`: text on a terminal, JSON lines elsewhere.
    package enum LogFormat: String, Sendable, CaseIterable { case auto, text, json }

    /// Which requests get a line of their own; `errors`: status 400 and above.
    package enum LoggedRequests: String, Sendable, CaseIterable { case all, errors, none }

    /// Optimizations that can be switched off one by one, to compare or to get out of trouble.
    package struct Flags: Sendable, Equatable {
        /// False: every provider request opens a connection of its own.
        package var poolReuse = true
        /// The cache's memory.
        package var cacheL1 = true
        /// The cache's disk layer (cache.lmdb).
        package var cacheL2 = true
        /// The cache's database (cache.db).
        package var cacheL3 = true
        /// False: equal requests that come together each ask the provider.
        package var singleFlight = true
    }
}
