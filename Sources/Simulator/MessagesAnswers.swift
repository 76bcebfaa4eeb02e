import Base
import NIOCore

/// `POST /messages`, Anthropic's format.
struct MessagesAnswers {
    private let plan: AnswerPlan
    private let inputTokens: Int
    /// What the prompt cache is told: tokens written to it and read from it.
    private let cacheWritten: Int
    private let cacheRead: Int
    private let thinks: Bool

    /// - Parameter isCached: whether this system prompt was sent before; asked only when it has `cache_control`.
    init(_ plan: AnswerPlan, isCached: (_ systemHash: UInt64) -> Bool) throws(Refusal) {
        let fields = plan.fields
        for field in [Field.model, .maxTokens, .messages] where fields[field] == nil {
            throw Refusal(status: 400, message: "\(field.rawValue): Field required")
        }
        self.plan = plan
        inputTokens = fields.promptTokens(.messages, .tools)
        let mode = fields.document.string(fields.document.member("type", of: fields[.thinking]))
        thinks = mode == "enabled" || mode == "adaptive"
        if let system = fields[.system] {
            let tokens = max(1, system.range.count / 4)
            if fields.document.contains("\"cache_control\"", in: system) {
                let isKnown = isCached(FNV1a.hash(fields.document.raw(system)))
                (cacheWritten, cacheRead, systemTokens) = isKnown ? (0, tokens, 0) : (tokens, 0, 0)
            } else {
                (cacheWritten, cacheRead, systemTokens) = (0, 0, tokens)
            }
        } else {
            (cacheWritten, cacheRead, systemTokens) = (0, 0, 0)
        }
    }

    private let systemTokens: Int
    private static let thinkingTokens = 12

    /// The tokens `count_tokens` tells.
    static func countTokens(_ fields: RequestFields) -> Int { fields.promptTokens(.messages, .tools, .system) }

    private var calls: [ToolCall] { plan.toolCalls }
    private var stopReason: String { !calls.isEmpty ? "tool_use" : plan.cutShort ? "max_tokens" : "end_turn" }
    private var outputTokens: Int {
        (calls.isEmpty ? plan.tokenCount : calls.reduce(0) { $0 + $1.fragments.count })
            + (thinks ? Self.thinkingTokens : 0)
    }
    private var thoughts: TokenSource {
        TokenSource(seed: plan.identity, count: Self.thinkingTokens, cutShort: false, wide: plan.behaviour.utf8)
    }
    private var signature: String {
        var random = SeededRandom(seed: plan.identity)
        return base64((0..<96).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }

    private func putStart(_ buffer: inout ByteBuffer) {
        buffer.put("{\"model\":")
        buffer.writeImmutableBuffer(plan.fields.model)
        buffer.put(",\"id\":\"msg_01")
        buffer.putIdentifier(plan.identity, length: 22)
        buffer.put("\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[")
    }

    private func putCounts(output: Int, _ buffer: inout ByteBuffer) {
        buffer.put("\"input_tokens\":")
        buffer.put(inputTokens + systemTokens)
        buffer.put(",\"cache_creation_input_tokens\":")
        buffer.put(cacheWritten)
        buffer.put(",\"cache_read_input_tokens\":")
        buffer.put(cacheRead)
        buffer.put(",\"output_tokens\":")
        buffer.put(output)
    }

    /// The usage member, its leading comma included; nothing when it is not wanted.
    private func putUsage(output: Int, _ buffer: inout ByteBuffer) {
        guard !plan.behaviour.noUsage else { return }
        buffer.put(",\"usage\":{")
        putCounts(output: output, &buffer)
        buffer.put(",\"cache_creation\":{\"ephemeral_5m_input_tokens\":")
        buffer.put(cacheWritten)
        buffer.put(",\"ephemeral_1h_input_tokens\":0},\"service_tier\":\"standard\"}")
    }

    // MARK: Plain

    func plain() -> ByteBuffer {
        plan.plain { filler, buffer in
            putStart(&buffer)
            if thinks {
                buffer.put("{\"type\":\"thinking\",\"thinking\":\"")
                for token in thoughts { buffer.writeBytes(token) }
                buffer.put("\",\"signature\":\"\(signature)\"},")
            }
            if calls.isEmpty {
                buffer.put("{\"type\":\"text\",\"text\":\"")
                plan.writeText(filler: filler, to: &buffer)
                buffer.put("\"}")
            }
            for (index, call) in calls.enumerated() {
                if index > 0 { buffer.put(",") }
                putCall(call, input: call.arguments, &buffer)
            }
            buffer.put("],\"stop_reason\":\"")
            buffer.put(stopReason)
            buffer.put("\",\"stop_sequence\":null")
            putUsage(output: outputTokens, &buffer)
            buffer.put("}")
        }
    }

    private func putCall(_ call: ToolCall, input: String, _ buffer: inout ByteBuffer) {
        buffer.put("{\"type\":\"tool_use\",\"id\":\"toolu_01")
        buffer.putIdentifier(call.identity, length: 22)
        buffer.put("\",\"name\":")
        buffer.writeImmutableBuffer(call.name)
        buffer.put(",\"input\":\(input)}")
    }

    // MARK: Streamed

    func streamed() -> EventScript {
        var script = plan.script()
        script.event("message_start") { buffer in
            buffer.put("{\"type\":\"message_start\",\"message\":")
            putStart(&buffer)
            buffer.put("],\"stop_reason\":null,\"stop_sequence\":null")
            putUsage(output: 1, &buffer)
            buffer.put("}}")
        }
        let first = thinks ? 1 : 0
        if thinks { addThinking(to: &script) }
        if calls.isEmpty { addText(at: first, to: &script) }
        for (index, call) in calls.enumerated() { addCall(call, at: first + index, to: &script) }
        script.event("message_delta") { buffer in
            buffer.put("{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"\(stopReason)\",")
            buffer.put("\"stop_sequence\":null},\"usage\":{")
            if !plan.behaviour.noUsage { putCounts(output: outputTokens, &buffer) }
            buffer.put("}}")
        }
        if !plan.behaviour.noDone { script.event("message_stop") { $0.put("{\"type\":\"message_stop\"}") } }
        script.endStep()
        return script
    }

    /// Opens a block; a ping follows the first one.
    private func start(_ index: Int, in script: inout EventScript, _ block: (inout ByteBuffer) -> Void) {
        script.event("content_block_start") { buffer in
            buffer.put("{\"type\":\"content_block_start\",\"index\":\(index),\"content_block\":")
            block(&buffer)
            buffer.put("}")
        }
        if index == 0 { script.event("ping") { $0.put("{\"type\":\"ping\"}") } }
        script.endStep()
    }

    private func stop(_ index: Int, in script: inout EventScript) {
        script.event("content_block_stop") { $0.put("{\"type\":\"content_block_stop\",\"index\":\(index)}") }
    }

    private func addTokens(
        _ tokens: some Sequence<ArraySlice<UInt8>>, _ index: Int, type: String, member: String,
        to script: inout EventScript
    ) {
        let opening =
            "{\"type\":\"content_block_delta\",\"index\":\(index),"
            + "\"delta\":{\"type\":\"\(type)\",\"\(member)\":\""
        for token in tokens {
            script.token(token, event: "content_block_delta", before: { $0.put(opening) }, after: { $0.put("\"}}") })
            script.endStep()
        }
    }

    private func addThinking(to script: inout EventScript) {
        start(0, in: &script) { $0.put("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}") }
        addTokens(thoughts, 0, type: "thinking_delta", member: "thinking", to: &script)
        script.event("content_block_delta") { buffer in
            buffer.put("{\"type\":\"content_block_delta\",\"index\":0,")
            buffer.put("\"delta\":{\"type\":\"signature_delta\",\"signature\":\"\(signature)\"}}")
        }
        stop(0, in: &script)
    }

    private func addText(at index: Int, to script: inout EventScript) {
        start(index, in: &script) { $0.put("{\"type\":\"text\",\"text\":\"\"}") }
        addTokens(plan.text(), index, type: "text_delta", member: "text", to: &script)
        stop(index, in: &script)
    }

    private func addCall(_ call: ToolCall, at index: Int, to script: inout EventScript) {
        start(index, in: &script) { putCall(call, input: "{}", &$0) }
        let pieces = [[][...]] + call.fragments
        addTokens(pieces, index, type: "input_json_delta", member: "partial_json", to: &script)
        stop(index, in: &script)
    }
}
