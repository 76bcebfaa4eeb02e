package import Base

/// Why an answer of past traffic was not taken in.
package enum ImportRefusal: String, Failure {
    case tooLarge = "too_large"
    case noLife = "no_life"
    case expired

    package var code: String { rawValue }
    package var message: String {
        switch self {
        case .tooLarge: "it is larger than cache.entry-limit"
        case .noLife: "cache.ttl gives answers like this no life"
        case .expired: "it is so old that its life would be over"
        }
    }
}

extension ResponseCache {
    /// Takes in an answer from elsewhere, into every layer that is on, in place of what its key has: into L3 too,
    /// without waiting for a second use. Files are written behind it; `flush`, and `isBelow` tells whether one has it.
    /// - Parameter made: when it was answered: its life counts from then; nil: from now.
    package func takeIn(_ identity: CacheIdentity, _ answer: CachedAnswer, made: UnixTime?) throws(ImportRefusal) {
        let (configuration, now) = (configuration, clock.now())
        guard answer.weight <= configuration.entryBytesMax else { throw .tooLarge }
        let life = life.withLock { $0.life(answer.facts.life) }
        guard life > .zero else { throw .noLife }
        var answer = answer
        answer.facts.setLife(life, configuration.windows, now: min(made ?? now, now))
        guard answer.facts.remainingLife(at: now) > .zero else { throw .expired }
        let kept = KeptAnswer(identity.key, answer)
        let (disk, archive) = below.withLock { ($0.disk, $0.archive) }
        // As in a fill: an invalidation comes wholly before or wholly after this.
        invalidations.withLock { _ in
            remember(kept)
            if configuration.uses(.l2) { disk?.store(kept.key, answer) }
            if configuration.uses(.l3) { archive?.admit(kept.key, answer) }
        }
    }

    /// Whether a file holds the key, as the index knows it; true also when no layer with a file is on.
    package func isBelow(_ key: CacheKey) -> Bool {
        let configuration = configuration
        guard configuration.uses(.l2) || configuration.uses(.l3) else { return true }
        return !index.layers(holding: key).isEmpty
    }
}
