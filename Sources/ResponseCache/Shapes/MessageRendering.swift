import Base

/// Anthropic's format: a message -> the events of its stream.
struct MessageRendering {
    private var writer = EventWriter()

    static func events(_ document: JSONTree) throws(ShapeFailure) -> [UInt8] {
        guard document["type"]?.string == "message", let blocks = document["content"]?.elements else {
            throw .unknownForm
        }
        guard blocks.count <= ShapeLimits.partsMax else { throw .tooLarge }
        var rendering = Self()
        try rendering.start(document)
        for (index, block) in blocks.enumerated() { try rendering.add(block.opened, at: index) }
        rendering.stop(document)
        return rendering.writer.bytes
    }

    /// The message before its first word: nothing has been produced yet, and how it ends is not known.
    private mutating func start(_ document: JSONTree) throws(ShapeFailure) {
        var message = document
        try message.set("content", [])
        for key in Self.endings where message[key] != nil { try message.set(key, .null) }
        if message["usage"]?["output_tokens"] != nil {
            try message.update("usage") { usage throws(ShapeFailure) in try usage.set("output_tokens", JSONTree(0)) }
        }
        writer.event(["type": "message_start", "message": message], name: "message_start")
    }

    private static let endings: [StaticString] = ["stop_reason", "stop_sequence", "stop_details"]
    private static let counts: [StaticString] = [
        "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens",
        "output_tokens_details", "server_tool_use",
    ]

    private mutating func stop(_ document: JSONTree) {
        let delta = document.filtered { $0.isOne(of: Self.endings) }
        let usage = document["usage"]?.filtered { $0.isOne(of: Self.counts) } ?? [:]
        writer.event(["type": "message_delta", "delta": delta, "usage": usage], name: "message_delta")
        writer.event(["type": "message_stop"], name: "message_stop")
    }

    private mutating func add(_ block: JSONTree, at index: Int) throws(ShapeFailure) {
        guard case .object = block else { throw .unknownForm }
        var begun = block
        var deltas: [JSONTree] = []
        switch block["type"]?.string {
        case "text":
            try begun.set("text", "")
            deltas = EventWriter.pieces(block["text"]?.content ?? []).map { ["type": "text_delta", "text": $0] }
            let citations = block["citations"]?.elements ?? []
            if !citations.isEmpty { try begun.set("citations", []) }
            deltas += citations.map { ["type": "citations_delta", "citation": $0] }
        case "thinking":
            try begun.set("thinking", "")
            deltas = EventWriter.pieces(block["thinking"]?.content ?? []).map {
                ["type": "thinking_delta", "thinking": $0]
            }
            if let signature = block["signature"], !signature.isBlank {
                try begun.set("signature", "")
                deltas.append(["type": "signature_delta", "signature": signature])
            }
        case "tool_use", "server_tool_use", "mcp_tool_use":
            guard let input = block["input"], let members = input.members else { throw .unknownForm }
            try begun.set("input", [:])
            let text = JSONText.quote(String(decoding: input.bytes, as: UTF8.self)).utf8.dropFirst().dropLast()
            let pieces = members.isEmpty ? [] : EventWriter.pieces(Array(text)[...])
            deltas = ([""] + pieces).map { ["type": "input_json_delta", "partial_json": $0] }
        default: break  // `redacted_thinking`, results of server tools: whole in their first event.
        }
        let place: JSONTree = ["index": JSONTree(index)]
        writer.event(["type": "content_block_start"] + place + ["content_block": begun], name: "content_block_start")
        for delta in deltas {
            writer.event(["type": "content_block_delta"] + place + ["delta": delta], name: "content_block_delta")
        }
        writer.event(["type": "content_block_stop"] + place, name: "content_block_stop")
    }
}
