import Base

/// The invalidations of late, so that an answer whose making began before one of them is not kept after it. A pure
/// structure.
struct InvalidationLog: Sendable {
    /// Fills that began before the oldest one remembered are dropped unseen: a cache may always forget.
    static let remembered = 256

    private var selectors: [CacheSelector] = []
    /// The number of the first one in `selectors`.
    private var first = 0

    /// The point in time that a fill remembers when it begins.
    var generation: Int { first + selectors.count }

    mutating func add(_ selector: CacheSelector) {
        if selectors.count == Self.remembered {
            selectors.removeFirst(Self.remembered / 2)
            first += Self.remembered / 2
        }
        selectors.append(selector)
    }

    /// Whether an invalidation after `generation` takes the entry.
    func takes(_ key: CacheKey, _ facts: AnswerFacts, since generation: Int) -> Bool {
        precondition(generation <= self.generation, "a fill begins before it ends")
        if generation < first { return true }
        return selectors[(generation - first)...].contains { $0.matches(key, facts) }
    }
}
