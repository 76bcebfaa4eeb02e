package import Base
package import NIOCore

/// The kinds of request whose answers can be kept. One family, one form of body.
package enum AnswerFamily: UInt8, Sendable, CaseIterable {
    case chat = 1
    case completions = 2
    case embeddings = 3
    case responses = 4
    case messages = 5
    case countTokens = 6
}

/// How an answer's bytes came from the provider, and how they are kept; the other shape is derived.
package enum AnswerShape: UInt8, Sendable {
    /// One JSON document.
    case document = 1
    /// Server-sent events, from the first to the last (`[DONE]` included).
    case events = 2
}

/// How long answers of a sort stay true: decided from the request, then adapted by what refreshes find.
package enum LifeClass: UInt8, Sendable, CaseIterable {
    /// Embeddings and token counts: a function of the input.
    case fixed = 1
    /// Temperature 0 or a seed: the model would say much the same again.
    case deterministic = 2
    case ordinary = 3
    /// The wording asks for what changes: today, now, latest, price.
    case volatile = 4
}

/// All that is known of a kept answer beside its bytes.
package struct AnswerFacts: Hashable, Sendable {
    package var family: AnswerFamily
    package var shape: AnswerShape
    package var life: LifeClass
    package var tenant: String
    /// `X-Weir-Namespace`; empty for none.
    package var namespace: String
    /// The model that answered.
    package var model: String
    /// The provider that answered.
    package var provider: String
    package var tags: [String]
    /// The knowledge collections that the answer drew on.
    package var collections: [String]
    package var contentType: String
    package var created: UnixTime
    /// Fresh until here; after it, at most until `usableUntil`, stale.
    package var freshUntil: UnixTime
    package var usableUntil: UnixTime
    /// What the provider took for the whole answer, in microseconds.
    package var upstreamMicroseconds: Int64
    package var inputTokens: Int
    package var outputTokens: Int
    /// What one repeat would cost, in 10^-9 US dollars; 0 when the price is unknown.
    package var costNanodollars: Int64

    package init(
        family: AnswerFamily, shape: AnswerShape, life: LifeClass, tenant: String, namespace: String = "",
        model: String, provider: String, tags: [String] = [], collections: [String] = [], contentType: String,
        created: UnixTime, freshUntil: UnixTime, usableUntil: UnixTime, upstreamMicroseconds: Int64 = 0,
        inputTokens: Int = 0, outputTokens: Int = 0, costNanodollars: Int64 = 0
    ) {
        self.family = family
        self.shape = shape
        self.life = life
        self.tenant = tenant
        self.namespace = namespace
        self.model = model
        self.provider = provider
        self.tags = tags
        self.collections = collections
        self.contentType = contentType
        self.created = created
        self.freshUntil = freshUntil
        self.usableUntil = usableUntil
        self.upstreamMicroseconds = upstreamMicroseconds
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.costNanodollars = costNanodollars
    }
}

/// A kept answer: its bytes as the provider sent them, and the request it answers, which a hit is compared with.
package struct CachedAnswer: Sendable {
    /// The canonical request (see `CacheIdentity`).
    package var request: ByteBuffer
    package var body: ByteBuffer
    package var facts: AnswerFacts

    package init(request: ByteBuffer, body: ByteBuffer, facts: AnswerFacts) {
        self.request = request
        self.body = body
        self.facts = facts
    }

    /// What it counts against a layer's budget: its bytes, and what bookkeeping adds to each entry.
    package var weight: Int { request.readableBytes + body.readableBytes + Self.overheadBytes }

    /// Measured: facts, index and list nodes of one small entry.
    package static let overheadBytes = 512
}

/// Which entries an invalidation takes. Always within one tenant, unless `tenant` is nil (an operator's).
package struct CacheSelector: Sendable {
    /// By what an entry is chosen.
    package enum What: Sendable {
        case key(CacheKey)
        case tag(String)
        case collection(String)
        case model(String)
        case namespace(String)
        case all
    }

    package var what: What
    package var tenant: String?

    package init(_ what: What, tenant: String?) {
        self.what = what
        self.tenant = tenant
    }

    /// Whether the selector takes the entry.
    package func matches(_ key: CacheKey, _ facts: AnswerFacts) -> Bool {
        if let tenant, tenant != facts.tenant { return false }
        return switch what {
        case .key(let wanted): wanted == key
        case .tag(let tag): facts.tags.contains(tag)
        case .collection(let name): facts.collections.contains(name)
        case .model(let model): facts.model == model
        case .namespace(let name): facts.namespace == name
        case .all: true
        }
    }
}
