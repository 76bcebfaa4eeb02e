import Base
import NIOCore
import Testing

@testable import Simulator

@Suite("Responses")
struct ResponsesAnswersTests {
    private let desk = Desk()

    @Test("a plain answer is kept, found again, listed by its input and deleted")
    func life() throws {
        let reply = try desk.post("/v1/responses", "{\"model\":\"gpt-4o\",\"input\":\"hello \\u00e9\"}")
        let json = try reply.json()
        let id = try #require(json["id"].string)
        #expect(json["status"].string == "completed" && json["usage"]["total_tokens"].integer != nil)
        #expect(json["output"][0]["content"][0]["type"].string == "output_text")
        #expect(try desk.get("/v1/responses/\(id)").bodyBytes == reply.bodyBytes)
        let items = try desk.get("/responses/\(id)/input_items?limit=5").json()
        #expect(items["data"][0]["content"][0]["text"].string == "hello é")
        #expect(items["first_id"] == items["data"][0]["id"])
        #expect(try desk.call("DELETE", "/v1/responses/\(id)", []).json()["deleted"] == .bool(true))
        #expect(try desk.get("/v1/responses/\(id)").status == 404)
    }

    @Test("events are numbered from zero, in order, and end with the completed response")
    func events() throws {
        let body = "{\"model\":\"gpt-4o\",\"input\":\"hello\",\"stream\":true}"
        let reply = try desk.post("/v1/responses", body, simulate: "tokens=2")
        let trees = try reply.eventTrees()
        #expect(trees.map { $0["sequence_number"].integer } == trees.indices.map { $0 })
        #expect(
            reply.events.map(\.name) == [
                "response.created", "response.in_progress", "response.output_item.added",
                "response.content_part.added", "response.output_text.delta", "response.output_text.delta",
                "response.output_text.done", "response.content_part.done", "response.output_item.done",
                "response.completed",
            ])
        #expect(reply.events.allSatisfy { $0.data != "[DONE]" })
        let joined = trees.compactMap { $0["delta"].string }.joined()
        #expect(trees[6]["text"].string == joined)
        #expect(trees.last?["response"]["output"][0]["content"][0]["text"].string == joined)
        #expect(trees.last?["response"]["usage"]["output_tokens"].integer == 2)
        let id = try #require(trees[0]["response"]["id"].string)
        #expect(try desk.get("/v1/responses/\(id)").json() == trees.last?["response"])
    }

    @Test("the limit makes the response incomplete")
    func incomplete() throws {
        let json = try desk.post("/v1/responses", "{\"model\":\"m\",\"input\":\"x\",\"max_output_tokens\":2}").json()
        #expect(json["status"].string == "incomplete")
        #expect(json["incomplete_details"]["reason"].string == "max_output_tokens")
    }

    @Test("tools are called by item and by streamed arguments")
    func tools() throws {
        let body = """
            {"model":"m","input":"weather","tools":[{"type":"function","name":"w","parameters":{"type":"object",\
            "properties":{"city":{"type":"string"}}}}]
            """
        let json = try desk.post("/v1/responses", body + "}").json()
        #expect(json["output"][0]["type"].string == "function_call" && json["output"][0]["name"].string == "w")
        let trees = try desk.post("/v1/responses", body + ",\"stream\":true}").eventTrees()
        let joined = trees.compactMap { $0["delta"].string }.joined()
        let done = trees.first { $0["type"].string == "response.function_call_arguments.done" }
        #expect(done?["arguments"].string == joined)
        #expect(try JSONTree.parse(Array(joined.utf8)).keys == ["city"])
    }

    @Test("an unknown previous response is a 404, a known one is repeated in the answer")
    func previous() throws {
        let body = "{\"model\":\"m\",\"input\":\"x\",\"previous_response_id\":\"resp_none\"}"
        let refused = try desk.post("/v1/responses", body)
        #expect(refused.status == 404)
        #expect(try refused.json()["error"]["code"].string == "previous_response_not_found")
        let id = try desk.post("/v1/responses", "{\"model\":\"m\",\"input\":\"x\"}").json()["id"].string ?? ""
        let next = try desk.post("/v1/responses", body.replacing("resp_none", with: id)).json()
        #expect(next["previous_response_id"].string == id)
    }

    @Test("store false keeps nothing; a background response can be cancelled, another not")
    func storeAndCancel() throws {
        let unstored = try desk.post("/v1/responses", "{\"model\":\"m\",\"input\":\"x\",\"store\":false}").json()
        #expect(try desk.get("/v1/responses/\(unstored["id"].string ?? "")").status == 404)
        let queued = try desk.post("/v1/responses", "{\"model\":\"m\",\"input\":\"x\",\"background\":true}").json()
        let id = queued["id"].string ?? ""
        #expect(queued["status"].string == "queued")
        #expect(try desk.get("/v1/responses/\(id)").json()["status"].string == "completed")
        #expect(try desk.post("/v1/responses/\(id)/cancel", "").json()["status"].string == "cancelled")
        let plain = try desk.post("/v1/responses", "{\"model\":\"m\",\"input\":\"x\"}").json()["id"].string ?? ""
        #expect(try desk.post("/v1/responses/\(plain)/cancel", "").status == 400)
    }

    @Test("the store is bounded: the oldest response goes first")
    func bounded() throws {
        func create(_ number: Int) throws -> String {
            try desk.post("/v1/responses", "{\"model\":\"m\",\"input\":\"\(number)\",\"max_output_tokens\":1}")
                .json()["id"].string ?? ""
        }
        let first = try create(0)
        let second = try create(1)
        for number in 2...1_000 { _ = try create(number) }
        #expect(try desk.get("/v1/responses/\(first)").status == 404)
        #expect(try desk.get("/v1/responses/\(second)").status == 200)
    }
}
