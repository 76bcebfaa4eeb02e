import Base
import Testing

/// Item 30: one kept answer serves every shape of caller, with what each asked for and nothing else.
@Suite struct CacheShapeTests {
    enum Route: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case chat = "/v1/chat/completions"
        case completions = "/v1/completions"
        case responses = "/v1/responses"
        case messages = "/v1/messages"

        var testDescription: String { rawValue }
        var gatesUsage: Bool { self == .chat || self == .completions }

        func body(_ text: String, _ more: String = "") -> String {
            switch self {
            case .chat: question(text, more)
            case .completions: #"{"model":"gpt-4o-mini","prompt":"\#(text)"\#(more)}"#
            case .responses: #"{"model":"gpt-4o-mini","input":"\#(text)","store":false\#(more)}"#
            case .messages:
                #"{"model":"claude-a","max_tokens":200,"messages":[{"role":"user","content":"\#(text)"}]\#(more)}"#
            }
        }

        var terminal: String {
            switch self {
            case .chat, .completions: "data: [DONE]\n\n"
            case .responses: "event: response.completed\n"
            case .messages: "event: message_stop\n"
            }
        }

        /// The text of a document.
        func text(_ json: JSON) -> String? {
            switch self {
            case .chat: json["choices"][0]["message"]["content"].string
            case .completions: json["choices"][0]["text"].string
            case .responses: json["output"][0]["content"][0]["text"].string
            case .messages: json["content"][0]["text"].string
            }
        }

        /// The text of a stream, put together from its deltas.
        func text(_ events: [JSON]) -> String {
            events.compactMap { event in
                switch self {
                case .chat: event["choices"][0]["delta"]["content"].string
                case .completions: event["choices"][0]["text"].string
                case .responses: event["type"].string == "response.output_text.delta" ? event["delta"].string : nil
                case .messages: event["delta"]["text"].string
                }
            }.joined()
        }

        /// The answer's own id in an event or document.
        func id(_ json: JSON) -> String? {
            json["id"].string ?? json["response"]["id"].string ?? json["message"]["id"].string
        }
    }

    private static let stream = #","stream":true"#
    private static let streamWithUsage = #","stream":true,"stream_options":{"include_usage":true}"#
    private static let streamWithoutUsage = #","stream":true,"stream_options":{"include_usage":false}"#

    private func events(_ rig: Rig, _ route: Route, _ body: String) throws -> (head: Response, events: [String]) {
        let (head, reader) = try rig.client.stream(route.rawValue, body)
        return (head, try reader.all())
    }

    private func expectStream(_ head: Response, _ events: [String], _ route: Route, like document: JSON) throws {
        #expect(head.status == 200 && head.isHit, "\(head.cacheStatus)")
        #expect(head.header("Content-Type")?.hasPrefix("text/event-stream") == true)
        #expect(head.header("Cache-Control") == "no-cache")
        #expect(head.header("X-Accel-Buffering") == "no")
        #expect(head.age == 0)
        #expect(events.last?.hasPrefix(route.terminal) == true, "\(events.last ?? "")")
        let objects = try eventObjects(events)
        #expect(route.text(objects) == route.text(document))
        #expect(objects.compactMap(route.id).allSatisfy { $0 == route.id(document) })
        let created = route == .messages || route == .responses ? [] : objects.map { $0["created"] }
        #expect(created.allSatisfy { $0 == document["created"] })
    }

    @Test(
        "item 30: what was asked plain is streamed from the cache, with the usage chunk only on request",
        arguments: Route.allCases)
    func plainThenStreamed(route: Route) throws {
        let rig = try Rig(caches: true)
        let first = try rig.client.post(route.rawValue, route.body("hello"))
        #expect(first.cacheStatus == "weir; fwd=miss; stored")
        let document = try first.json()
        for more in [Self.stream, Self.streamWithoutUsage] {
            let (head, events) = try events(rig, route, route.body("hello", more))
            try expectStream(head, events, route, like: document)
            if route.gatesUsage { #expect(try eventObjects(events).allSatisfy { $0["usage"].isNull }, "\(events)") }
        }
        let (head, events) = try events(rig, route, route.body("hello", Self.streamWithUsage))
        try expectStream(head, events, route, like: document)
        if route.gatesUsage {
            let last = try #require(try eventObjects(events).last)
            #expect(last["usage"] == document["usage"])
            #expect(last["choices"] == .array([]))
        }
        #expect(try rig.client.post(route.rawValue, route.body("hello")).body == first.body)
        #expect(try rig.provider.calls().total == 1)
    }

    @Test(
        "item 30: what was streamed is given plain, and again as the very stream that it was", arguments: Route.allCases
    )
    func streamedThenPlain(route: Route) throws {
        let rig = try Rig(caches: true)
        let original = try events(rig, route, route.body("hello", Self.stream))
        #expect(original.head.cacheStatus == "weir; fwd=miss")
        try rig.server.awaitEntries("l1", 1)
        let plain = try rig.client.post(route.rawValue, route.body("hello"))
        #expect(plain.isHit && plain.header("Content-Type") == "application/json", "\(plain.cacheStatus)")
        let document = try plain.json()
        #expect(route.text(document) == route.text(try eventObjects(original.events)))
        let row = try rig.server.ledgerRow(original.head.requestID)
        let usage = document["usage"]
        #expect((usage["completion_tokens"].int ?? usage["output_tokens"].int) == row["outputTokens"].int)
        #expect((usage["prompt_tokens"].int ?? usage["input_tokens"].int) == row["inputTokens"].int)
        let again = try events(rig, route, route.body("hello", Self.stream))
        try expectStream(again.head, again.events, route, like: document)
        #expect(again.events == original.events)
        let counted = try events(rig, route, route.body("hello", Self.streamWithUsage))
        let direct = try rig.provider.client.stream(route.rawValue, try rig.provider.last().body.text).events.all()
        #expect(counted.events == direct)
        #expect(try rig.provider.calls().total == 2)
    }

    private static let tools: [Route: String] = [
        .chat:
            #","tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}},"#
            + #"{"type":"function","function":{"name":"time","parameters":{"type":"object","properties":{"zone":{"type":"string"}}}}}]"#,
        .responses:
            #","tools":[{"type":"function","name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}]"#,
        .messages:
            #","tools":[{"name":"weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}},"#
            + #"{"name":"time","input_schema":{"type":"object","properties":{"zone":{"type":"string"}}}}]"#,
    ]

    /// Names, ids and arguments of the tool calls in a document, as one text.
    private func calls(_ route: Route, _ json: JSON) -> [String] {
        switch route {
        case .chat:
            json["choices"][0]["message"]["tool_calls"].elements.map {
                "\($0["id"].string ?? "") \($0["function"]["name"].string ?? "") \($0["function"]["arguments"].string ?? "")"
            }
        case .completions: []
        case .responses:
            json["output"].elements.map {
                "\($0["call_id"].string ?? "") \($0["name"].string ?? "") \($0["arguments"].string ?? "")"
            }
        case .messages:
            json["content"].elements.map { "\($0["id"].string ?? "") \($0["name"].string ?? "") \($0["input"])" }
        }
    }

    /// The same from a stream.
    private func calls(_ route: Route, _ events: [JSON]) throws -> [String] {
        if route == .responses { return calls(route, events.last?["response"] ?? .null) }
        var found: [Int: (head: String, arguments: String)] = [:]
        for event in events {
            for call in event["choices"][0]["delta"]["tool_calls"].elements {
                let index = call["index"].int ?? -1
                if let id = call["id"].string { found[index] = ("\(id) \(call["function"]["name"].string ?? "")", "") }
                found[index]?.arguments += call["function"]["arguments"].string ?? ""
            }
            let index = event["index"].int ?? -1
            let block = event["content_block"]
            if let id = block["id"].string { found[index] = ("\(id) \(block["name"].string ?? "")", "") }
            if let piece = event["delta"]["partial_json"].string { found[index]?.arguments += piece }
        }
        return try found.sorted { $0.key < $1.key }.map { _, call in
            route == .messages ? "\(call.head) \(try JSON(call.arguments))" : "\(call.head) \(call.arguments)"
        }
    }

    @Test(
        "items 13 and 30: tool calls come through every change of shape",
        arguments: [Route.chat, .responses, .messages])
    func toolCalls(route: Route) throws {
        let rig = try Rig(caches: true)
        let tools = try #require(Self.tools[route])
        let (one, two) = (route.body("weather, both", tools), route.body("weather, both please", tools))
        let document = try rig.client.post(route.rawValue, one).json()
        let wanted = calls(route, document)
        #expect(wanted.count == (route == .responses ? wanted.count : 2) && !wanted.isEmpty, "\(document)")
        func streamed(_ body: String) -> String { body.dropLast() + Self.stream + "}" }
        let (head, events) = try events(rig, route, streamed(one))
        #expect(head.isHit)
        #expect(try calls(route, try eventObjects(events)) == wanted)
        let original = try self.events(rig, route, streamed(two))
        try rig.server.awaitEntries("l1", 2)
        let plain = try rig.client.post(route.rawValue, two)
        #expect(plain.isHit, "\(plain.cacheStatus)")
        #expect(try calls(route, try plain.json()) == calls(route, try eventObjects(original.events)))
        #expect(try rig.provider.calls().total == 2)
    }
}
