import Base
import NIOCore

/// `POST /completions`, the legacy format: `n` choices for each prompt.
struct CompletionAnswers {
    private let plan: AnswerPlan
    private let choices: Int
    private let promptTokens: Int

    init(_ plan: AnswerPlan) throws(Refusal) {
        let fields = plan.fields
        try fields.require(.model)
        let texts = fields.document.elements(fields[.prompt]).filter { $0.kind == .string || $0.kind == .array }
        let choices = (fields.integer(.n) ?? 1) * max(1, texts.count)
        guard (1...2_048).contains(choices), choices * plan.tokenCount <= 200_000 else {
            throw Refusal.invalid(.n, "Invalid 'n': too many choices.")
        }
        self.plan = plan
        self.choices = choices
        promptTokens = fields.promptTokens(.prompt)
    }

    private var finishReason: String { plan.cutShort ? "length" : "stop" }

    private func putUsage(_ buffer: inout ByteBuffer) {
        putTokenUsage(prompt: promptTokens, completion: choices * plan.tokenCount, to: &buffer)
    }

    private func putStart(_ buffer: inout ByteBuffer) {
        buffer.put("{\"id\":\"cmpl-")
        buffer.putIdentifier(plan.identity, length: 29)
        buffer.put("\",\"object\":\"text_completion\",\"created\":")
        buffer.put(plan.created)
        buffer.put(",\"model\":")
        buffer.writeImmutableBuffer(plan.fields.model)
        buffer.put(",\"choices\":[")
    }

    private func putChoiceEnd(_ index: Int, finish: String?, _ buffer: inout ByteBuffer) {
        buffer.put("\",\"index\":")
        buffer.put(index)
        buffer.put(",\"logprobs\":null,\"finish_reason\":")
        buffer.put(finish.map { "\"\($0)\"}" } ?? "null}")
    }

    func plain() -> ByteBuffer {
        plan.plain { filler, buffer in
            putStart(&buffer)
            for index in 0..<choices {
                buffer.put(index == 0 ? "{\"text\":\"" : ",{\"text\":\"")
                plan.writeText(index, filler: index == 0 ? filler : 0, to: &buffer)
                putChoiceEnd(index, finish: finishReason, &buffer)
            }
            buffer.put("]")
            if !plan.behaviour.noUsage {
                buffer.put(",\"usage\":")
                putUsage(&buffer)
            }
            buffer.put("}")
        }
    }

    func streamed() -> EventScript {
        var script = plan.script()
        var start = ByteBuffer()
        putStart(&start)
        let hasUsage = plan.fields.includesUsage && !plan.behaviour.noUsage
        let end = hasUsage ? "],\"usage\":null}" : "]}"
        script.endStep()
        var texts = (0..<choices).map { plan.text($0) }
        for step in 0...plan.tokenCount {
            for index in 0..<choices {
                let token = texts[index].next() ?? []
                let finish = step == plan.tokenCount ? finishReason : nil
                let before = { (buffer: inout ByteBuffer) in
                    buffer.writeImmutableBuffer(start)
                    buffer.put("{\"text\":\"")
                }
                let after = { (buffer: inout ByteBuffer) in
                    putChoiceEnd(index, finish: finish, &buffer)
                    buffer.put(end)
                }
                if finish == nil {
                    script.token(token, before: before, after: after)
                } else {
                    script.event {
                        before(&$0); after(&$0)
                    }
                }
            }
            if step < plan.tokenCount { script.endStep() }
        }
        if hasUsage {
            script.event { buffer in
                buffer.writeImmutableBuffer(start)
                if plan.behaviour.usageDelta { buffer.put("{\"text\":\"\",\"index\":0,\"finish_reason\":null}") }
                buffer.put("],\"usage\":")
                putUsage(&buffer)
                buffer.put("}")
            }
        }
        if !plan.behaviour.noDone { script.event { $0.put("[DONE]") } }
        script.endStep()
        return script
    }
}
