import Base
import NIOCore
import Testing

@testable import Simulator

@Suite("Chat completions")
struct ChatAnswersTests {
    private static let hello = #"{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}"#
    private let desk = Desk()

    private func tools(_ message: String, _ more: String = "") -> String {
        """
        {"model":"gpt-4o","messages":[{"role":"user","content":"\(message)"}],"tools":[{"type":"function","function":\
        {"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"},\
        "days":{"type":"integer"},"unit":{"enum":["c","f"]}}}}}]\(more)}
        """
    }

    @Test("a plain answer has the fields of the real one")
    func plain() throws {
        let reply = try desk.post("/v1/chat/completions", Self.hello)
        let json = try reply.json()
        #expect(reply.status == 200 && reply.isImmediate && reply.header("content-type") == "application/json")
        #expect(reply.header("content-length") == String(reply.framedBody.count))
        #expect(json["object"].string == "chat.completion" && json["model"].string == "gpt-4o")
        #expect(json["id"].string?.hasPrefix("chatcmpl-") == true && json["created"].integer != nil)
        let choice = json["choices"][0]
        #expect(choice["message"]["role"].string == "assistant" && choice["finish_reason"].string == "stop")
        #expect(choice.has("logprobs") && choice["logprobs"] == .null && choice["message"].has("refusal"))
        let usage = json["usage"]
        let completion = try #require(usage["completion_tokens"].integer)
        #expect((20...60).contains(completion))
        #expect(usage["total_tokens"].integer == completion + (usage["prompt_tokens"].integer ?? 0))
    }

    @Test("the same seed and body give the same answer, another seed or body another one")
    func determinism() throws {
        let first = try desk.post("/v1/chat/completions", Self.hello).body
        #expect(try desk.post("/chat/completions", Self.hello).body == first)
        #expect(try Desk().post("/v1/chat/completions", Self.hello).body == first)
        #expect(try Desk { $0.seed = 2 }.post("/v1/chat/completions", Self.hello).body != first)
        #expect(try desk.post("/v1/chat/completions", Self.hello + " ").body != first)
    }

    @Test("the length limit cuts the answer and says so", arguments: ["max_tokens", "max_completion_tokens"])
    func lengthLimit(name: String) throws {
        let body = Self.hello.dropLast() + ",\"\(name)\":5}"
        let json = try desk.post("/v1/chat/completions", String(body)).json()
        #expect(json["choices"][0]["finish_reason"].string == "length")
        #expect(json["usage"]["completion_tokens"].integer == 5)
        #expect(json["choices"][0]["message"]["content"].string?.split(separator: " ").count == 5)
    }

    @Test("a stream opens with the role, ends with a reason and [DONE], and carries no usage unasked")
    func stream() throws {
        let reply = try desk.post("/v1/chat/completions", String(Self.hello.dropLast() + ",\"stream\":true}"))
        #expect(reply.header("content-type") == "text/event-stream; charset=utf-8" && reply.isImmediate)
        #expect(reply.chunks.isComplete && reply.chunks.all.count == reply.events.count)
        let trees = try reply.eventTrees()
        #expect(trees[0]["choices"][0]["delta"]["role"].string == "assistant")
        #expect(trees.last?["choices"][0]["finish_reason"].string == "stop")
        #expect(trees.allSatisfy { $0["object"].string == "chat.completion.chunk" && !$0.has("usage") })
        #expect(Set(trees.map { $0["id"].string }).count == 1)
        #expect(reply.events.last?.data == "[DONE]")
        #expect(try reply.chatText().isEmpty == false)
    }

    @Test("usage in a stream comes last, with no choices, and is null before")
    func streamUsage() throws {
        let body = Self.hello.dropLast() + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}"
        let trees = try desk.post("/v1/chat/completions", String(body)).eventTrees()
        let last = try #require(trees.last)
        #expect(last["choices"] == .array([]) && last["usage"]["total_tokens"].integer != nil)
        #expect(trees.dropLast().allSatisfy { $0.has("usage") && $0["usage"] == .null })
    }

    @Test("several choices are interleaved by index and differ")
    func choices() throws {
        let body = Self.hello.dropLast() + ",\"n\":3,\"stream\":true,\"max_tokens\":4}"
        let reply = try desk.post("/v1/chat/completions", String(body))
        let order = try reply.eventTrees().map { $0["choices"][0]["index"].integer ?? -1 }
        #expect(order == (0..<6).flatMap { _ in [0, 1, 2] })
        #expect(Set(try (0..<3).map { try reply.chatText($0) }).count == 3)
        let plain = try desk.post("/v1/chat/completions", String(Self.hello.dropLast() + ",\"n\":3}")).json()
        #expect(plain["choices"].items.count == 3)
    }

    @Test("a question about the weather calls the tool with arguments that fit its schema")
    func toolCall() throws {
        let json = try desk.post("/v1/chat/completions", tools("weather?")).json()
        let message = json["choices"][0]["message"]
        #expect(json["choices"][0]["finish_reason"].string == "tool_calls" && message["content"] == .null)
        #expect(message["tool_calls"].items.count == 1)
        #expect(message["tool_calls"][0]["function"]["name"].string == "get_weather")
        let text = try #require(message["tool_calls"][0]["function"]["arguments"].string)
        let arguments = try JSONTree.parse(Array(text.utf8))
        #expect(arguments.keys == ["city", "days", "unit"])
        #expect(arguments["unit"].string == "c" && arguments["days"].integer != nil && arguments["city"].string != nil)
    }

    @Test("streamed calls are keyed by index, named once, and their fragments join to JSON")
    func toolCallStream() throws {
        let trees = try desk.post("/v1/chat/completions", tools("the weather in both", ",\"stream\":true")).eventTrees()
        let deltas = trees.flatMap { $0["choices"][0]["delta"]["tool_calls"].items }
        for index in 0...1 {
            let own = deltas.filter { $0["index"].integer == index }
            #expect(own.filter { $0.has("id") }.count == 1 && own[0]["function"]["name"].string == "get_weather")
            let joined = own.compactMap { $0["function"]["arguments"].string }.joined()
            #expect(try JSONTree.parse(Array(joined.utf8)).keys == ["city", "days", "unit"])
            #expect(own.count > 3)
        }
        #expect(trees.last?["choices"][0]["finish_reason"].string == "tool_calls")
    }

    @Test(
        "tool_choice decides where the words do not",
        arguments: [
            ("hi", "", 0), ("hi", ",\"tool_choice\":\"required\"", 1), ("weather", ",\"tool_choice\":\"none\"", 0),
            ("hi", ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"get_weather\"}}", 1),
            ("weather both", ",\"parallel_tool_calls\":false", 1),
        ])
    func toolChoice(message: String, more: String, calls: Int) throws {
        let json = try desk.post("/v1/chat/completions", tools(message, more)).json()
        #expect(json["choices"][0]["message"]["tool_calls"].items.count == calls)
    }

    @Test("after the tool has answered comes text, so that a loop of calls ends")
    func afterTool() throws {
        let body = tools("weather").replacing(
            "\"content\":\"weather\"}",
            with: "\"content\":\"weather\"},{\"role\":\"tool\",\"content\":\"weather: sun\"}")
        #expect(try desk.post("/v1/chat/completions", body).json()["choices"][0]["message"]["content"].string != nil)
    }

    @Test(
        "a request that lacks something is told what",
        arguments: [
            ("{}", "model"), ("{\"model\":\"x\"}", "messages"), ("{\"model\":\"x\",\"messages\":\"y\"}", "messages"),
            ("{\"model\":\"x\",\"messages\":[],\"n\":0}", "n"),
        ])
    func refusals(body: String, parameter: String) throws {
        let reply = try desk.post("/v1/chat/completions", body)
        #expect(reply.status == 400)
        #expect(try reply.json()["error"]["param"].string == parameter)
    }

    @Test("a body that is no JSON is a 400 in the dialect")
    func notJSON() throws {
        let reply = try desk.post("/v1/chat/completions", "{\"model\":")
        #expect(reply.status == 400)
        #expect(try reply.json()["error"]["type"].string == "invalid_request_error")
    }

    @Test("legacy completions: a choice for each prompt, streamed and plain")
    func completions() throws {
        let plain = try desk.post("/v1/completions", "{\"model\":\"x\",\"prompt\":[\"a\",\"b\"]}").json()
        #expect(plain["object"].string == "text_completion" && plain["choices"].items.count == 2)
        #expect(plain["choices"][1]["text"].string?.isEmpty == false)
        let body = "{\"model\":\"x\",\"prompt\":\"a\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}"
        let reply = try desk.post("/v1/completions", body)
        let trees = try reply.eventTrees()
        #expect(trees[trees.count - 2]["choices"][0]["finish_reason"].string == "stop")
        #expect(trees.last?["usage"]["completion_tokens"].integer == trees.count - 2)
        #expect(reply.events.last?.data == "[DONE]")
    }
}
