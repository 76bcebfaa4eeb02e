import Base
import Ledger
import NIOCore
import ResponseCache
import Settings
import Upstream

/// Puts a flight's answer together and decides whether it is kept. Confined to the flight's loop until `settle`, which
/// is called once and may run on a worker while nothing else touches it.
final class FlightRecorder: @unchecked Sendable {  // handed over, never shared: see above
    enum Verdict: Sendable {
        case kept(KeptAnswer)
        /// A stable code, as in `Cache-Status`.
        case discarded(String)

        var kept: KeptAnswer? { if case .kept(let kept) = self { kept } else { nil } }
    }

    /// Documents up to here are read on the event loop: it takes less than handing them over.
    private static let quickBytes = 32 << 10

    private let part: CachePart
    private let generation: Int
    private let entryBytesMax: Int
    private let tenant: String
    private let provider: String
    private let modelRequested: String
    private let configuration: Gateway.Configuration
    private let started = MonotonicInstant.now()

    private var head: ResponseHead?
    private var pieces: [ByteBuffer] = []
    private var count = 0
    private(set) var isRecording = true

    init(_ part: CachePart, _ leader: Exchange) {
        self.part = part
        generation = leader.gateway.cache?.beginFill() ?? 0
        entryBytesMax = leader.gateway.cache?.configuration.entryBytesMax ?? 0
        tenant = leader.request.principal.tenant
        provider = leader.provider?.name ?? leader.record.provider ?? ""
        modelRequested = leader.record.modelRequested ?? ""
        configuration = leader.configuration
    }

    /// The provider refused: its error is for everyone who waits, whatever form they wanted.
    var isError: Bool { (head?.status ?? 0) >= 400 }

    private var isStream: Bool {
        head?.headers["content-type"].map { hasPrefixIgnoringCase($0, "text/event-stream") } ?? false
    }

    var settlesAtOnce: Bool { isRecording && count <= Self.quickBytes && !isStream }

    func note(_ event: TransferEvent) {
        switch event {
        case .head(let head, _): self.head = head
        case .body(let bytes) where isRecording:
            count += bytes.readableBytes
            pieces.append(bytes)
            guard count > entryBytesMax else { return }
            isRecording = false
            pieces = []
        default: break
        }
    }

    /// Reads the whole answer and keeps it if the rules allow. O(n).
    func settle(_ gateway: Gateway) -> Verdict {
        guard let head, let cache = gateway.cache else { return .discarded("incomplete") }
        let (family, shape) = (part.family, isStream ? AnswerShape.events : .document)
        guard head.status == 200 else { return .discarded(DiscardReason.status.rawValue) }
        let body = joined()
        let summary = AnswerShapes.summary(body, shape: shape, family: family)
        if let reason = AnswerRule.discard(summary, status: head.status, family: family) {
            return .discarded(reason.rawValue)
        }
        let usage = TokenUsage(input: summary.inputTokens, output: summary.outputTokens)
        let model = summary.model ?? modelRequested
        let cost =
            configuration.prices.cost(model: modelRequested, usage: usage)
            ?? configuration.prices.cost(model: model, usage: usage) ?? 0
        let never = UnixTime(microseconds: 0)  // the cache sets the times
        let facts = AnswerFacts(
            family: family, shape: shape, life: part.life, tenant: tenant, namespace: part.directives.namespace,
            model: model, provider: provider, tags: part.directives.tags, collections: part.directives.collections,
            contentType: head.headers["content-type"] ?? "application/json", created: never, freshUntil: never,
            usableUntil: never, upstreamMicroseconds: Int64(MonotonicInstant.now().nanoseconds(since: started) / 1_000),
            inputTokens: usage.input, outputTokens: usage.output, costNanodollars: cost)
        let answer = CachedAnswer(request: part.identity.request, body: body, facts: facts)
        guard let kept = cache.keep(part.identity, answer, since: generation) else { return .discarded("not_kept") }
        return .kept(kept)
    }

    private func joined() -> ByteBuffer {
        if pieces.count == 1 { return pieces[0] }
        var body = ByteBufferAllocator().buffer(capacity: count)
        for piece in pieces { body.writeImmutableBuffer(piece) }
        return body
    }

    /// The flight is over: what it renewed has taught something.
    func close(_ gateway: Gateway, _ verdict: Verdict?) {
        if case .discarded(let reason)? = verdict { gateway.cacheMetrics.discarded(reason) }
        guard let old = part.renews, let cache = gateway.cache else { return }
        if let new = verdict?.kept { cache.observeRenewal(of: old, by: new) }
        cache.endRenewal(old.key)
    }
}
