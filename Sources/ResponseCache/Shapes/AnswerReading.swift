import Base

/// What a document says about itself, whatever its family.
struct AnswerReading {
    private let document: JSONTree
    private(set) var summary: AnswerSummary

    static func summary(_ document: JSONTree, family: AnswerFamily) -> AnswerSummary {
        var reading = Self(document)
        reading.readUsage()
        switch family {
        case .chat, .completions: reading.readChoices()
        case .responses: reading.readResponse()
        case .messages: reading.readMessage()
        case .embeddings: reading.summary.isEmpty = document["data"]?.isBlank ?? true
        case .countTokens: reading.summary.isEmpty = document["input_tokens"]?.count == nil
        }
        if family == .embeddings || family == .countTokens { reading.summary.isComplete = !reading.summary.isEmpty }
        if let error = document["error"], !error.isNull { reading.summary.isComplete = false }
        return reading.summary
    }

    private init(_ document: JSONTree) {
        self.document = document
        summary = AnswerSummary()
        summary.model = document["model"]?.string
    }

    /// Input is the whole prompt: Anthropic counts what its cache gave and took apart.
    private mutating func readUsage() {
        guard let usage = document["usage"]?.opened else {
            summary.inputTokens = document["input_tokens"]?.count ?? 0
            return
        }
        let input = usage["prompt_tokens"]?.count ?? usage["input_tokens"]?.count ?? 0
        let cached = usage["cache_creation_input_tokens"]?.count ?? 0
        summary.inputTokens = input + cached + (usage["cache_read_input_tokens"]?.count ?? 0)
        summary.outputTokens = usage["completion_tokens"]?.count ?? usage["output_tokens"]?.count ?? 0
    }

    /// A text, list or object that says something.
    private static func says(_ tree: JSONTree?) -> Bool { tree.map { !$0.isBlank } ?? false }

    private mutating func note(arguments: JSONTree?) {
        let isObject = arguments?.string.map { JSONTree(object: Array($0.utf8)[...]) != nil } ?? false
        if !isObject { summary.hasInvalidToolArguments = true }
    }

    private mutating func readChoices() {
        let choices = document["choices"]?.elements?.map(\.opened) ?? []
        summary.finishReasons = choices.compactMap { $0["finish_reason"]?.string }
        summary.isComplete = !choices.isEmpty && summary.finishReasons.count == choices.count
        for choice in choices {
            if Self.says(choice["text"]) { summary.isEmpty = false }
            guard let message = choice["message"]?.opened else { continue }
            if Self.says(message["refusal"]) { summary.isRefusal = true }
            for key: StaticString in ["content", "refusal", "tool_calls", "function_call", "audio"]
            where Self.says(message[key]) { summary.isEmpty = false }
            for call in message["tool_calls"]?.elements ?? [] {
                if let function = call["function"] { note(arguments: function["arguments"]) }
            }
            if let call = message["function_call"], !call.isNull { note(arguments: call["arguments"]) }
        }
    }

    private mutating func readResponse() {
        let status = document["status"]?.string ?? ""
        summary.isComplete = status == "completed" || status == "incomplete"
        summary.finishReasons = [document["incomplete_details"]?["reason"]?.string ?? status]
        for item in (document["output"]?.elements ?? []).map(\.opened) {
            switch item["type"]?.string {
            case "reasoning": break
            case "message":
                for part in (item["content"]?.elements ?? []).map(\.opened) {
                    if Self.says(part["text"]) || Self.says(part["refusal"]) { summary.isEmpty = false }
                    if part["type"]?.string == "refusal" { summary.isRefusal = true }
                }
            case "function_call":
                summary.isEmpty = false
                note(arguments: item["arguments"])
            default: summary.isEmpty = false
            }
        }
    }

    private mutating func readMessage() {
        let reason = document["stop_reason"]?.string
        summary.finishReasons = reason.map { [$0] } ?? []
        summary.isComplete = reason != nil && document["content"]?.elements != nil
        summary.isRefusal = reason == "refusal"
        for block in (document["content"]?.elements ?? []).map(\.opened) {
            switch block["type"]?.string {
            case "thinking", "redacted_thinking": break
            case "text": if Self.says(block["text"]) { summary.isEmpty = false }
            case "tool_use", "server_tool_use", "mcp_tool_use":
                summary.isEmpty = false
                if block["input"]?.members == nil { summary.hasInvalidToolArguments = true }
            default: summary.isEmpty = false
            }
        }
    }
}
