import Base
import Settings
import Testing

/// A line of `[server]` and what is wrong with it.
private let serverErrors: [(String, String)] = [
    (#"body-limit = "64""#, #"server.body-limit: expected a size such as "64MiB", got "64""#),
    ("body-limit = 64", #"server.body-limit: expected a size such as "64MiB", got 64"#),
    (#"body-limit = "64MB""#, #"server.body-limit: expected a size such as "64MiB", got "64MB""#),
    (#"body-limit = "-1KiB""#, #"server.body-limit: expected a size such as "64MiB", got "-1KiB""#),
    (#"body-limit = "5GiB""#, #"server.body-limit: expected a size from "1KiB" to "4GiB", got "5GiB""#),
    (
        #"body-limit = "99999999999999999999GiB""#,
        #"server.body-limit: expected a size such as "64MiB", got "99999999999999999999GiB""#
    ),
    (
        #"body-limit = "9223372036854775807GiB""#,
        #"server.body-limit: expected a size such as "64MiB", got "9223372036854775807GiB""#
    ),
    ("body-limit = [1]", #"server.body-limit: expected a size such as "64MiB", got an array"#),
    ("body-limit = {}", #"server.body-limit: expected a size such as "64MiB", got a table"#),
    ("header-timeout = 30", #"server.header-timeout: expected a duration such as "30s", got 30"#),
    (#"header-timeout = "0""#, #"server.header-timeout: expected a duration from "1ms" to "1d", got "0""#),
    (#"header-timeout = "9d""#, #"server.header-timeout: expected a duration from "1ms" to "1d", got "9d""#),
    (
        #"header-timeout = "99999999999d""#,
        #"server.header-timeout: expected a duration such as "30s", got "99999999999d""#
    ),
    ("header-timeout = 1979-05-27", #"server.header-timeout: expected a duration such as "30s", got a date or time"#),
    ("threads = -1", "server.threads: expected a whole number from 0 to 1024, got -1"),
    (
        "threads = 9223372036854775807",
        "server.threads: expected a whole number from 0 to 1024, got 9223372036854775807"
    ),
    ("threads = 1.5", "server.threads: expected a whole number from 0 to 1024, got 1.5"),
    (#"threads = "4""#, #"server.threads: expected a whole number from 0 to 1024, got "4""#),
    ("threads = true", "server.threads: expected a whole number from 0 to 1024, got true"),
    ("max-connections = 0", "server.max-connections: expected a whole number from 1 to 1000000, got 0"),
    (#"allowed-hosts = "a""#, #"server.allowed-hosts: expected a list such as ["…", "…"]"#),
    (
        #"allowed-hosts = ["http://a"]"#,
        #"server.allowed-hosts: expected a host such as "weir.internal" or "weir.internal:8080", got "http://a""#
    ),
    (
        "allowed-hosts = [7]",
        #"server.allowed-hosts: expected a host such as "weir.internal" or "weir.internal:8080", got 7"#
    ),
    (#"allowed-origins = ["https://a/b"]"#, "server.allowed-origins: an origin has no path"),
    (#"allowed-origins = ["*"]"#, #"server.allowed-origins: expected a URL such as "https://app.example.com""#),
]

@Test("a wrong value is refused with what was expected", arguments: serverErrors)
func wrongValue(line: String, expected: String) {
    #expect(problems("[server]\n\(line)\n") == ["appliance.conf:2: \(expected)"])
}

@Test("enums, booleans and prices say what they take")
func wrongChoices() {
    let file = "[auth]\nanonymous = \"all\"\n[log]\nlevel = 3\nformat = \"xml\"\n[flags]\npool-reuse = \"yes\""
    #expect(
        problems(file) == [
            #"appliance.conf:2: auth.anonymous: expected "loopback" or "none", got "all""#,
            #"appliance.conf:4: log.level: expected "trace", "debug", "info", "warning" or "error", got 3"#,
            #"appliance.conf:5: log.format: expected "auto", "text" or "json", got "xml""#,
            #"appliance.conf:7: flags.pool-reuse: expected true or false, got "yes""#,
        ])
    for price in ["-1", "nan", "inf", "\"1\"", "1e300", "[]"] {
        let found = problems("[models.m]\nprice-input = \(price)\n")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("appliance.conf:2: models.m.price-input: expected a price in US") == true)
    }
}

@Test("all problems come at once: the file's by line, then the others")
func allAtOnce() {
    let file = "[log]\nlevel = 1\n[server]\nthreads = -1\nbody-limitt = \"1MiB\"\n"
    let found = problems(file, environment: ["WEIR_SERVER_IDLE_TIMEOUT": "x"], flags: ["listen": "x"])
    let places = found.map { $0.split(separator: " ").first.map(String.init) }
    #expect(
        places == [
            "appliance.conf:2:", "appliance.conf:4:", "appliance.conf:5:", "--listen:",
            "WEIR_SERVER_IDLE_TIMEOUT:",
        ])
}

@Test("a failure ends the verb with exit code 78 and holds a line for each problem")
func failureShape() throws {
    let failure = try #require(throws: SettingsFailure.self) { try load("[server]\nthreads = -1\nlisten = 1\n") }
    #expect(failure.exitCode == .badSettings)
    #expect(failure.code == "bad_settings")
    #expect(failure.message.split(separator: "\n").count == 2)
    #expect(failure.problems.count == 2)
}

@Test("long and strange text is cut and escaped where an error repeats it")
func shownTextIsTame() {
    let found = problems("[server]\nlisten = \"" + String(repeating: "x", count: 5_000) + "\\u001b[2J\"\n")
    #expect(found.count == 1)
    #expect(found.allSatisfy { $0.count < 250 })
    let escaped = problems("[server]\nlisten = \"\\u001b[2J\"\n")
    #expect(escaped.count == 1 && escaped.allSatisfy { !$0.contains("\u{1B}") && $0.contains("\\u001b") })
}
