import Base
import Testing

/// `GET /requests`: the request log by filter and by page.
@Suite struct RequestLogRouteTests {
    /// Two tenants, three models, good and bad statuses; returns once all of it is written.
    private func filled() throws -> Rig {
        let rig = try Rig()
        for (tenant, count) in [("team-a", 3), ("team-b", 2)] {
            let client = rig.server.client(key: try rig.server.createKey("key", tenant: tenant))
            for _ in 0..<count { _ = try client.post("/v1/chat/completions", Body.chat) }
            _ = try client.post("/v1/messages", Body.messages)
            _ = try client.post("/v1/chat/completions", Body.chat, simulate: "status=429")
            _ = try client.post("/v1/chat/completions", #"{"model":"none"}"#)
        }
        let isWritten = try eventually { try rig.server.requests().count == 11 }
        guard isWritten else { throw HarnessFailure("the rows were not written") }
        return rig
    }

    @Test("filters narrow alone and together: tenant, model, status, since")
    func filters() throws {
        let rig = try filled()
        for (query, count) in [
            ("limit=1000", 11), ("tenant=team-a", 6), ("tenant=team%2Db", 5), ("tenant=none", 0), ("status=200", 7),
            ("status=429", 2), ("status=404", 2), ("model=gpt-4o-mini", 7), ("model=claude-sonnet-4-5", 2),
            ("model=none", 2), ("tenant=team-a&status=200", 4), ("tenant=team-a&status=200&model=gpt-4o-mini", 3),
            ("since=\(UnixTime.now().seconds - 60)", 11), ("since=\(UnixTime.now().seconds + 60)", 0),
        ] { #expect(try rig.server.requests(query).count == count, "\(query)") }
        for row in try rig.server.requests("tenant=team-a") { #expect(row["tenant"].string == "team-a") }
    }

    @Test("pages of any size, joined by `before`, are the whole log once and in order, newest first")
    func paging() throws {
        let rig = try filled()
        let all = try rig.server.requests().map { $0["row"].int ?? -1 }
        #expect(all == all.sorted(by: >))
        for limit in [1, 3, 4, 11] {
            var (seen, before): ([Int], Int?) = ([], nil)
            for _ in 0..<20 {
                let page = try rig.client.get("/requests?limit=\(limit)" + (before.map { "&before=\($0)" } ?? ""))
                    .json()
                #expect(page["requests"].elements.count <= limit)
                seen += page["requests"].elements.compactMap { $0["row"].int }
                before = page["before"].int
                if before == nil { break }
            }
            #expect(seen == all, "pages of \(limit)")
            #expect(before == nil)
        }
    }

    @Test("a row says who asked what of whom, how it went, how long each part took and what it cost")
    func row() throws {
        let rig = try Rig("[models.\"gpt-4o-mini\"]\ntargets = [\"sim\"]\nprice-input = 1000\nprice-output = 2000\n")
        let answer = try rig.client.post("/v1/chat/completions", Body.chat, simulate: "latency=20ms")
        let usage = try answer.json()["usage"]
        let (input, output) = (try #require(usage["prompt_tokens"].int), try #require(usage["completion_tokens"].int))
        let row = try rig.server.ledgerRow(answer.requestID)
        #expect(row["route"].string == "/v1/chat/completions")
        #expect(row["tenant"].string == "admin" && row["key"].string != nil)
        #expect(row["model"].string == "gpt-4o-mini" && row["provider"].string == "sim")
        #expect(row["status"].int == 200 && row["stream"].bool == false && row["error"].isNull)
        #expect(row["inputTokens"].int == input && row["outputTokens"].int == output)
        #expect(row["usageEstimated"].bool == false)
        let cost = Double(input) / 1_000 + Double(output) / 500
        #expect(abs((row["cost"].string.flatMap { Double($0) } ?? -1) - cost) < 1e-9)
        #expect(answer.header("X-Weir-Cost") == row["cost"].string)
        #expect(row["durationMs"].double ?? 0 >= 20 && row["firstByteMs"].double ?? 0 >= 20)
        #expect(row["overheadMs"].double ?? .infinity < row["durationMs"].double ?? 0)
        #expect(row["bytesIn"].int == Body.chat.utf8.count && row["bytesOut"].int == answer.body.count)
        #expect(row["sends"].int == 1)
        #expect(row["time"].string?.hasSuffix("Z") == true)
    }

    @Test("what is no number, or out of bounds, is 422 and says which parameter")
    func badQueries() throws {
        let server = try WeirServer.start()
        for (query, word) in [
            ("limit=0", "limit"), ("limit=1001", "limit"), ("limit=ten", "limit"), ("limit=", "limit"),
            ("limit=-1", "limit"),
            ("status=ok", "status"), ("since=yesterday", "since"), ("before=x", "before"),
            ("since=99999999999999999999", "since"), ("since=9000000000000000", "since"), ("cache=l4", "cache"),
        ] {
            let answer = try server.client.get("/requests?\(query)")
            #expect(answer.status == 422, "\(query): \(answer.text)")
            #expect(try answer.json()["type"].string == "urn:weir:problem:invalid_\(word)", "\(query)")
        }
        let odd = try server.client.get("/requests?tenant='%20OR%201=1--&model=%00&unknown=1&&=&limit=5")
        #expect(odd.status == 200)
        #expect(try odd.json()["requests"].elements.isEmpty)
    }
}
