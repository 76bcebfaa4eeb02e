import Base
import Settings
import Testing

@Test("the cache's defaults are what the documents promise")
func cacheDefaults() throws {
    let loaded = try load()
    let cache = loaded.settings.cache
    #expect(cache.memory == .mebibytes(64) && cache.disk == .gibibytes(1) && cache.database == .gibibytes(4))
    #expect(cache.ttl == nil && cache.policy == .standard)
    #expect(cache.staleWhileRevalidate == .seconds(60) && cache.staleIfError == .seconds(3_600))
    #expect(cache.entryLimit == .mebibytes(8))
    let flags = loaded.settings.flags
    #expect(flags.cacheL1 && flags.cacheL2 && flags.cacheL3 && flags.singleFlight)
    #expect(loaded.show(origin: true).contains("ttl = \"auto\"  # default\n"))
}

@Test("every setting of the cache can be written in the file, and what show prints loads again")
func cacheFromFile() throws {
    let loaded = try load(
        """
        [cache]
        memory = "1MiB"
        disk = "16MiB"
        database = "1024GiB"
        entry-limit = "64MiB"
        policy = "all"
        ttl = "90m"
        stale-while-revalidate = "0"
        stale-if-error = "365d"
        [flags]
        cache-l1 = false
        cache-l2 = false
        cache-l3 = false
        single-flight = false
        [models.one]
        cache = "off"
        [models.two]
        """)
    let cache = loaded.settings.cache
    #expect(cache.memory == .mebibytes(1) && cache.disk == .mebibytes(16) && cache.database == .gibibytes(1_024))
    #expect(cache.entryLimit == .mebibytes(64))
    #expect(cache.policy == .all && cache.ttl == .seconds(5_400))
    #expect(cache.staleWhileRevalidate == .zero && cache.staleIfError == .seconds(365 * 86_400))
    let flags = loaded.settings.flags
    #expect(!flags.cacheL1 && !flags.cacheL2 && !flags.cacheL3 && !flags.singleFlight)
    #expect(loaded.settings.models.map(\.cache) == [.off, nil])
    #expect(try load(loaded.show(origin: false)).settings == loaded.settings)
    #expect(loaded.json(origin: false).contains(#""ttl":"90m","stale-while-revalidate":"0","#))
}

@Test("every setting of the cache can come from the environment")
func cacheFromEnvironment() throws {
    let loaded = try load(
        "[cache]\nttl = \"1h\"\n[models.\"gpt-4.1\"]\n",
        environment: [
            "WEIR_CACHE_MEMORY": "0", "WEIR_CACHE_DISK": "2GiB", "WEIR_CACHE_DATABASE": "20MiB",
            "WEIR_CACHE_ENTRY_LIMIT": "1KiB", "WEIR_CACHE_POLICY": "strict", "WEIR_CACHE_TTL": "auto",
            "WEIR_CACHE_STALE_WHILE_REVALIDATE": "5s", "WEIR_CACHE_STALE_IF_ERROR": "1d",
            "WEIR_FLAGS_CACHE_L2": "false", "WEIR_FLAGS_SINGLE_FLIGHT": "false", "WEIR_MODELS_GPT_4_1_CACHE": "all",
        ])
    var expected = Settings().cache
    expected.memory = ByteCount(bytes: 0)
    expected.disk = .gibibytes(2)
    expected.database = .mebibytes(20)
    expected.entryLimit = .kibibytes(1)
    expected.policy = .strict
    expected.staleWhileRevalidate = .seconds(5)
    expected.staleIfError = .seconds(86_400)
    #expect(loaded.settings.cache == expected)
    #expect(loaded.origins["cache.ttl"] == .environment("WEIR_CACHE_TTL"))
    #expect(loaded.settings.flags.cacheL1 && !loaded.settings.flags.cacheL2 && !loaded.settings.flags.singleFlight)
    #expect(loaded.settings.models.first?.cache == .all)
    #expect(loaded.warnings.isEmpty)
}

@Test("a zero switches a layer off, with quotes or without", arguments: ["0", "\"0\"", "\"0MiB\""])
func cacheLayersOff(zero: String) throws {
    let loaded = try load("[cache]\nmemory = \(zero)\ndisk = \(zero)\ndatabase = \(zero)\n")
    let cache = loaded.settings.cache
    #expect([cache.memory, cache.disk, cache.database].allSatisfy { $0.bytes == 0 })
    #expect(loaded.show(origin: false).contains("memory = \"0\"\ndisk = \"0\"\ndatabase = \"0\"\n"))
}

@Test("a life of zero needs no quotes either")
func cacheLivesOfZero() throws {
    let cache = try load("[cache]\nttl = 0\nstale-while-revalidate = 0\nstale-if-error = \"0\"\n").settings.cache
    #expect(cache.ttl == .zero && cache.staleWhileRevalidate == .zero && cache.staleIfError == .zero)
}

@Test(
    "a wrong setting of the cache is refused with what was expected",
    arguments: [
        (#"memory = "64""#, #"memory: expected a size such as "64MiB", got "64""#),
        ("memory = 64", #"memory: expected a size such as "64MiB", got 64"#),
        ("memory = -1", #"memory: expected a size such as "64MiB", got -1"#),
        (#"memory = "1023KiB""#, #"memory: expected "0" or a size from "1MiB" to "1024GiB", got "1023KiB""#),
        (#"disk = "15MiB""#, #"disk: expected "0" or a size from "16MiB" to "1024GiB", got "15MiB""#),
        (#"disk = "1025GiB""#, #"disk: expected "0" or a size from "16MiB" to "1024GiB", got "1025GiB""#),
        (#"database = "1B""#, #"database: expected "0" or a size from "16MiB" to "1024GiB", got "1B""#),
        (#"entry-limit = "0""#, #"entry-limit: expected a size from "1KiB" to "64MiB", got "0""#),
        (#"entry-limit = "65MiB""#, #"entry-limit: expected a size from "1KiB" to "64MiB", got "65MiB""#),
        (#"ttl = "soon""#, #"ttl: expected a duration such as "30s", got "soon"; "auto" is possible too"#),
        ("ttl = 30", #"ttl: expected a duration such as "30s", got 30; "auto" is possible too"#),
        (#"ttl = "366d""#, #"ttl: expected a duration from "0" to "365d", got "366d"; "auto" is possible too"#),
        (#"ttl = "-1s""#, #"ttl: expected a duration such as "30s", got "-1s"; "auto" is possible too"#),
        (#"stale-if-error = "auto""#, #"stale-if-error: expected a duration such as "30s", got "auto""#),
        (
            #"stale-while-revalidate = "366d""#,
            #"stale-while-revalidate: expected a duration from "0" to "365d", got "366d""#
        ),
        (#"policy = "none""#, #"policy: expected "standard", "strict", "all" or "off", got "none""#),
        (#"entry-limits = "1MiB""#, #"entry-limits: no such setting; did you mean "cache.entry-limit"?"#),
    ])
func wrongCacheSettings(line: String, expected: String) {
    #expect(problems("[cache]\n\(line)\n") == ["appliance.conf:2: cache.\(expected)"])
}

@Test("a model's own policy is checked as the common one is, and has no auto")
func wrongModelPolicy() {
    #expect(
        problems("[models.m]\ncache = true\n")
            == [#"appliance.conf:2: models.m.cache: expected "standard", "strict", "all" or "off", got true"#])
    #expect(problems("[models.m]\ncache = \"\"\n").count == 1)
}

@Test("nothing of the cache needs a restart")
func cacheIsReloadable() throws {
    let old = try load().settings
    var new = old
    new.cache.memory = ByteCount(bytes: 0)
    new.cache.disk = .gibibytes(2)
    new.cache.database = .gibibytes(2)
    new.cache.entryLimit = .mebibytes(1)
    new.cache.policy = .off
    new.cache.ttl = .seconds(1)
    new.cache.staleWhileRevalidate = .zero
    new.cache.staleIfError = .zero
    new.flags.cacheL1 = false
    new.flags.cacheL2 = false
    new.flags.cacheL3 = false
    new.flags.singleFlight = false
    #expect(new != old)
    #expect(Settings.changesNeedingRestart(from: old, to: new).isEmpty)
}

@Test("the environment's help shows the cache's variables with their defaults")
func cacheHelp() {
    let help = SettingTable.environmentHelp()
    #expect(help.contains("  WEIR_CACHE_MEMORY  (size, default \"64MiB\")\n"))
    #expect(help.contains("  WEIR_CACHE_TTL  (duration or \"auto\", default \"auto\")\n"))
    #expect(help.contains("  WEIR_FLAGS_CACHE_L3  (true or false, default true)\n"))
    #expect(help.contains("  WEIR_MODELS_<NAME>_CACHE  (\"standard\", \"strict\", \"all\" or \"off\")\n"))
}
