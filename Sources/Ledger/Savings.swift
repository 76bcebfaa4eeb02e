import Base

/// Requests of one kind, their tokens and their dollars.
package struct SavingsSums: Hashable, Sendable {
    package var requests = 0
    package var inputTokens = 0
    package var outputTokens = 0
    /// 10^-9 US dollars. What has no known price adds its tokens only.
    package var nanodollars: Int64 = 0

    package init() {}

    mutating func add(_ other: SavingsSums) {
        requests = Savings.sum(requests, other.requests)
        inputTokens = Savings.sum(inputTokens, other.inputTokens)
        outputTokens = Savings.sum(outputTokens, other.outputTokens)
        nanodollars = Savings.sum(nanodollars, other.nanodollars)
    }

    fileprivate mutating func add(_ usage: TokenUsage?, nanodollars worth: Int64?) {
        requests += 1
        inputTokens = Savings.sum(inputTokens, usage?.input ?? 0)
        outputTokens = Savings.sum(outputTokens, usage?.output ?? 0)
        nanodollars = Savings.sum(nanodollars, worth ?? 0)
    }
}

/// What was billed and what was not, and why not.
package struct Savings: Hashable, Sendable {
    /// All of them; those that failed, or of unknown usage, are in none of the sums below.
    package var requests = 0
    /// Asked of a provider, with known usage.
    package var billed = SavingsSums()
    /// Answered from a layer of the cache, fresh or stale: what that would have cost.
    package var cached = SavingsSums()
    /// Answered by another request's flight: what that would have cost.
    package var coalesced = SavingsSums()
    /// Billed prompt tokens that the provider's own cache held.
    package var promptCachedTokens = 0
    /// What the provider's lower price for those saved.
    package var promptCachedNanodollars: Int64 = 0

    package init() {}

    mutating func add(_ other: Savings) {
        requests = Self.sum(requests, other.requests)
        billed.add(other.billed)
        cached.add(other.cached)
        coalesced.add(other.coalesced)
        promptCachedTokens = Self.sum(promptCachedTokens, other.promptCachedTokens)
        promptCachedNanodollars = Self.sum(promptCachedNanodollars, other.promptCachedNanodollars)
    }

    mutating func add(_ record: RequestRecord) {
        requests += 1
        switch record.cacheResult {
        case .l1, .l2, .l3, .stale: cached.add(record.usage, nanodollars: record.savedNanodollars)
        case .collapsed: coalesced.add(record.usage, nanodollars: record.savedNanodollars)
        case .miss, .bypass, .refresh, nil:
            guard let usage = record.usage else { return }
            billed.add(usage, nanodollars: record.costNanodollars)
            promptCachedTokens = Self.sum(promptCachedTokens, usage.cachedInput)
            promptCachedNanodollars = Self.sum(promptCachedNanodollars, record.promptCachedNanodollars ?? 0)
        }
    }

    /// Providers report the counts, and one that reports nonsense must neither overflow a sum nor lower it: below
    /// nothing counts as nothing, and a sum stays at 2^53 (nine million dollars; as many tokens as JSON holds).
    fileprivate static func sum<Count: FixedWidthInteger>(_ a: Count, _ b: Count) -> Count {
        let most = Count(1) << 53
        return min(min(max(0, a), most) + min(max(0, b), most), most)
    }
}

/// The savings of one group of requests. What was not grouped by is nil.
package struct SavingsRow: Hashable, Sendable {
    /// Of the request's arrival: days since 1970, UTC.
    package var day: Int?
    package var tenant: String?
    /// Nil also for an anonymous or local caller.
    package var keyID: String?
    /// The model that answered, else the one asked for; nil also for requests that failed without usage, whose
    /// model's name may be anything.
    package var model: String?
    package var savings: Savings

    /// The day as `2026-11-22`.
    package var date: String? {
        day.map { day in
            let lastOfYear9999 = 2_932_896
            let time = UnixTime(microseconds: Int64(min(max(0, day), lastOfYear9999)) * UnixTime.microsecondsPerDay)
            return String(time.iso8601.prefix(10))
        }
    }
}

/// What rows of the savings are added up by.
package struct SavingsGrouping: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let day = SavingsGrouping(rawValue: 1)
    /// Tenant and key.
    package static let key = SavingsGrouping(rawValue: 2)
    package static let model = SavingsGrouping(rawValue: 4)
}

extension UnixTime {
    static let microsecondsPerDay: Int64 = 86_400_000_000

    /// Days since 1970, UTC.
    var day: Int { Int(max(0, microseconds) / Self.microsecondsPerDay) }
}
