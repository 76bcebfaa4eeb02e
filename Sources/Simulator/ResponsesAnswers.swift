import NIOCore

/// `POST /responses`: the object and its event stream.
struct ResponsesAnswers {
    let plan: AnswerPlan
    let id: String
    private let messageID: String
    private let inputTokens: Int

    init(_ plan: AnswerPlan) throws(Refusal) {
        try plan.fields.require(.model)
        self.plan = plan
        id = identifier("resp_", plan.identity, length: 48)
        messageID = identifier("msg_", plan.identity &+ 1, length: 48)
        inputTokens = plan.fields.promptTokens(.input, .instructions, .tools)
    }

    private var fields: RequestFields { plan.fields }
    private var calls: [ToolCall] { plan.toolCalls }
    private var outputTokens: Int {
        calls.isEmpty ? plan.tokenCount : calls.reduce(0) { $0 + $1.fragments.count }
    }
    private var endStatus: String { plan.cutShort && calls.isEmpty ? "incomplete" : "completed" }

    // MARK: The object

    /// The complete object, as a plain answer has it.
    func plain() -> ByteBuffer {
        plan.plain { filler, buffer in putObject(endStatus, filler: filler, &buffer) }
    }

    /// The object of an answer that has only begun.
    func begun(_ status: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        putObject(status, &buffer)
        return buffer
    }

    private func putObject(_ status: String, filler: Int = 0, _ buffer: inout ByteBuffer) {
        let isDone = status == "completed" || status == "incomplete"
        buffer.put("{\"id\":\"\(id)\",\"object\":\"response\",\"created_at\":\(plan.created),\"status\":\"\(status)\"")
        buffer.put(",\"completed_at\":\(status == "completed" ? String(plan.created + 1) : "null")")
        put(.background, "false", &buffer)
        buffer.put(",\"error\":null,\"incomplete_details\":")
        buffer.put(status == "incomplete" ? "{\"reason\":\"max_output_tokens\"}" : "null")
        put(.instructions, "null", &buffer)
        put(.maxOutputTokens, "null", &buffer)
        buffer.put(",\"max_tool_calls\":null")
        put(.model, "\"\"", &buffer)
        buffer.put(",\"output\":[")
        if isDone { putOutput(filler: filler, &buffer) }
        buffer.put("]")
        put(.parallelToolCalls, "true", &buffer)
        put(.previousResponseID, "null", &buffer)
        buffer.put(",\"reasoning\":{\"effort\":null,\"summary\":null},\"service_tier\":\"default\"")
        put(.store, "true", &buffer)
        put(.temperature, "1.0", &buffer)
        put(.text, "{\"format\":{\"type\":\"text\"},\"verbosity\":\"medium\"}", &buffer)
        put(.toolChoice, "\"auto\"", &buffer)
        put(.tools, "[]", &buffer)
        buffer.put(",\"top_logprobs\":0")
        put(.topP, "1.0", &buffer)
        buffer.put(",\"truncation\":\"disabled\",\"usage\":")
        if isDone && !plan.behaviour.noUsage { putUsage(&buffer) } else { buffer.put("null") }
        buffer.put(",\"user\":null")
        put(.metadata, "{}", &buffer)
        buffer.put("}")
    }

    /// A member that repeats what the request said.
    private func put(_ field: Field, _ fallback: String, _ buffer: inout ByteBuffer) {
        buffer.put(",\"")
        buffer.put(field.rawValue)
        buffer.put("\":")
        buffer.writeImmutableBuffer(fields.raw(field, else: fallback))
    }

    private func putUsage(_ buffer: inout ByteBuffer) {
        buffer.put("{\"input_tokens\":\(inputTokens),\"input_tokens_details\":")
        buffer.put("{\"cached_tokens\":0,\"cache_write_tokens\":0},\"output_tokens\":\(outputTokens),")
        buffer.put("\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":\(inputTokens + outputTokens)}")
    }

    private func putOutput(filler: Int, _ buffer: inout ByteBuffer) {
        if calls.isEmpty {
            putMessage(endStatus, filler: filler, &buffer)
            return
        }
        for (index, call) in calls.enumerated() {
            if index > 0 { buffer.put(",") }
            putCall(call, "completed", &buffer)
        }
    }

    private func putMessage(_ status: String, filler: Int = 0, _ buffer: inout ByteBuffer) {
        buffer.put("{\"id\":\"\(messageID)\",\"type\":\"message\",\"status\":\"\(status)\",\"content\":[")
        if status != "in_progress" { putPart(text: true, filler: filler, &buffer) }
        buffer.put("],\"role\":\"assistant\"}")
    }

    private func putPart(text: Bool, filler: Int = 0, _ buffer: inout ByteBuffer) {
        buffer.put("{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":\"")
        if text { plan.writeText(filler: filler, to: &buffer) }
        buffer.put("\"}")
    }

    private func putCall(_ call: ToolCall, _ status: String, _ buffer: inout ByteBuffer) {
        buffer.put("{\"id\":\"")
        buffer.put(identifier("fc_", call.identity, length: 48))
        buffer.put("\",\"type\":\"function_call\",\"status\":\"\(status)\",\"arguments\":")
        buffer.putQuoted(status == "completed" ? call.arguments : "")
        buffer.put(",\"call_id\":\"")
        buffer.put(identifier("call_", call.identity))
        buffer.put("\",\"name\":")
        buffer.writeImmutableBuffer(call.name)
        buffer.put("}")
    }

    // MARK: The events

    func streamed() -> EventScript {
        var events = NumberedEvents(script: plan.script())
        events.add("response.created") { putMember("response", begun("in_progress"), &$0) }
        events.add("response.in_progress") { putMember("response", begun("in_progress"), &$0) }
        if calls.isEmpty { addMessage(to: &events) } else { addCalls(to: &events) }
        if !plan.behaviour.noDone {
            events.add("response.\(endStatus)") { buffer in
                buffer.put("\"response\":")
                putObject(endStatus, &buffer)
            }
        }
        events.script.endStep()
        return events.script
    }

    private func putMember(_ name: String, _ value: ByteBuffer, _ buffer: inout ByteBuffer) {
        buffer.put("\"\(name)\":")
        buffer.writeImmutableBuffer(value)
    }

    private func addMessage(to events: inout NumberedEvents) {
        events.add("response.output_item.added") { buffer in
            buffer.put("\"output_index\":0,\"item\":")
            putMessage("in_progress", &buffer)
        }
        let place = "\"item_id\":\"\(messageID)\",\"output_index\":0,\"content_index\":0,"
        events.add("response.content_part.added") { buffer in
            buffer.put("\(place)\"part\":")
            putPart(text: false, &buffer)
        }
        events.script.endStep()
        for token in plan.text() {
            events.addToken("response.output_text.delta", token, before: "\(place)\"logprobs\":[],\"delta\":\"")
            events.script.endStep()
        }
        events.add("response.output_text.done") { buffer in
            buffer.put("\(place)\"logprobs\":[],\"text\":\"")
            plan.writeText(to: &buffer)
            buffer.put("\"")
        }
        events.add("response.content_part.done") { buffer in
            buffer.put("\(place)\"part\":")
            putPart(text: true, &buffer)
        }
        events.add("response.output_item.done") { buffer in
            buffer.put("\"output_index\":0,\"item\":")
            putMessage(endStatus, &buffer)
        }
    }

    private func addCalls(to events: inout NumberedEvents) {
        for (index, call) in calls.enumerated() {
            events.add("response.output_item.added") { buffer in
                buffer.put("\"output_index\":\(index),\"item\":")
                putCall(call, "in_progress", &buffer)
            }
            events.script.endStep()
            let place = "\"item_id\":\"\(identifier("fc_", call.identity, length: 48))\",\"output_index\":\(index),"
            for fragment in call.fragments {
                events.addToken("response.function_call_arguments.delta", fragment, before: "\(place)\"delta\":\"")
                events.script.endStep()
            }
            events.add("response.function_call_arguments.done") { buffer in
                buffer.put("\(place)\"name\":")
                buffer.writeImmutableBuffer(call.name)
                buffer.put(",\"arguments\":")
                buffer.putQuoted(call.arguments)
            }
            events.add("response.output_item.done") { buffer in
                buffer.put("\"output_index\":\(index),\"item\":")
                putCall(call, "completed", &buffer)
            }
        }
    }
}

/// Events that count themselves, as the Responses format wants.
private struct NumberedEvents {
    var script: EventScript
    private var number = 0

    init(script: EventScript) { self.script = script }

    mutating func add(_ type: String, _ members: (inout ByteBuffer) -> Void) {
        let number = number
        self.number += 1
        script.event(type) { buffer in
            Self.putHead(type, number, &buffer)
            members(&buffer)
            buffer.put("}")
        }
    }

    mutating func addToken(_ type: String, _ text: ArraySlice<UInt8>, before: String) {
        let number = number
        self.number += 1
        script.token(
            text, event: type,
            before: { buffer in
                Self.putHead(type, number, &buffer)
                buffer.put(before)
            }, after: { $0.put("\"}") })
    }

    private static func putHead(_ type: String, _ number: Int, _ buffer: inout ByteBuffer) {
        buffer.put("{\"type\":\"")
        buffer.put(type)
        buffer.put("\",\"sequence_number\":")
        buffer.put(number)
        buffer.put(",")
    }
}
