import Base
import Gateway
import Ledger
import Logging
import NIOCore
import Settings
import Telemetry

/// What the caches saved: daily sums, which are kept longer than the request log.
enum SavingsRoutes {
    static let all = [
        APIRoute(
            "GET", "/savings", .guarded(.admin),
            "Tokens and dollars billed, cached, coalesced and prompt-cached, of the last 30 days or"
                + " ?since=SECONDS, &tenant= &by=day,key,model", list)
    ]

    private static let daysByDefault: Int64 = 30
    private static let groupings: [String: SavingsGrouping] = ["day": .day, "key": .key, "model": .model]

    private static func list(_ call: APICall) throws -> APIAnswer {
        let monthAgo = UnixTime(microseconds: UnixTime.now().microseconds - daysByDefault * 86_400_000_000)
        let since = try call.time("since") ?? monthAgo
        let grouping = try grouping(call)
        func rows(_ grouping: SavingsGrouping) throws -> [SavingsRow] {
            try call.server.log.savings(
                since: since, tenant: call.query("tenant"), by: grouping, limit: Limits.requestLogPageMax + 1)
        }
        let found = try rows(grouping)
        return .json(
            200,
            .object([
                ("since", .string(String(since.iso8601.prefix(10)))),
                ("total", .object(sums(try rows([]).first?.savings ?? Savings()))),
                ("savings", .array(found.prefix(Limits.requestLogPageMax).map { render($0, grouping) })),
                ("truncated", .bool(found.count > Limits.requestLogPageMax)),
            ]))
    }

    private static func grouping(_ call: APICall) throws -> SavingsGrouping {
        let words = (call.query("by") ?? "day,key,model").split(separator: ",")
        return try words.reduce(into: SavingsGrouping()) { grouping, word in
            guard let part = groupings[String(word)] else {
                throw Rejection(422, "invalid_by", "by must be some of day, key and model, with commas between")
            }
            grouping.formUnion(part)
        }
    }

    private static func render(_ row: SavingsRow, _ grouping: SavingsGrouping) -> JSONValue {
        var members: [(String, JSONValue)] = []
        if grouping.contains(.day) { members.append(("day", JSONValue(row.date))) }
        if grouping.contains(.key) {
            members += [("tenant", JSONValue(row.tenant)), ("key", JSONValue(row.keyID))]
        }
        if grouping.contains(.model) { members.append(("model", JSONValue(row.model))) }
        return .object(members + sums(row.savings))
    }

    private static func sums(_ savings: Savings) -> [(String, JSONValue)] {
        [("requests", JSONValue(savings.requests))] + sums("billed", savings.billed) + sums("cached", savings.cached)
            + sums("coalesced", savings.coalesced) + [
                ("promptCachedTokens", JSONValue(savings.promptCachedTokens)),
                ("promptCachedDollars", .number(Double(savings.promptCachedNanodollars) / 1e9)),
            ]
    }

    private static func sums(_ kind: String, _ sums: SavingsSums) -> [(String, JSONValue)] {
        [
            ("\(kind)Requests", JSONValue(sums.requests)), ("\(kind)InputTokens", JSONValue(sums.inputTokens)),
            ("\(kind)OutputTokens", JSONValue(sums.outputTokens)),
            ("\(kind)Dollars", .number(Double(sums.nanodollars) / 1e9)),
        ]
    }
}
