package import Base

/// What the disk layer holds and has done since it was made.
package struct DiskStatistics: Sendable, Equatable {
    /// After the last commit.
    package var entries = 0
    /// Pages in use, in bytes; at most 85 % of the budget.
    package var bytes = ByteCount(bytes: 0)
    package var budget = ByteCount(bytes: 0)
    package var isEnabled = true
    /// Why the layer is off although it should be on: its file can be neither used nor replaced.
    package var failure: String?

    package var hits = 0
    package var misses = 0
    package var stores = 0
    /// Pushed out by newer entries.
    package var evictions = 0
    package var expirations = 0
    /// Taken by a selector.
    package var removals = 0
    /// Entries found damaged when read; each was a miss.
    package var corrupt = 0
    /// Answers not stored because too much waited, or because no room could be made.
    package var dropped = 0
    /// Answers larger than an entry may be: a fifth of the budget.
    package var tooLarge = 0
    /// How often the file was moved aside or deleted, and made anew.
    package var renewals = 0
    /// Why the last time.
    package var lastRenewal: String?
}

/// What the layer tells as it happens, from its writer thread after the commit, in order; at open from the opener's.
package struct DiskEvents: Sendable {
    /// An answer is stored under the key: for every key at open, then after each store.
    package var present: @Sendable (CacheKey) -> Void = { _ in }
    /// The key's answer has left, for whatever reason.
    package var gone: @Sendable (CacheKey) -> Void = { _ in }
    /// An answer that was pushed out, still usable. Nil: it is not even read.
    package var evicted: (@Sendable (CacheKey, CachedAnswer) -> Void)?
    /// Everything has left at once.
    package var emptied: @Sendable () -> Void = {}

    package init() {}
}

/// Why the disk layer could not promise a removal.
package enum DiskLayerFailure: Failure, Equatable {
    /// Too many removals wait.
    case busy
    /// The file can be neither changed nor replaced.
    case unusable(String)

    package var code: String {
        switch self {
        case .busy: "cache_busy"
        case .unusable: "cache_disk_unusable"
        }
    }

    package var message: String {
        switch self {
        case .busy: "the cache has too many removals under way; try again shortly"
        case .unusable(let why): "the disk cache cannot be changed: \(why)"
        }
    }
}
