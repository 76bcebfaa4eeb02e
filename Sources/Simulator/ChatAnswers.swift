import Base
import NIOCore

/// `POST /chat/completions`.
struct ChatAnswers {
    private let plan: AnswerPlan
    private let promptTokens: Int
    private let choices: Int

    init(_ plan: AnswerPlan) throws(Refusal) {
        let fields = plan.fields
        try fields.require(.model, .messages)
        guard fields[.messages]?.kind == .array else {
            throw Refusal.invalid(.messages, "Invalid type for 'messages': expected an array of objects.")
        }
        let choices = fields.integer(.n) ?? 1
        guard (1...128).contains(choices), choices * plan.tokenCount <= 200_000 else {
            throw Refusal.invalid(.n, "Invalid 'n': expected 1 to 128.")
        }
        self.plan = plan
        self.choices = choices
        promptTokens = fields.promptTokens(.messages, .tools)
    }

    private var calls: [ToolCall] { plan.toolCalls }

    private var finishReason: String { !calls.isEmpty ? "tool_calls" : plan.cutShort ? "length" : "stop" }

    private var completionTokens: Int {
        choices * (calls.isEmpty ? plan.tokenCount : calls.reduce(0) { $0 + $1.fragments.count })
    }

    private func putUsage(_ buffer: inout ByteBuffer) {
        putTokenUsage(prompt: promptTokens, completion: completionTokens, to: &buffer)
    }

    private func putStart(_ object: String, _ buffer: inout ByteBuffer) {
        buffer.put("{\"id\":\"chatcmpl-")
        buffer.putIdentifier(plan.identity, length: 29)
        buffer.put("\",\"object\":\"")
        buffer.put(object)
        buffer.put("\",\"created\":")
        buffer.put(plan.created)
        buffer.put(",\"model\":")
        buffer.writeImmutableBuffer(plan.fields.model)
    }

    private static let ending = ",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_simulated0\""

    // MARK: Plain

    func plain() -> ByteBuffer {
        plan.plain { filler, buffer in
            putStart("chat.completion", &buffer)
            buffer.put(",\"choices\":[")
            for index in 0..<choices {
                buffer.put(index == 0 ? "{\"index\":" : ",{\"index\":")
                buffer.put(index)
                putMessage(index, filler: index == 0 ? filler : 0, &buffer)
                buffer.put(",\"logprobs\":null,\"finish_reason\":\"")
                buffer.put(finishReason)
                buffer.put("\"}")
            }
            buffer.put("]")
            if !plan.behaviour.noUsage {
                buffer.put(",\"usage\":")
                putUsage(&buffer)
            }
            buffer.put(Self.ending)
            buffer.put("}")
        }
    }

    private func putMessage(_ index: Int, filler: Int, _ buffer: inout ByteBuffer) {
        if calls.isEmpty {
            buffer.put(",\"message\":{\"role\":\"assistant\",\"content\":\"")
            plan.writeText(index, filler: filler, to: &buffer)
            buffer.put("\",\"refusal\":null,\"annotations\":[]}")
            return
        }
        buffer.put(",\"message\":{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[")
        for (position, call) in calls.enumerated() {
            if position > 0 { buffer.put(",") }
            buffer.put("{\"id\":\"call_")
            buffer.putIdentifier(call.identity &+ UInt64(index))
            buffer.put("\",\"type\":\"function\",\"function\":{\"name\":")
            buffer.writeImmutableBuffer(call.name)
            buffer.put(",\"arguments\":")
            buffer.putQuoted(call.arguments)
            buffer.put("}}")
        }
        buffer.put("],\"refusal\":null,\"annotations\":[]}")
    }

    // MARK: Streamed

    func streamed() -> EventScript {
        var script = plan.script()
        let chunk = ChatChunk(start: chunkStart(), end: chunkEnd())
        if calls.isEmpty { addText(chunk, to: &script) } else { addCalls(chunk, to: &script) }
        for index in 0..<choices { script.event { chunk.put(index, delta: "{}", finish: finishReason, to: &$0) } }
        if plan.fields.includesUsage && !plan.behaviour.noUsage { addUsage(chunk, to: &script) }
        if !plan.behaviour.noDone { script.event { $0.put("[DONE]") } }
        script.endStep()
        return script
    }

    private func chunkStart() -> ByteBuffer {
        var start = ByteBuffer()
        putStart("chat.completion.chunk", &start)
        start.put(Self.ending)
        start.put(",\"choices\":[")
        return start
    }

    private func chunkEnd() -> String {
        plan.fields.includesUsage && !plan.behaviour.noUsage ? "],\"usage\":null}" : "]}"
    }

    private func addText(_ chunk: ChatChunk, to script: inout EventScript) {
        for index in 0..<choices {
            let opening = "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}"
            script.event { chunk.put(index, delta: opening, finish: nil, to: &$0) }
        }
        script.endStep()
        var texts = (0..<choices).map { plan.text($0) }
        for _ in 0..<plan.tokenCount {
            for index in 0..<choices {
                guard let token = texts[index].next() else { continue }
                script.token(
                    token, before: { chunk.putBefore(index, "{\"content\":\"", to: &$0) },
                    after: { chunk.putAfter("\"}", finish: nil, to: &$0) })
            }
            script.endStep()
        }
    }

    private func addCalls(_ chunk: ChatChunk, to script: inout EventScript) {
        for (position, call) in calls.enumerated() {
            for index in 0..<choices {
                script.event { buffer in
                    let role = "{\"role\":\"assistant\",\"content\":null,"
                    chunk.putBefore(index, position == 0 ? role : "{", to: &buffer)
                    buffer.put("\"tool_calls\":[{\"index\":\(position),\"id\":\"call_")
                    buffer.putIdentifier(call.identity &+ UInt64(index))
                    buffer.put("\",\"type\":\"function\",\"function\":{\"name\":")
                    buffer.writeImmutableBuffer(call.name)
                    buffer.put(",\"arguments\":\"\"}}]")
                    chunk.putAfter(position == 0 ? ",\"refusal\":null}" : "}", finish: nil, to: &buffer)
                }
            }
            script.endStep()
            let opening = "{\"tool_calls\":[{\"index\":\(position),\"function\":{\"arguments\":\""
            for fragment in call.fragments {
                for index in 0..<choices {
                    script.token(
                        fragment, before: { chunk.putBefore(index, opening, to: &$0) },
                        after: { chunk.putAfter("\"}}]}", finish: nil, to: &$0) })
                }
                script.endStep()
            }
        }
    }

    private func addUsage(_ chunk: ChatChunk, to script: inout EventScript) {
        script.event { buffer in
            buffer.writeImmutableBuffer(chunk.start)
            if plan.behaviour.usageDelta { buffer.put("{\"index\":0,\"delta\":{},\"finish_reason\":null}") }
            buffer.put("],\"usage\":")
            putUsage(&buffer)
            buffer.put("}")
        }
    }
}

/// The parts that every chunk of one stream repeats.
private struct ChatChunk {
    let start: ByteBuffer
    let end: String

    func put(_ index: Int, delta: String, finish: String?, to buffer: inout ByteBuffer) {
        putBefore(index, delta, to: &buffer)
        putAfter("", finish: finish, to: &buffer)
    }

    func putBefore(_ index: Int, _ delta: String, to buffer: inout ByteBuffer) {
        buffer.writeImmutableBuffer(start)
        buffer.put("{\"index\":")
        buffer.put(index)
        buffer.put(",\"delta\":")
        buffer.put(delta)
    }

    func putAfter(_ delta: String, finish: String?, to buffer: inout ByteBuffer) {
        buffer.put(delta)
        buffer.put(",\"logprobs\":null,\"finish_reason\":")
        if let finish {
            buffer.put("\"")
            buffer.put(finish)
            buffer.put("\"}")
        } else {
            buffer.put("null}")
        }
        buffer.put(end)
    }
}

/// OpenAI's usage object of chat and legacy completions.
func putTokenUsage(prompt: Int, completion: Int, to buffer: inout ByteBuffer) {
    buffer.put("{\"prompt_tokens\":")
    buffer.put(prompt)
    buffer.put(",\"completion_tokens\":")
    buffer.put(completion)
    buffer.put(",\"total_tokens\":")
    buffer.put(prompt + completion)
    buffer.put(",\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0}")
    buffer.put(",\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,")
    buffer.put("\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}")
}
