import Base

/// Chat and legacy completions: a document -> the chunks of a stream.
struct ChunkRendering {
    private let includesUsage: Bool
    /// What every chunk repeats.
    private let head: JSONTree
    /// Members that we do not know: once, in the first chunk.
    private var extras: JSONTree
    private var writer = EventWriter()

    static func events(
        _ document: JSONTree, family: AnswerFamily, includesUsage: Bool
    ) throws(ShapeFailure) -> [UInt8] {
        precondition(family == .chat || family == .completions)
        guard let choices = document["choices"]?.elements?.map(\.opened), !choices.isEmpty else { throw .unknownForm }
        guard choices.count <= ShapeLimits.choicesMax else { throw .tooLarge }
        let isChat = family == .chat
        var rendering = Self(document, object: isChat ? "chat.completion.chunk" : "text_completion", includesUsage)
        let ordered = choices.enumerated().sorted { a, b in
            (a.element["index"]?.count ?? a.offset, a.offset) < (b.element["index"]?.count ?? b.offset, b.offset)
        }
        for (_, choice) in ordered {
            if isChat { try rendering.addChat(choice) } else { rendering.addText(choice) }
        }
        if includesUsage, let usage = document["usage"], usage.members != nil {
            rendering.writer.event(rendering.head + ["choices": [], "usage": usage])
        }
        rendering.writer.done()
        return rendering.writer.bytes
    }

    private init(_ document: JSONTree, object: JSONTree, _ includesUsage: Bool) {
        let repeated: [StaticString] = ["id", "created", "model", "system_fingerprint", "service_tier"]
        let placed: [StaticString] = ["object", "choices", "usage"]
        self.includesUsage = includesUsage
        head = document.filtered { $0.isOne(of: repeated) } + ["object": object]
        extras = document.filtered { !$0.isOne(of: repeated) && !$0.isOne(of: placed) }
    }

    private mutating func chunk(_ choice: JSONTree) {
        let usage: JSONTree = includesUsage ? ["usage": .null] : [:]
        writer.event(head + extras + ["choices": [choice]] + usage)
        extras = [:]
    }

    // MARK: Legacy completions

    private mutating func addText(_ choice: JSONTree) {
        var parts = ChoiceParts(choice)
        for piece in EventWriter.pieces(choice["text"]?.content ?? []) {
            chunk(["text": piece] + parts.open(takesLogprobs: true))
        }
        chunk(["text": ""] + parts.close())
    }

    // MARK: Chat

    private mutating func addChat(_ choice: JSONTree) throws(ShapeFailure) {
        guard let message = choice["message"]?.opened, let members = message.members else { throw .unknownForm }
        var parts = ChoiceParts(choice)
        var opening: [JSONTree.Member] = []
        var texts: [JSONTree.Member] = []
        for member in members {
            let isReply = member.key.isOne(of: ["content", "refusal"])
            let isReasoning = member.key.isOne(of: ["reasoning_content", "reasoning"])
            if isReply || isReasoning, let content = member.value.content, !content.isEmpty {
                // A model reasons before it answers.
                texts.insert(member, at: isReply ? texts.count : 0)
                guard isReply else { continue }
                opening.append(.init(key: member.key, value: member.key.holds("content") ? "" : .null))
            } else if !member.key.holds("tool_calls") || member.value.isBlank {
                opening.append(member)
            }
        }
        let role: JSONTree = message["role"] == nil ? ["role": "assistant"] : [:]
        chunk(["delta": role + .object(opening)] + parts.open(takesLogprobs: false))
        for text in texts {
            let carriesLogprobs = text.key.isOne(of: ["content", "refusal"])
            for piece in EventWriter.pieces(text.value.content ?? []) {
                let delta = JSONTree.object([.init(key: text.key, value: piece)])
                chunk(["delta": delta] + parts.open(takesLogprobs: carriesLogprobs))
            }
        }
        for (index, call) in (message["tool_calls"]?.elements ?? []).enumerated() {
            guard index < ShapeLimits.partsMax else { throw .tooLarge }
            for delta in try Self.deltas(of: call.opened) {
                let calls: JSONTree = ["tool_calls": [["index": JSONTree(index)] + delta]]
                chunk(["delta": calls] + parts.open(takesLogprobs: false))
            }
        }
        chunk(["delta": [:]] + parts.close())
    }

    /// A call opens with its name; its arguments follow.
    private static func deltas(of call: JSONTree) throws(ShapeFailure) -> [JSONTree] {
        var opening = call.filtered { !$0.holds("index") }
        let (body, text): (StaticString, StaticString) =
            call["custom"] == nil ? ("function", "arguments") : ("custom", "input")
        guard let content = call[body]?[text]?.content else { return [opening] }
        try opening.update(body) { value throws(ShapeFailure) in try value.set(text, "") }
        return [opening]
            + EventWriter.pieces(content).map {
                .object([.init(key: .init(body), value: .object([.init(key: .init(text), value: $0)]))])
            }
    }
}

/// The members of a choice beside its text: which chunk each goes to.
private struct ChoiceParts {
    private let index: JSONTree
    private let finish: JSONTree
    private let others: JSONTree
    private var logprobs: JSONTree?

    init(_ choice: JSONTree) {
        let placed: [StaticString] = ["index", "message", "text", "logprobs", "finish_reason"]
        index = choice["index"] ?? JSONTree(0)
        finish = choice["finish_reason"] ?? .null
        others = choice.filtered { !$0.isOne(of: placed) }
        logprobs = choice["logprobs"]
    }

    /// For a chunk that does not end the choice. All log probabilities go with the first piece of its text.
    mutating func open(takesLogprobs: Bool) -> JSONTree {
        ["index": index] + take(takesLogprobs) + ["finish_reason": .null]
    }

    mutating func close() -> JSONTree { ["index": index] + take(true) + ["finish_reason": finish] + others }

    private mutating func take(_ isWanted: Bool) -> JSONTree {
        guard let logprobs else { return [:] }
        if isWanted { self.logprobs = .null }
        return ["logprobs": isWanted ? logprobs : .null]
    }
}
