import Base

/// Chat and legacy completions: chunks -> the document that the provider would have sent without `stream`.
struct ChunkAssembly {
    private var answer = JSONTree.object([])
    private var choices: [Int: JSONTree] = [:]

    static func document(_ stream: EventStream, family: AnswerFamily) throws(ShapeFailure) -> JSONTree {
        precondition(family == .chat || family == .completions)
        var assembly = Self()
        let isDone = try stream.forEachObject { chunk throws(ShapeFailure) in
            for member in chunk.members ?? [] { try assembly.add(member) }
        }
        guard isDone, !assembly.choices.isEmpty else { throw .unfinished }
        return try assembly.finish(isChat: family == .chat)
    }

    private mutating func add(_ member: JSONTree.Member) throws(ShapeFailure) {
        switch member.key {
        case let key where key.holds("choices"):
            try answer.update(key) { _ throws(ShapeFailure) in }
            for choice in member.value.elements ?? [] { try add(choice: choice.opened) }
        case let key where key.holds("obfuscation"): break  // Padding against watchers of the wire.
        case let key where key.isOne(of: ["id", "created", "model"]):
            // The same in each chunk; Azure's first one leaves them blank.
            try answer.update(key) { value throws(ShapeFailure) in if value.isBlank { value = member.value } }
        default:
            guard !member.value.isNull else { return }
            try answer.update(member.key) { value throws(ShapeFailure) in value = member.value }
        }
    }

    private mutating func add(choice: JSONTree) throws(ShapeFailure) {
        let index = choice["index"]?.count ?? 0
        guard choices[index] != nil || choices.count < ShapeLimits.choicesMax else { throw .tooLarge }
        let hasDelta = choice["delta"].map { !$0.isNull } ?? false
        for member in choice.members ?? [] {
            let isDelta = member.key.holds("delta")
            let isMessage = member.key.holds("message")
            // Some send the message so far beside each delta.
            if member.key.holds("index") || (isMessage && hasDelta) { continue }
            try choices[index, default: ["index": JSONTree(index)]].update(
                isDelta ? JSONTree.Bytes("message") : member.key
            ) { value throws(ShapeFailure) in try value.merge(member.value, as: member.key) }
        }
    }

    private mutating func finish(isChat: Bool) throws(ShapeFailure) -> JSONTree {
        var ordered: [JSONTree] = []
        for index in choices.keys.sorted() {
            guard var choice = choices.removeValue(forKey: index) else { continue }
            if isChat {
                try choice.update("message") { message throws(ShapeFailure) in try Self.finish(message: &message) }
            }
            ordered.append(choice)
        }
        try answer.set("choices", .array(ordered))
        try answer.set("object", isChat ? "chat.completion" : "text_completion")
        return answer
    }

    /// A document has members that a stream may leave out, and no `index` in its calls.
    private static func finish(message: inout JSONTree) throws(ShapeFailure) {
        if message.isNull { message = .object([]) }
        if message["role"] == nil { message = ["role": "assistant"] + message }
        if message["content"] == nil { try message.set("content", .null) }
        guard let calls = message["tool_calls"]?.elements else { return }
        let ordered = calls.enumerated().sorted { a, b in
            let (left, right) = (a.element["index"]?.count ?? 0, b.element["index"]?.count ?? 0)
            return (left, a.offset) < (right, b.offset)
        }
        try message.set("tool_calls", .array(ordered.map { $0.element.filtered { !$0.holds("index") } }))
    }
}
