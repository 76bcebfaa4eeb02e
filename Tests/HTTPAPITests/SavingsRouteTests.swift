import Base
import FoundationEssentials
import Gateway
import Ledger
import Testing

@testable import HTTPAPI

/// `GET /savings`, and the cache's columns of `GET /requests`.
@Suite struct SavingsRouteTests {
    private struct Page: Decodable {
        struct Row: Decodable, Equatable {
            var day: String?
            var tenant: String?
            var key: String?
            var model: String?
            var requests: Int
            var billedRequests: Int
            var billedInputTokens: Int
            var billedDollars: Double
            var cachedRequests: Int
            var cachedOutputTokens: Int
            var cachedDollars: Double
            var coalescedRequests: Int
            var coalescedDollars: Double
            var promptCachedTokens: Int
            var promptCachedDollars: Double
        }
        var since: String
        var total: Row
        var savings: [Row]
        var truncated: Bool
    }

    private func call(_ path: String, _ query: String?, _ desk: ServerDesk) throws -> String {
        let request = InboundRequest(
            id: "req_1", principal: Principal(keyID: "k", name: "n", tenant: "t", scopes: ScopeSet([.admin])),
            method: "GET", path: path, query: query, headers: HeaderFields(), received: .now(), time: .now())
        guard case .api(let matched) = try RouteTable.standard.plan(request, server: desk.server) else { return "" }
        return try matched.route.handler(APICall(server: desk.server, request: request, parameters: [:], body: [])).body
    }

    private func page(_ query: String?, _ desk: ServerDesk) throws -> Page {
        try JSONDecoder().decode(Page.self, from: Data(try call("/savings", query, desk).utf8))
    }

    /// Today: one billed, two cached and one coalesced request of team-a, one billed of team-b; and an old one.
    private func filled() throws -> ServerDesk {
        let desk = try ServerDesk()
        let now = UnixTime.now()
        func record(_ cache: CacheResult, _ tenant: String, _ model: String, at time: UnixTime? = nil) {
            desk.server.log.record(
                RequestRecord(
                    id: "r", time: time ?? now, tenant: tenant, keyID: "key_\(tenant)", route: "/v1/messages",
                    modelRequested: model, status: 200, usage: TokenUsage(input: 10, output: 5, cachedInput: 2),
                    costNanodollars: cache.isSaved ? 0 : 2_000_000_000, cacheResult: cache, cacheDetail: "why",
                    savedNanodollars: cache.isSaved ? 500_000_000 : nil, promptCachedNanodollars: 250_000_000))
        }
        for cache in [.miss, .l1, .stale, .collapsed] as [CacheResult] { record(cache, "team-a", "m1") }
        record(.bypass, "team-b", "m2")
        record(.l3, "team-b", "m2", at: UnixTime(microseconds: 1_700_000_000_000_000))
        try desk.server.log.flush()
        return desk
    }

    @Test("a month by day, key and model with its total; an older day when asked for")
    func savings() throws {
        let desk = try filled()
        let page = try page(nil, desk)
        #expect(page.savings.map(\.tenant) == ["team-a", "team-b"] && page.savings.map(\.model) == ["m1", "m2"])
        #expect(page.savings.map(\.key) == ["key_team-a", "key_team-b"] && !page.truncated)
        #expect(page.savings.allSatisfy { $0.day?.count == 10 && ($0.day ?? "") > page.since })
        let first = try #require(page.savings.first)
        #expect(first.requests == 4 && first.billedRequests == 1 && first.billedDollars == 2)
        #expect(first.cachedRequests == 2 && first.cachedOutputTokens == 10 && first.cachedDollars == 1)
        #expect(first.coalescedRequests == 1 && first.coalescedDollars == 0.5)
        #expect(first.promptCachedTokens == 2 && first.promptCachedDollars == 0.25)
        #expect(page.total.requests == 5 && page.total.billedInputTokens == 20 && page.total.day == nil)
        let all = try self.page("since=0&tenant=team-b", desk)
        #expect(all.since == "1970-01-01" && all.savings.count == 2 && all.total.cachedRequests == 1)
        #expect(all.savings.last?.day == "2023-11-14")
    }

    @Test("by less than all three, rows are added up")
    func grouping() throws {
        let desk = try filled()
        let models = try page("since=0&by=model", desk)
        #expect(models.savings.map(\.model) == ["m1", "m2"] && models.savings.map(\.requests) == [4, 2])
        #expect(models.savings.allSatisfy { $0.day == nil && $0.tenant == nil })
        #expect(try page("since=0&by=key,day", desk).savings.count == 3)
        #expect(try page("since=0&by=", desk).savings == [try page("since=0", desk).total])
        #expect(try page("tenant=nobody", desk).savings.isEmpty)
        #expect(try page("tenant=nobody", desk).total.requests == 0)
    }

    @Test(
        "what cannot be read is refused by its name",
        arguments: [
            ("/savings", "by=week", "invalid_by"), ("/savings", "since=today", "invalid_since"),
            ("/savings", "since=9000000000000000", "invalid_since"),
            ("/requests", "since=9000000000000000", "invalid_since"), ("/requests", "cache=hit", "invalid_cache"),
        ])
    func refused(_ path: String, _ query: String, _ code: String) throws {
        let desk = try ServerDesk()
        let rejection = #expect(throws: Rejection.self) { try call(path, query, desk) }
        #expect(rejection?.status == 422 && rejection?.code == code)
    }

    @Test("the request log shows and filters what the cache did, and the status counts it")
    func requests() throws {
        let desk = try filled()
        let stale = try call("/requests", "cache=stale", desk)
        #expect(stale.contains(#""cache":"stale","cacheDetail":"why","saved":"0.500000000""#))
        #expect(stale.contains(#""promptCacheSaved":"0.250000000""#) && !stale.contains(#""cache":"miss""#))
        #expect(try call("/requests", "cache=refresh", desk).contains(#""requests":[]"#))
        #expect(try call("/status", nil, desk).contains(#""saved":3,"savedDollars":1.5"#))
    }
}
