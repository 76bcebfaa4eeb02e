import Base

/// What the cache has for a request.
package enum CacheFinding: Sendable {
    case found(KeptAnswer, CacheLayer, Usability)
    /// Not in memory, but these layers may hold it: `lookBelow` tells.
    case below(CacheLayers)
    case absent
}

extension ResponseCache {
    /// Looks into memory and the index: no file, no wait. For event loops.
    package func look(_ identity: CacheIdentity, _ directives: CacheDirectives) -> CacheFinding {
        let instant = MonotonicInstant.now()
        if let kept = memory.value(for: identity.key, now: instant), kept.answer.request == identity.request {
            if kept.isFirstHit() { noteSecondUse(kept) }
            return .found(kept, .l1, usability(of: kept, directives, clock.now(instant)))
        }
        let layers = index.layers(holding: identity.key)
        return layers.isEmpty ? .absent : .below(layers)
    }

    /// Reads L2, then L3, on a thread of the cache's own, and promotes what it finds with the life it has left.
    /// - Parameter then: called on that thread.
    /// - Returns: false when too many reads wait: then it is a miss.
    package func lookBelow(
        _ identity: CacheIdentity, _ layers: CacheLayers, _ directives: CacheDirectives,
        then: @escaping @Sendable (CacheFinding) -> Void
    ) -> Bool {
        let generation = beginFill()
        return readers.submit { then(self.readBelow(identity, layers, directives, generation)) }
    }

    private func readBelow(
        _ identity: CacheIdentity, _ layers: CacheLayers, _ directives: CacheDirectives, _ generation: Int
    ) -> CacheFinding {
        let (disk, archive, now) = (below.withLock { $0.disk }, below.withLock { $0.archive }, clock.now())
        for layer in [CacheLayer.l2, .l3] where layers.contains(CacheLayers(layer)) {
            let answer =
                layer == .l2
                ? disk?.answer(for: identity.key, now: now)
                // Trouble that may pass is a miss; the archive counts it.
                : try? archive?.answer(for: identity.key, now: now)
            guard let answer, answer.request == identity.request else { continue }
            let kept = KeptAnswer(identity.key, answer)
            guard promote(kept, from: layer, since: generation) else { return .absent }
            return .found(kept, layer, usability(of: kept, directives, now))
        }
        return .absent
    }

    /// False when an invalidation has taken the answer meanwhile.
    private func promote(_ kept: KeptAnswer, from layer: CacheLayer, since generation: Int) -> Bool {
        let isValid = invalidations.withLock { log in
            guard !log.takes(kept.key, kept.facts, since: generation) else { return false }
            remember(kept)
            // An answer of the archive that is wanted again is read faster the next time.
            if layer == .l3 { _ = below.withLock { $0.disk }?.store(kept.key, kept.answer) }
            return true
        }
        if isValid && layer == .l2 { noteSecondUse(kept) }
        return isValid
    }

    private func usability(
        of kept: KeptAnswer, _ directives: CacheDirectives, _ now: UnixTime
    ) -> Usability {
        kept.facts.usability(at: now, directives, configuration.windows)
    }

    /// Whether this request is the one that renews the answer (XFetch) shortly before its life ends.
    package func shouldRenew(_ kept: KeptAnswer) -> Bool {
        let facts = kept.facts
        // The logarithm of a random number seldom exceeds 20: far from the end nothing need be drawn.
        let now = clock.now()
        let reach = facts.upstreamMicroseconds.multipliedReportingOverflow(by: 40)
        guard reach.overflow || facts.freshUntil.microseconds - now.microseconds < reach.partialValue else {
            return false
        }
        return facts.shouldRefreshEarly(at: now, random: Double.random(in: 0..<1))
    }

    private func noteSecondUse(_ kept: KeptAnswer) {
        below.withLock { $0.archive }?.admitOnSecondUse(kept.key, kept.answer)
    }

    func remember(_ kept: KeptAnswer) {
        _ = memory.store(
            kept.key, kept, weight: kept.answer.weight, cost: kept.cost,
            expires: clock.instant(of: kept.facts.usableUntil), now: .now())
    }
}
