import Base

/// Anthropic's format: events -> the message.
struct MessageAssembly {
    private var message = JSONTree.null
    private var blocks: [Block] = []
    private var isStopped = false

    private struct Block {
        var tree: JSONTree
        /// `partial_json` so far, escapes as written.
        var input: [UInt8] = []
    }

    static func document(_ stream: EventStream) throws(ShapeFailure) -> JSONTree {
        var assembly = Self()
        _ = try stream.forEachObject { event throws(ShapeFailure) in try assembly.add(event) }
        guard assembly.isStopped, case .object = assembly.message else { throw .unfinished }
        var content: [JSONTree] = []
        for block in assembly.blocks { content.append(try finish(block)) }
        try assembly.message.set("content", .array(content))
        return assembly.message
    }

    private mutating func add(_ event: JSONTree) throws(ShapeFailure) {
        switch event["type"]?.string {
        case "error": throw .providerError
        case "message_start":
            guard message.isNull, let start = event["message"]?.opened else { throw .unknownForm }
            message = start
        case "content_block_start":
            guard let block = event["content_block"]?.opened, event["index"]?.count == blocks.count else {
                throw .unknownForm
            }
            guard blocks.count < ShapeLimits.partsMax else { throw .tooLarge }
            blocks.append(Block(tree: block))
        case "content_block_delta":
            guard let index = event["index"]?.count, index < blocks.count, let delta = event["delta"]?.opened else {
                throw .unknownForm
            }
            try Self.add(delta, to: &blocks[index])
        case "message_delta": try finishMessage(event)
        case "message_stop": isStopped = true
        default: break  // `content_block_stop` says nothing more; `ping` says nothing.
        }
    }

    private static func add(_ delta: JSONTree, to block: inout Block) throws(ShapeFailure) {
        switch delta["type"]?.string {
        case "text_delta": try grow(&block.tree, "text", delta)
        case "thinking_delta": try grow(&block.tree, "thinking", delta)
        case "input_json_delta": block.input += delta["partial_json"]?.content ?? []
        case "signature_delta":
            if let signature = delta["signature"] { try block.tree.set("signature", signature) }
        case "citations_delta":
            guard let citation = delta["citation"] else { throw .unknownForm }
            try block.tree.update("citations") { value throws(ShapeFailure) in
                try value.merge([citation], as: .init("citations"))
            }
        default: throw .unknownForm
        }
    }

    private static func grow(
        _ block: inout JSONTree, _ key: StaticString, _ delta: JSONTree
    ) throws(ShapeFailure) {
        try block.update(key) { value throws(ShapeFailure) in try value.grow(delta[key]?.content ?? []) }
    }

    /// `message_delta`: how the message ended. Its usage counts upwards, so that later counts replace earlier ones.
    private mutating func finishMessage(_ event: JSONTree) throws(ShapeFailure) {
        guard case .object = message else { throw .unknownForm }
        let others = event.filtered { !$0.isOne(of: ["type", "delta", "usage"]) }
        for member in (event["delta"]?.members ?? []) + (others.members ?? []) {
            try message.update(member.key) { value throws(ShapeFailure) in
                if value.isNull || !member.value.isNull { value = member.value }
            }
        }
        for member in event["usage"]?.members ?? [] where !member.value.isNull {
            try message.update("usage") { usage throws(ShapeFailure) in
                if usage.isNull { usage = .object([]) }
                try usage.update(member.key) { value throws(ShapeFailure) in value = member.value }
            }
        }
    }

    /// The pieces of a tool's input become its value. What is no object stays a text, so that it can be told.
    private static func finish(_ block: Block) throws(ShapeFailure) -> JSONTree {
        guard !block.input.isEmpty else { return block.tree }
        var tree = block.tree
        let json = JSONText.decodeContent(block.input).map { Array($0.utf8)[...] }
        try tree.set("input", json.flatMap(JSONTree.init(object:)) ?? .text(block.input))
        return tree
    }
}
