internal import Base

// The settings of `[cache]`.
extension SettingTable {
    static let cache: [Setting<Settings>] = cacheLayers + cacheLives

    private static let cacheLayers: [Setting<Settings>] = [
        Setting(
            "cache.memory", \.cache.memory, .sizeOrZero(.mebibytes(1) ... .gibibytes(1_024)),
            "What the answers in memory may take. 64MiB is little beside what a server has and holds some ten thousand "
                + "usual answers. One larger than a sixteenth of it is kept on disk only. \"0\": nothing in memory."),
        Setting(
            "cache.disk", \.cache.disk, .sizeOrZero(.mebibytes(16) ... .gibibytes(1_024)),
            "The largest size of cache.lmdb, which outlives a restart. It is read once at every start, which takes up "
                + "to a second for 1GiB. \"0\": without it."),
        Setting(
            "cache.database", \.cache.database, .sizeOrZero(.mebibytes(16) ... .gibibytes(1_024)),
            "What the answers in cache.db may take: those used more than once, and those that cache.lmdb has no more "
                + "room for. 4GiB is about a million answers, whose keys take 9MiB of memory. \"0\": without it."),
        Setting(
            "cache.entry-limit", \.cache.entryLimit, .size(.kibibytes(1) ... .mebibytes(64)),
            "A larger answer is passed on but not kept. Whatever is to be kept is held in memory until it is whole: "
                + "8MiB bounds that, and holds any text or about a hundred embeddings."),
    ]

    private static let cacheLives: [Setting<Settings>] = [
        Setting(
            "cache.policy", \.cache.policy, .choice,
            "Which answers are kept. `standard`: those to requests without a temperature, with temperature 0 or with "
                + "a seed, as who asks for randomness wants a new answer each time. `strict`: only with temperature 0 "
                + "or a seed. `all`: every one that may be kept. `off`: none."),
        Setting(
            "cache.ttl", \.cache.ttl, ValueType.duration(.zero...longestLife).orAuto,
            "How long a new answer is fresh. No one duration suits all, so `auto` begins with 30 days for embeddings, "
                + "7 days with temperature 0 or a seed, 1 minute for questions about what changes (today, latest, "
                + "price) and 1 day for the rest, and learns from refreshes. A duration holds for all of them."),
        Setting(
            "cache.stale-while-revalidate", \.cache.staleWhileRevalidate, .duration(.zero...longestLife),
            "How long after its life an answer is still given while a new one is fetched behind it. A minute is longer "
                + "than nearly every answer takes, so nobody waits for the refresh, and old answers do not live on "
                + "for long. \"0\": never."),
        Setting(
            "cache.stale-if-error", \.cache.staleIfError, .duration(.zero...longestLife),
            "How long after its life an answer is still given when the provider fails. An hour outlasts most outages, "
                + "and an answer that was right an hour ago is better than none; after more time more of them are "
                + "wrong, and they take the room of fresh ones. \"0\": never."),
    ]

    private static let longestLife = Duration.seconds(365 * 86_400)
}
