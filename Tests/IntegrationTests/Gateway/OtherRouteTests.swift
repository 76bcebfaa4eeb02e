import Base
import Testing

/// Items 36 to 38: embeddings, models, counting tokens.
@Suite struct OtherRouteTests {
    private static let inputs = [
        #""hello""#, #"["b","a","b"]"#, "[1,2,3]", "[[1,2],[3]]",
    ]
    private static let shapes = [
        "", #","encoding_format":"base64""#, #","encoding_format":"float""#,
        #","encoding_format":"base64","dimensions":8"#, #","dimensions":16,"user":"u""#,
    ]

    @Test("item 36: embeddings of every input and encoding are byte for byte the provider's", arguments: inputs, shapes)
    func embeddings(input: String, shape: String) throws {
        let rig = try Rig()
        let body = #"{"model":"text-embedding-3-small","input":\#(input)\#(shape)}"#
        let direct = try rig.direct.post("/v1/embeddings", body)
        let answer = try rig.client.post("/v1/embeddings", body)
        #expect(answer.status == 200, "\(answer.text.prefix(300))")
        #expect(answer.body == direct.body)
        #expect(try rig.provider.last().body.text == body, "what the client left out stays out")
        let data = try answer.json()["data"].elements
        #expect(data.map { $0["index"].int } == data.indices.map { $0 })
        let isText = data.first?["embedding"].string != nil
        #expect(isText == shape.contains("base64"))
        let row = try rig.server.ledgerRow(answer.requestID)
        #expect(row["inputTokens"].int == (try answer.json())["usage"]["prompt_tokens"].int)
        #expect(row["usageEstimated"].bool == false)
    }

    @Test("item 36: base64 holds the same little-endian floats that float spells out")
    func sameNumbers() throws {
        let rig = try Rig()
        func embedding(_ format: String) throws -> JSON {
            let body =
                #"{"model":"text-embedding-3-small","input":"same","dimensions":4,"#
                + #""encoding_format":"\#(format)"}"#
            return try rig.client.post("/v1/embeddings", body).json()["data"][0]["embedding"]
        }
        let bytes = try #require(try embedding("base64").string.flatMap(decodeBase64))
        let floats = try embedding("float").elements
        #expect(floats.count == 4)
        #expect(bytes.count == 16)
    }

    @Test("item 37: /v1/models merges aliases and what each provider lists, in both dialects' shapes")
    func models() throws {
        let rig = try Rig("[models.fast]\ntargets = [{ provider = \"sim\", model = \"gpt-4o-mini\" }]\n")
        let openAI = try rig.client.get("/v1/models").json()
        #expect(openAI["object"].string == "list")
        let ids = openAI["data"].elements.compactMap { $0["id"].string }
        let some: Set = ["fast", "gpt-4o-mini", "text-embedding-3-small", "claude-sonnet-4-5-20250929"]
        #expect(Set(ids).isSuperset(of: some))
        #expect(Set(ids).count == ids.count)
        #expect(openAI["data"].elements.allSatisfy { $0.keys == ["id", "object", "created", "owned_by"] })
        let version = [("anthropic-version", "2023-06-01")]
        let anthropic = try rig.client.get("/v1/models?limit=1000", headers: version).json()
        #expect(anthropic["data"].elements.compactMap { $0["id"].string } == ids)
        #expect(anthropic["data"].elements.allSatisfy { $0["type"].string == "model" })
        #expect(anthropic["data"].elements.allSatisfy { $0["display_name"].string != nil })
        #expect(anthropic["has_more"].bool == false)
        #expect(anthropic["first_id"].string == ids.first)
        #expect(anthropic["last_id"].string == ids.last)
        #expect(try rig.provider.calls().byRoute["/v1/models"] == 2, "each provider is asked once, then remembered")
    }

    @Test("item 37: one model by its id, and a clean 404 in the dialect for one that nobody has")
    func oneModel() throws {
        let rig = try Rig("[models.\"org/fast\"]\ntargets = [{ provider = \"sim\", model = \"gpt-4o-mini\" }]\n")
        #expect(try rig.client.get("/v1/models/gpt-4o-mini").json()["id"].string == "gpt-4o-mini")
        #expect(try rig.client.get("/v1/models/org%2Ffast").json()["owned_by"].string == "weir")
        let missing = try rig.client.get("/v1/models/none")
        #expect(missing.status == 404)
        #expect(try missing.json()["error"]["code"].string == "model_not_found")
        let anthropic = try rig.client.get("/v1/models/none", headers: [("anthropic-version", "2023-06-01")])
        #expect(try anthropic.json()["error"]["type"].string == "not_found_error")
    }

    @Test("item 37: a provider that is down leaves its part out, and a key without the scope sees nothing")
    func modelsPartly() throws {
        let rig = try Rig(
            """
            [providers.down]
            dialect = "openai"
            base-url = "http://127.0.0.1:9/v1"
            models = []

            """)
        let answer = try rig.client.get("/v1/models")
        #expect(answer.status == 200)
        #expect(answer.text.contains("gpt-4o-mini"))
        let outsider = rig.server.client(key: try rig.server.createKey("metrics-only", scopes: ["metrics"]))
        #expect(try outsider.get("/v1/models").status == 403)
    }

    @Test("item 38: counting tokens is forwarded and never booked as usage")
    func countTokens() throws {
        let rig = try Rig()
        let routes = [("/v1/messages/count_tokens", Body.messages), ("/v1/responses/input_tokens", Body.responses)]
        for (path, body) in routes {
            let beta = [("anthropic-beta", "token-counting-2024-11-01")]
            let direct = try rig.direct.post(path, body)
            let answer = try rig.client.post(path, body, headers: beta)
            #expect(answer.status == 200)
            #expect(answer.body == direct.body)
            #expect(try rig.provider.last().header("anthropic-beta") == "token-counting-2024-11-01")
            let row = try rig.server.ledgerRow(answer.requestID)
            #expect(row["route"].string == path)
            #expect(row["outputTokens"].isNull)
            #expect(row["cost"].isNull)
        }
    }
}
