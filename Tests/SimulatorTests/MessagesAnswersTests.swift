import Base
import NIOCore
import Testing

@testable import Simulator

@Suite("Messages")
struct MessagesAnswersTests {
    private let desk = Desk()

    private func body(_ message: String, _ more: String = "") -> String {
        "{\"model\":\"claude\",\"max_tokens\":500,\"messages\":[{\"role\":\"user\",\"content\":\"\(message)\"}]\(more)}"
    }

    private let tool = """
        ,"tools":[{"name":"get_weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}]
        """

    @Test("a plain answer has the fields and headers of the real one")
    func plain() throws {
        let reply = try desk.post("/v1/messages", body("hello"))
        let json = try reply.json()
        #expect(json["type"].string == "message" && json["role"].string == "assistant")
        #expect(json["id"].string?.hasPrefix("msg_01") == true && json["stop_reason"].string == "end_turn")
        #expect(json["content"][0]["type"].string == "text" && json["content"][0]["text"].string?.isEmpty == false)
        #expect(json["usage"]["cache_read_input_tokens"].integer == 0 && json["usage"]["output_tokens"].integer != nil)
        #expect(reply.header("request-id")?.hasPrefix("req_") == true && reply.header("x-request-id") == nil)
        #expect(reply.header("anthropic-ratelimit-requests-limit") != nil)
    }

    @Test("a stream has the events of the real one in their order")
    func order() throws {
        let reply = try desk.post("/v1/messages", body("hello", ",\"stream\":true"), simulate: "tokens=2")
        #expect(
            reply.events.map(\.name) == [
                "message_start", "content_block_start", "ping", "content_block_delta", "content_block_delta",
                "content_block_stop", "message_delta", "message_stop",
            ])
        let trees = try reply.eventTrees()
        #expect(trees.map { $0["type"].string } == reply.events.map(\.name))
        #expect(trees[0]["message"]["usage"]["output_tokens"].integer == 1)
        #expect(trees[6]["delta"]["stop_reason"].string == "end_turn")
        #expect(trees[6]["usage"]["output_tokens"].integer == 2)
    }

    @Test("thinking comes first and is signed")
    func thinking() throws {
        let more = ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}"
        let json = try desk.post("/v1/messages", body("hello", more)).json()
        #expect(json["content"].items.map { $0["type"].string } == ["thinking", "text"])
        #expect(json["content"][0]["signature"].string?.isEmpty == false)
        let trees = try desk.post("/v1/messages", body("hello", more + ",\"stream\":true")).eventTrees()
        let deltas = trees.compactMap { $0["delta"]["type"].string }
        let signature = try #require(deltas.firstIndex(of: "signature_delta"))
        #expect(deltas[..<signature].allSatisfy { $0 == "thinking_delta" })
        #expect(deltas[(signature + 1)...].allSatisfy { $0 == "text_delta" })
        #expect(trees.filter { $0["type"].string == "content_block_start" }.map { $0["index"].integer } == [0, 1])
    }

    @Test("a tool call is a tool_use block whose input is streamed as JSON in pieces")
    func tools() throws {
        let json = try desk.post("/v1/messages", body("weather in both", tool)).json()
        #expect(json["stop_reason"].string == "tool_use")
        #expect(json["content"].items.map { $0["type"].string } == ["tool_use", "tool_use"])
        #expect(json["content"][0]["input"]["city"].string != nil)
        let trees = try desk.post("/v1/messages", body("weather", tool + ",\"stream\":true")).eventTrees()
        let pieces = trees.filter { $0["delta"]["type"].string == "input_json_delta" }
        let joined = pieces.compactMap { $0["delta"]["partial_json"].string }.joined()
        #expect(pieces[0]["delta"]["partial_json"].string == "")
        #expect(try JSONTree.parse(Array(joined.utf8)).keys == ["city"])
        let block = trees.first { $0["type"].string == "content_block_start" }?["content_block"]
        #expect(block?["input"] == .object([:]) && block?["name"].string == "get_weather")
    }

    @Test("a marked system prompt is written to the prompt cache once and read from it after")
    func promptCache() throws {
        let more = ",\"system\":[{\"type\":\"text\",\"text\":\"rules\",\"cache_control\":{\"type\":\"ephemeral\"}}]"
        let first = try desk.post("/v1/messages", body("one", more)).json()["usage"]
        let second = try desk.post("/v1/messages", body("two", more)).json()["usage"]
        let size = try #require(first["cache_creation_input_tokens"].integer)
        #expect(size > 0 && first["cache_read_input_tokens"].integer == 0)
        #expect(second["cache_creation_input_tokens"].integer == 0 && second["cache_read_input_tokens"].integer == size)
        _ = try desk.call("POST", "/simulator/reset", [])
        #expect(try desk.post("/v1/messages", body("one", more)).json()["usage"] == first)
    }

    @Test("tokens are counted without an answer")
    func countTokens() throws {
        let body = "{\"model\":\"claude\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}"
        let json = try desk.post("/v1/messages/count_tokens", body).json()
        #expect(json.keys == ["input_tokens"] && json["input_tokens"].integer ?? 0 > 0)
    }

    @Test(
        "errors are Anthropic's",
        arguments: [
            (400, "invalid_request_error"), (401, "authentication_error"), (403, "permission_error"),
            (404, "not_found_error"), (413, "request_too_large"), (429, "rate_limit_error"), (500, "api_error"),
            (529, "overloaded_error"),
        ])
    func errors(status: Int, type: String) throws {
        let reply = try desk.post("/v1/messages", body("x"), simulate: "status=\(status)")
        let json = try reply.json()
        #expect(reply.status == status && json["type"].string == "error" && json["error"]["type"].string == type)
        #expect(json["request_id"].string == reply.header("request-id"))
    }

    @Test("max_tokens is required and ends the answer")
    func maxTokens() throws {
        #expect(try desk.post("/v1/messages", "{\"model\":\"c\",\"messages\":[]}").status == 400)
        let cut = body("x").replacing("500", with: "3")
        #expect(try desk.post("/v1/messages", cut).json()["stop_reason"].string == "max_tokens")
    }
}
