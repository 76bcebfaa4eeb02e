import Base
import Gateway
import Ledger
import Logging
import NIOCore
import Settings
import Telemetry

/// The request log, newest first, a page at a time.
enum RequestLogRoutes {
    static let all = [
        APIRoute(
            "GET", "/requests", .guarded(.admin),
            "The request log: ?tenant= &model= &status= &cache= &since=SECONDS &before=ROW &limit=", list)
    ]

    private static func list(_ call: APICall) throws -> APIAnswer {
        let limit = try call.number("limit").map { Int($0) } ?? 100
        guard (1...Limits.requestLogPageMax).contains(limit) else {
            throw Rejection(422, "invalid_limit", "limit must be 1 to \(Limits.requestLogPageMax)")
        }
        let query = RequestQuery(
            tenant: call.query("tenant"), model: call.query("model"),
            status: try call.number("status").map { Int($0) }, cache: try cacheResult(call),
            since: try call.time("since"), before: try call.number("before"), limit: limit)
        let rows = try call.server.log.query(query)
        return .json(
            200,
            .object([
                ("requests", .array(rows.map(render))),
                ("before", rows.count == limit ? JSONValue(rows.last?.rowID) : .null),
            ]))
    }

    private static func cacheResult(_ call: APICall) throws -> CacheResult? {
        guard let text = call.query("cache") else { return nil }
        guard let result = CacheResult(rawValue: text) else {
            let known = CacheResult.allCases.map(\.rawValue).joined(separator: ", ")
            throw Rejection(422, "invalid_cache", "cache must be one of \(known)")
        }
        return result
    }

    private static func render(_ row: StoredRequest) -> JSONValue {
        let record = row.record
        return .object([
            ("row", .integer(row.rowID)), ("id", .string(record.id)), ("time", .string(record.time.iso8601)),
            ("tenant", .string(record.tenant)), ("key", JSONValue(record.keyID)), ("route", .string(record.route)),
            ("model", JSONValue(record.modelRequested)), ("modelAnswered", JSONValue(record.modelAnswered)),
            ("provider", JSONValue(record.provider)), ("status", JSONValue(record.status)),
            ("stream", .bool(record.isStream)), ("inputTokens", JSONValue(record.usage.map { Int64($0.input) })),
            ("outputTokens", JSONValue(record.usage.map { Int64($0.output) })),
            ("cachedInputTokens", JSONValue(record.usage.map { Int64($0.cachedInput) })),
            ("usageEstimated", .bool(record.isUsageEstimated)),
            ("cost", JSONValue(record.costNanodollars.map(dollars))),
            ("durationMs", .number(Double(record.durationMicroseconds) / 1_000)),
            ("firstByteMs", record.firstByteMicroseconds.map { .number(Double($0) / 1_000) } ?? .null),
            ("overheadMs", .number(Double(record.overheadMicroseconds) / 1_000)),
            ("waitMs", .number(Double(record.waitMicroseconds) / 1_000)), ("bytesIn", JSONValue(record.bytesIn)),
            ("bytesOut", JSONValue(record.bytesOut)), ("error", JSONValue(record.errorCode)),
            ("sends", JSONValue(record.sends)), ("cache", JSONValue(record.cacheResult?.rawValue)),
            ("cacheDetail", JSONValue(record.cacheDetail)),
            ("saved", JSONValue(record.savedNanodollars.map(dollars))),
            ("promptCacheSaved", JSONValue(record.promptCachedNanodollars.map(dollars))),
        ])
    }
}
