/// How much of what may be kept is kept (`cache.policy`, and by model).
package enum CachePolicy: String, Sendable, CaseIterable {
    /// Answers whose temperature is absent or 0, or that name a seed: who asks for randomness gets it.
    case standard
    /// Only answers that name temperature 0 or a seed.
    case strict
    /// Everything that may be kept.
    case all
    /// Nothing.
    case off
}

/// Why a request goes past the cache. The raw value stands in `Cache-Status` and as a metric's label.
package enum BypassReason: String, Error, Sendable, CaseIterable {
    case noStore = "no_store"
    case policyOff = "policy_off"
    case invalidJSON = "invalid_json"
    case invalidText = "invalid_text"
    case duplicateMember = "duplicate_member"
    case numberOutOfRange = "number_out_of_range"
    case tooDeep = "too_deep"
    case tooComplex = "too_complex"
    case background
    case stored
    case serverState = "server_state"
    case storedPrompt = "stored_prompt"
    case serverTool = "server_tool"
    case fileID = "file_id"
    case remoteURL = "remote_url"
    case audioOutput = "audio_output"
    case randomness
    case notReproducible = "not_reproducible"
    case severalChoices = "several_choices"
}

/// Whether the answer to a request may come from the cache and go into it.
package enum Cacheability: Hashable, Sendable {
    case cacheable(LifeClass)
    case bypass(BypassReason)
}

/// What of a request decides whether it is cached.
struct RequestFacts: Sendable {
    var family: AnswerFamily
    var policy: CachePolicy
    /// The client sent `max-age`: it takes an earlier answer where it could have had a new one.
    var optsIn = false
    var noStore = false
    /// The answer drew on collections that the client names; a change of theirs ends its life.
    var namesCollections = false
    var traits: RequestTraits = []
    /// The body has no canonical form.
    var failure: BypassReason?

    var isFixed: Bool { family == .embeddings || family == .countTokens }
    var isReproducible: Bool { !traits.isDisjoint(with: [.temperatureIsZero, .seed]) }
    /// The policy has a say in how much chance there is in an answer.
    var mindsChance: Bool { policy != .all && !optsIn && !isFixed }

    /// Wording outweighs temperature: a model that repeats itself may still be wrong about today. Collections outweigh
    /// both: what they say holds until they change, and then the answer goes at once.
    var life: LifeClass {
        if isFixed || namesCollections { return .fixed }
        if traits.contains(.volatileWording) { return .volatile }
        return isReproducible ? .deterministic : .ordinary
    }
}

/// What may be cached: the rules, in the order in which they are asked. The first that applies sends the request past
/// the cache. A request without `max-age` and under another policy than `all` has to pass them all.
package struct CacheRule: Sendable {
    package let reason: BypassReason
    /// For people (`weir inspect cache`).
    package let sentence: String
    let applies: @Sendable (RequestFacts) -> Bool

    package static let table: [CacheRule] = [
        CacheRule(.noStore, "the client sent Cache-Control: no-store") { $0.noStore },
        CacheRule(.policyOff, "the policy for this model is off") { $0.policy == .off },
        failed(.invalidJSON, "the body is not a JSON object"),
        failed(.invalidText, "a string is not UTF-8 or holds half a surrogate pair"),
        failed(.duplicateMember, "a name stands twice in one object: what the provider reads of it is unknown"),
        failed(.numberOutOfRange, "a number's exponent is beyond a thousand million"),
        failed(.tooDeep, "the body is nested more than 512 levels deep"),
        failed(.tooComplex, "the body has more than 131,072 members to sort"),
        CacheRule(.background, "background: true starts work that is more than its answer") {
            $0.traits.contains(.background)
        },
        CacheRule(
            .stored,
            "the provider keeps the answer under an id: a Responses request asks for that unless it says store: false"
        ) {
            $0.traits.contains(.storeIsTrue) || ($0.family == .responses && !$0.traits.contains(.storeIsFalse))
        },
        CacheRule(
            .serverState,
            "it goes on from what the provider holds: previous_response_id, conversation, container, an item or audio"
        ) {
            $0.traits.contains(.serverState)
        },
        CacheRule(.storedPrompt, "its prompt is kept at the provider and may change there") {
            $0.traits.contains(.storedPrompt)
        },
        CacheRule(
            .serverTool,
            "a tool may run at the provider (web search, code, files, MCP, images, an unknown type) or sees a screen"
        ) {
            $0.traits.contains(.serverTool)
        },
        CacheRule(.fileID, "it names a file kept at the provider") { $0.traits.contains(.fileID) },
        CacheRule(
            .remoteURL, "it links to an image or a document, and what is there may change; data: URLs are no links"
        ) {
            $0.traits.contains(.remoteURL)
        },
        CacheRule(.audioOutput, "the answer is to be spoken") { $0.traits.contains(.audioOutput) },
        CacheRule(
            .randomness, "policy standard: a temperature other than 0, without a seed, asks for a new answer each time"
        ) {
            $0.mindsChance && $0.policy == .standard && $0.traits.contains(.temperatureIsNotZero)
                && !$0.isReproducible
        },
        CacheRule(.notReproducible, "policy strict: neither temperature 0 nor a seed") {
            $0.mindsChance && $0.policy == .strict && !$0.isReproducible
        },
        CacheRule(.severalChoices, "policies standard and strict: n above 1 asks for answers that differ") {
            $0.mindsChance && $0.traits.contains(.severalChoices)
        },
    ]

    private init(_ reason: BypassReason, _ sentence: String, _ applies: @escaping @Sendable (RequestFacts) -> Bool) {
        self.reason = reason
        self.sentence = sentence
        self.applies = applies
    }

    private static func failed(_ reason: BypassReason, _ sentence: String) -> CacheRule {
        CacheRule(reason, sentence) { $0.failure == reason }
    }

    static func decide(_ facts: RequestFacts) -> Cacheability {
        for rule in table where rule.applies(facts) { return .bypass(rule.reason) }
        return .cacheable(facts.life)
    }
}
