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
            "The request log: ?tenant= &model= &status= &since=SECONDS &before=ROW &limit=", list)
    ]

    private static func list(_ call: APICall) throws -> APIAnswer {
        let limit = try number(call, "limit").map { Int($0) } ?? 100
        guard (1...Limits.requestLogPageMax).contains(limit) else {
            throw Rejection(422, "invalid_limit", "limit must be 1 to \(Limits.requestLogPageMax)")
        }
        let query = RequestQuery(
            tenant: call.query("tenant"), model: call.query("model"),
            status: try number(call, "status").map { Int($0) },
            since: try number(call, "since").map { UnixTime(microseconds: $0 * 1_000_000) },
            before: try number(call, "before"), limit: limit)
        let rows = try call.server.log.query(query)
        return .json(
            200,
            .object([
                ("requests", .array(rows.map(render))),
                ("before", rows.count == limit ? JSONValue(rows.last?.rowID) : .null),
            ]))
    }

    private static func number(_ call: APICall, _ name: String) throws -> Int64? {
        guard let text = call.query(name) else { return nil }
        guard let value = Int64(text), value >= 0, value < 1 << 53 else {
            throw Rejection(422, "invalid_\(name)", "\(name) must be a whole number")
        }
        return value
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
            ("sends", JSONValue(record.sends)),
        ])
    }
}
