package import Base

/// What the replay found. It prints; it never judges a build.
package struct CacheBenchmarkReport: Sendable, CustomStringConvertible {
    private let requests: Int
    private let distinct: Int
    private let workingBytes: Int
    /// Of the first layer: half of all that is asked for.
    let memoryBytes: Int
    private let belady: Int
    private let lru: Int
    var tally = ReplayTally()
    /// That the provider counted.
    var calls = 0
    var seconds = 0.0
    var dollars = WeirServer.Dollars(billedDollars: 0, cachedDollars: 0, coalescedDollars: 0)

    /// Works the bounds out.
    /// - Parameter weights: bytes by prompt.
    init(_ trace: ReplayTrace, weights: [Int]) {
        requests = trace.requests.count
        let wanted = trace.distinct
        distinct = wanted.count
        workingBytes = wanted.reduce(0) { $0 + weights[$1] }
        let budget = max(workingBytes / 2, 1 << 20)  // the least that the setting takes
        memoryBytes = budget
        belady = trace.halves.reduce(0) { $0 + ReplayBound.belady($1, weights, budget: budget) }
        lru = trace.halves.reduce(0) { $0 + ReplayBound.lru($1, weights, budget: budget) }
    }

    private func percent(_ count: Int) -> Double { 100 * Double(count) / Double(requests) }

    private func share(_ outcome: String) -> Double { percent(tally.outcomes[outcome] ?? 0) }

    /// The figures, in the form of the load report.
    package var rows: [LoadRow] {
        let hits = share("l1") + share("l2") + share("l3") + share("stale")
        let saved = dollars.cachedDollars + dollars.coalescedDollars
        return [
            LoadRow("replay", "hit ratio", hits, .percent, target: .atLeast(80)),
            LoadRow("replay", "hit ratio", hits, .percent, "all but first uses", percent(requests - distinct), .ratio),
            LoadRow("replay", "provider calls saved", percent(requests - calls), .percent, target: .atLeast(70)),
            LoadRow("replay", "hits of memory", share("l1"), .percent, "Bélády, same bytes", percent(belady), .ratio),
            LoadRow("replay", "hits of memory", share("l1"), .percent, "LRU, same bytes", percent(lru), .ratio),
            LoadRow("replay", "hits of LMDB", share("l2"), .percent),
            LoadRow("replay", "hits of SQLite", share("l3"), .percent),
            LoadRow("replay", "joined a call under way", share("collapsed"), .percent),
            LoadRow(
                "replay", "billed", dollars.billedDollars, .dollars, "without a cache", dollars.billedDollars + saved,
                .savingPercent, target: .atLeast(60)),
            LoadRow("replay", "saved", saved, .dollars),
            LoadRow(
                "replay", "asked for", Double(workingBytes) / 1e6, .megabytes, "memory layer",
                Double(memoryBytes) / 1e6, .ratio),
            LoadRow("replay", "requests", Double(requests) / max(seconds, 1e-6), .perSecond),
        ]
    }

    /// For people.
    package var description: String {
        let heading = """
            cache: \(requests) requests, \(distinct) prompts by Zipf's law, a restart in the middle; \
            \(fixed(seconds, 1)) s
            """
        return ([heading] + LoadReport.table(rows)).joined(separator: "\n")
    }

    /// For programs; keys are stable.
    package var json: JSONValue {
        .object([
            ("benchmark", "cache"), ("requests", JSONValue(requests)), ("distinctPrompts", JSONValue(distinct)),
            ("providerCalls", JSONValue(calls)), ("memoryBytes", JSONValue(memoryBytes)),
            ("workingSetBytes", JSONValue(workingBytes)),
            (
                "outcomes",
                .object(tally.outcomes.sorted { $0.key < $1.key }.map { ($0.key, JSONValue($0.value)) })
            ),
            ("rows", .array(rows.map(\.json))),
        ])
    }
}
