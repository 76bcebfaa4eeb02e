import Base
import Gateway
import ResponseCache

extension CacheReport {
    /// The answer of `GET /cache`, but for the entries.
    func members(_ traffic: CacheTraffic) -> [(String, JSONValue)] {
        let kept = configuration
        return [
            ("requests", JSONValue(traffic.cacheable)), ("hitRatio", Self.ratio(traffic.hitRatio)),
            ("hits", Self.counts(traffic.hits.map { ($0.layer.rawValue, $0.count) })),
            ("misses", Self.counts(traffic.misses)),
            ("bypasses", Self.counts(traffic.bypasses.filter { $0.count > 0 })),
            ("collapsed", JSONValue(traffic.collapsed)), ("flights", JSONValue(traffic.flights)),
            ("layers", .array(CacheLayer.allCases.map { layer($0, traffic) })),
            ("index", .object([("keys", JSONValue(indexed)), ("bytes", JSONValue(indexBytes))])),
            ("ttl", .string(kept.ttl?.text ?? "auto")),
            ("staleWhileRevalidateSeconds", .number(kept.windows.whileRevalidate.seconds)),
            ("staleIfErrorSeconds", .number(kept.windows.ifError.seconds)),
            ("entryLimitBytes", JSONValue(kept.entryBytesMax)),
            (
                "lives",
                .array(
                    lives.map { life, now, evidence in
                        .object([
                            ("class", .string("\(life)")), ("seconds", .number(now.seconds)),
                            ("refreshes", .number(evidence.refreshes)), ("unchanged", .number(evidence.unchanged)),
                        ])
                    })
            ),
        ]
    }

    private static func counts(_ counts: [(String, Int)]) -> JSONValue {
        .object(counts.map { ($0, JSONValue($1)) })
    }

    /// Four digits are more than anyone reads.
    private static func ratio(_ ratio: Double?) -> JSONValue {
        ratio.map { .number(($0 * 10_000).rounded() / 10_000) } ?? .null
    }

    private func layer(_ layer: CacheLayer, _ traffic: CacheTraffic) -> JSONValue {
        let budget: ByteCount, members: [(String, JSONValue)]
        switch layer {
        case .l1: (budget, members) = (configuration.memory, memoryMembers)
        case .l2: (budget, members) = (configuration.disk, disk.map(Self.members) ?? [])
        case .l3: (budget, members) = (configuration.database, database.map(Self.members) ?? [])
        }
        return .object(
            [
                ("layer", .string(layer.rawValue)), ("on", .bool(configuration.uses(layer))),
                ("budgetBytes", JSONValue(budget.bytes)), ("hitRatio", Self.ratio(traffic.hitRatio(of: layer))),
            ] + members)
    }

    private var memoryMembers: [(String, JSONValue)] {
        [
            ("entries", memory.entries), ("bytes", memory.bytes), ("hits", memory.hits), ("misses", memory.misses),
            ("evictions", memory.evictions), ("expirations", memory.expirations), ("rejected", memory.rejected),
        ].map { ($0, JSONValue($1)) }
    }

    private static func members(_ disk: DiskStatistics) -> [(String, JSONValue)] {
        [
            ("entries", disk.entries), ("bytes", disk.bytes.bytes), ("hits", disk.hits), ("misses", disk.misses),
            ("evictions", disk.evictions), ("expirations", disk.expirations), ("removals", disk.removals),
            ("corrupt", disk.corrupt), ("dropped", disk.dropped), ("tooLarge", disk.tooLarge),
            ("renewals", disk.renewals),
        ].map { ($0, JSONValue($1)) } + [
            ("lastRenewal", JSONValue(disk.lastRenewal)), ("failure", JSONValue(disk.failure)),
        ]
    }

    private static func members(_ database: ArchiveStatistics) -> [(String, JSONValue)] {
        [
            ("entries", database.entries), ("bytes", database.bytes), ("fileBytes", database.fileBytes),
            ("hits", database.hits), ("misses", database.misses), ("evictions", database.evictions),
            ("expirations", database.expirations), ("corrupt", database.corrupt), ("dropped", database.dropped),
            ("tooLarge", database.tooLarge), ("renewals", database.recreated), ("waiting", database.waiting),
        ].map { ($0, JSONValue($1)) } + [
            ("lost", .bool(database.isLost)), ("failure", JSONValue(database.failure)),
        ]
    }
}

extension ArchivedAnswer {
    var json: JSONValue {
        .object([
            ("key", .string(hexadecimal(key.withUnsafeBytes { Array($0) }))), ("tenant", .string(facts.tenant)),
            ("namespace", .string(facts.namespace)), ("family", .string("\(facts.family)")),
            ("model", .string(facts.model)), ("provider", .string(facts.provider)),
            ("form", .string("\(facts.shape)")), ("class", .string("\(facts.life)")),
            ("tags", .array(facts.tags.map { .string($0) })),
            ("collections", .array(facts.collections.map { .string($0) })), ("bytes", JSONValue(bytes)),
            ("created", .string(facts.created.iso8601)), ("freshUntil", .string(facts.freshUntil.iso8601)),
            ("usableUntil", .string(facts.usableUntil.iso8601)), ("inputTokens", JSONValue(facts.inputTokens)),
            ("outputTokens", JSONValue(facts.outputTokens)),
            ("costDollars", .number(Double(facts.costNanodollars) / 1e9)),
        ])
    }
}

extension ArchivedModel {
    var json: JSONValue {
        .object([
            ("model", .string(model)), ("entries", JSONValue(entries)), ("bytes", JSONValue(bytes)),
            ("inputTokens", JSONValue(inputTokens)), ("outputTokens", JSONValue(outputTokens)),
            ("costDollars", .number(Double(costNanodollars) / 1e9)),
        ])
    }
}
