import Base
import Ledger
import Settings
import Testing

@testable import Gateway

@Suite("errors of our own")
struct GatewayErrorTests {
    private static let ugly = "line\nquote\" slash\\ tab\t null\u{0} é \u{2028} </script>"

    @Test(
        "in OpenAI's shape",
        arguments: [
            (400, "invalid_request_error"), (401, "authentication_error"), (403, "permission_error"),
            (404, "invalid_request_error"), (413, "invalid_request_error"), (429, "rate_limit_error"),
            (500, "server_error"), (502, "server_error"), (503, "server_error"), (504, "server_error"),
        ])
    func openAI(_ status: Int, _ type: String) throws {
        let error = GatewayError(status, "some_code", Self.ugly, parameter: "mod\"el")
        let inner = try members(try #require(try members(error.body(.openai, requestID: "r"))["error"]))
        #expect(inner["type"] == "\"\(type)\"")
        #expect(inner["code"] == #""some_code""#)
        #expect(inner["message"].flatMap { JSONText.decodeString($0.utf8) } == Self.ugly)
        #expect(inner["param"].flatMap { JSONText.decodeString($0.utf8) } == "mod\"el")
        let plain = GatewayError(status, "c", "m").body(.openai, requestID: "r")
        #expect(try members(try #require(try members(plain)["error"]))["param"] == "null")
    }

    @Test(
        "in Anthropic's shape",
        arguments: [
            (400, "invalid_request_error"), (401, "authentication_error"), (403, "permission_error"),
            (404, "not_found_error"), (408, "timeout_error"), (413, "request_too_large"),
            (422, "invalid_request_error"),
            (429, "rate_limit_error"), (500, "api_error"), (502, "api_error"), (503, "overloaded_error"),
            (504, "timeout_error"), (529, "overloaded_error"),
        ])
    func anthropic(_ status: Int, _ type: String) throws {
        let body = try members(GatewayError(status, "c", Self.ugly).body(.anthropic, requestID: "req\"1"))
        #expect(body["type"] == #""error""#)
        #expect(body["request_id"].flatMap { JSONText.decodeString($0.utf8) } == "req\"1")
        let inner = try members(try #require(body["error"]))
        #expect(inner["type"] == "\"\(type)\"")
        #expect(inner["message"].flatMap { JSONText.decodeString($0.utf8) } == Self.ugly)
    }

    @Test(
        "as the last event of a stream: one event whose data is JSON",
        arguments: [
            (Dialect.openai, AIRoute.chatCompletions), (.openai, .completions), (.openai, .responses),
            (.anthropic, .messages),
        ])
    func event(_ dialect: Dialect, _ route: AIRoute) throws {
        let event = GatewayError(502, "idle_timeout", Self.ugly).event(dialect, route: route, requestID: "r", number: 7)
        let end = withBytes(event) { bytes in
            var splitter = EventSplitter()
            return splitter.endOfEvent(in: bytes, from: 0)
        }
        #expect(end == event.utf8.count)
        let data = withBytes(event) { EventFields.withData($0) { String(decoding: $0, as: UTF8.self) } }
        let body = try members(try #require(data))
        if route == .responses {
            #expect(body["sequence_number"] == "7" && body["type"] == #""error""# && body["code"] == #""idle_timeout""#)
        } else {
            #expect(body["error"] != nil)
        }
        var inspector = StreamInspector(route)
        let meaning = withBytes(event) { inspector.read($0) }
        #expect(meaning == .error)
    }

    @Test("routes know their paths and dialects")
    func routes() {
        for route in AIRoute.allCases { #expect(AIRoute(path: route.path) == route) }
        for path in ["/v1/chat/completions/", "/v1/Messages", "/v1/models", "", "/v1/responses/resp_1"] {
            #expect(AIRoute(path: path) == nil)
        }
        #expect(Dialect.ofPath("/v1/messages/batches", hasAnthropicVersion: false) == .anthropic)
        #expect(Dialect.ofPath("/v1/models", hasAnthropicVersion: true) == .anthropic)
        #expect(Dialect.ofPath("/v1/models", hasAnthropicVersion: false) == .openai)
        #expect(Dialect.openai.url(base: "http://h/v1", path: "/v1/files", query: "a=b") == "http://h/v1/files?a=b")
        #expect(Dialect.anthropic.url(base: "http://h", path: "/v1/messages", query: nil) == "http://h/v1/messages")
    }

    @Test(
        "dollars and milliseconds as text",
        arguments: [
            (0, "0.000000000", "0.000"), (1, "0.000000001", "0.001"), (999, "0.000000999", "0.999"),
            (1_000, "0.000001000", "1.000"), (1_234_567, "0.001234567", "1234.567"),
            (1_000_000_000, "1.000000000", "1000000.000"), (12_000_000_034, "12.000000034", "12000000.034"),
        ] as [(Int64, String, String)])
    func texts(_ value: Int64, _ asDollars: String, _ asMilliseconds: String) {
        #expect(dollars(value) == asDollars)
        #expect(milliseconds(value) == asMilliseconds)
    }
}
