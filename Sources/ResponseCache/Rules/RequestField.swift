/// Every field of a request that Weir knows, by its name on the wire. A new one does not compile until `place(in:)`
/// says what it does to the cache. A field that is not here enters the key: two requests that differ in something
/// unknown are two requests.
package enum RequestField: String, Sendable, CaseIterable {
    case model, messages, input, prompt, system, instructions, stream, user, metadata, temperature, seed, n, stop
    case tools, functions, modalities, audio, store, background, conversation, container, dimensions, suffix, echo
    case logprobs, prediction, include, truncation, reasoning, text, thinking, verbosity
    case streamOptions = "stream_options", safetyIdentifier = "safety_identifier"
    case promptCacheKey = "prompt_cache_key", promptCacheRetention = "prompt_cache_retention"
    case serviceTier = "service_tier", topP = "top_p", topK = "top_k", frequencyPenalty = "frequency_penalty"
    case presencePenalty = "presence_penalty", logitBias = "logit_bias", topLogprobs = "top_logprobs"
    case maxTokens = "max_tokens", maxCompletionTokens = "max_completion_tokens"
    case maxOutputTokens = "max_output_tokens", maxToolCalls = "max_tool_calls", stopSequences = "stop_sequences"
    case responseFormat = "response_format", reasoningEffort = "reasoning_effort", toolChoice = "tool_choice"
    case parallelToolCalls = "parallel_tool_calls", functionCall = "function_call"
    case webSearchOptions = "web_search_options", previousResponseID = "previous_response_id"
    case servers = "mcp_servers", contextManagement = "context_management", outputConfig = "output_config"
    case cacheControl = "cache_control", encodingFormat = "encoding_format", bestOf = "best_of"

    /// What the field does to the cache. Decided one by one:
    /// - `user`, `metadata`, `safety_identifier` say who asks, `prompt_cache_key` and `prompt_cache_retention` where
    ///   the provider keeps the prompt, `stream` and `stream_options` the shape: none of them changes an answer.
    /// - `service_tier` stays in the key: the answer names the tier that gave it, and costs by it.
    /// - `top_p` and `top_k` only narrow what temperature spreads, so they enter the key and ask for nothing.
    package func place(in family: AnswerFamily) -> FieldPlace {
        switch self {
        case .model: .model
        case .stream, .streamOptions, .user, .metadata, .safetyIdentifier, .promptCacheKey, .promptCacheRetention:
            .ignored
        case .messages: .bypass(when: .messages)
        case .input: family == .embeddings ? .key : .bypass(when: .messages)
        case .prompt: family == .completions ? .policy(.prompt) : .bypass(when: .storedPrompt)
        case .tools: .bypass(when: .tools)
        case .webSearchOptions, .servers: .bypass(when: .serverTool)
        case .modalities: .bypass(when: .modalities)
        case .audio: .bypass(when: .audioOutput)
        case .store: .bypass(when: .store)
        case .background: .bypass(when: .background)
        case .previousResponseID, .conversation, .container: .bypass(when: .serverState)
        case .temperature: .policy(.temperature)
        case .seed: .policy(.seed)
        case .n: .policy(.choices)
        case .system, .instructions, .stop, .functions, .dimensions, .suffix, .echo, .logprobs, .prediction, .include,
            .truncation, .reasoning, .text, .thinking, .verbosity, .serviceTier, .topP, .topK, .frequencyPenalty,
            .presencePenalty, .logitBias, .topLogprobs, .maxTokens, .maxCompletionTokens, .maxOutputTokens,
            .maxToolCalls, .stopSequences, .responseFormat, .reasoningEffort, .toolChoice, .parallelToolCalls,
            .functionCall, .contextManagement, .outputConfig, .cacheControl, .encodingFormat, .bestOf:
            .key
        }
    }
}

/// What a field of a request does to the cache.
package enum FieldPlace: Hashable, Sendable {
    /// It enters the key.
    case key
    /// It does not change the answer.
    case ignored
    /// The resolved model takes its place in the key.
    case model
    /// It enters the key, unless what is read there keeps the request from the cache whatever the policy.
    case bypass(when: ValueReading)
    /// It enters the key, and the policy and the life of the answer depend on it.
    case policy(ValueReading)
}

/// The places of one family's fields, found by the bytes of a name: names lie one after the other, by length.
struct FieldTable: Sendable {
    private var letters: [UInt8] = []
    private var places: [FieldPlace] = []
    /// By length of the name: where its first letter lies, its first place, and how many there are.
    private var groups: [(letter: Int, place: Int, count: Int)] = []

    private static let tables = AnswerFamily.allCases.map(FieldTable.init)

    static func of(_ family: AnswerFamily) -> FieldTable { tables[Int(family.rawValue) - 1] }

    private init(_ family: AnswerFamily) {
        let longest = RequestField.allCases.map(\.rawValue.utf8.count).max() ?? 0
        for length in 0...longest {
            let fields = RequestField.allCases.filter { $0.rawValue.utf8.count == length }
            groups.append((letters.count, places.count, fields.count))
            for field in fields {
                letters += Array(field.rawValue.utf8)
                places.append(field.place(in: family))
            }
        }
    }

    /// The place of a field; an unknown one enters the key.
    func place(_ name: UnsafeBufferPointer<UInt8>) -> FieldPlace {
        guard name.count < groups.count else { return .key }
        let group = groups[name.count]
        for index in 0..<group.count {
            let start = group.letter + index * name.count
            var offset = 0
            while offset < name.count, letters[start + offset] == name[offset] { offset += 1 }
            if offset == name.count { return places[group.place + index] }
        }
        return .key
    }
}
