import Base
import NIOCore

extension ResponseCache {
    /// To be called before the provider is asked; what it gives is handed to `keep`.
    package func beginFill() -> Int { invalidations.withLock { $0.generation } }

    /// Keeps an answer in L1 and L2, and in L3 at its second use. `facts`' times are set here, from the life of its
    /// class. Nothing is kept when an invalidation has come since `generation`, when the life is zero, or when the
    /// answer is too large. O(shards); files are written behind it.
    /// - Returns: the answer as it is kept; nil when it is not.
    package func keep(
        _ identity: CacheIdentity, _ answer: CachedAnswer, since generation: Int
    ) -> KeptAnswer? {
        let configuration = configuration
        guard answer.weight <= configuration.entryBytesMax else { return nil }
        let life = life.withLock { $0.life(answer.facts.life) }
        guard life > .zero else { return nil }
        var answer = answer
        answer.facts.setLife(life, configuration.windows, now: clock.now())
        let kept = KeptAnswer(identity.key, answer)
        let disk = configuration.uses(.l2) ? below.withLock { $0.disk } : nil
        let isKept = invalidations.withLock { log in
            guard !log.takes(kept.key, kept.facts, since: generation) else { return false }
            remember(kept)
            disk?.store(kept.key, answer)
            return true
        }
        guard isKept else { return nil }
        if configuration.uses(.l3) { below.withLock { $0.archive }?.admitOnSecondUse(kept.key, answer) }
        return kept
    }

    /// What renewing an answer found: lives of its class grow or shrink by it. Only answers that repeat themselves tell
    /// anything: two wordings of an ordinary one need not mean that the world has changed.
    package func observeRenewal(of old: KeptAnswer, by new: KeptAnswer) {
        let (class_, age) = (old.facts.life, old.facts.age(at: clock.now()))
        guard class_ == .fixed || class_ == .deterministic else { return }
        guard let a = old.ready(.document), let b = new.ready(.document) else { return }
        let isSame = AnswerShapes.haveSameContent(a.body, b.body, old.facts.family)
        life.withLock { $0.observe(class_, unchanged: isSame, age: age) }
    }

    /// True for one caller at a time: it renews the answer and then calls `endRenewal`.
    package func beginRenewal(_ key: CacheKey) -> Bool { refreshing.withLock { $0.insert(key).inserted } }

    /// The renewal is over, however it went: the next one may begin.
    package func endRenewal(_ key: CacheKey) { refreshing.withLock { _ = $0.remove(key) } }
}
