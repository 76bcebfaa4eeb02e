package import Base

/// One row of the request log: what was asked, who answered, how long it took, what it cost. No prompt, no answer, no
/// secret. Durations are microseconds.
package struct RequestRecord: Hashable, Sendable {
    /// Weir's request id, as in `X-Request-Id`.
    package var id: String
    /// When the request arrived.
    package var time: UnixTime
    package var tenant: String
    /// Nil for an anonymous or local caller.
    package var keyID: String?
    /// The route's template, such as `/v1/chat/completions`.
    package var route: String
    package var modelRequested: String?
    package var modelAnswered: String?
    package var provider: String?
    /// The HTTP status the client got.
    package var status: Int
    package var isStream: Bool
    /// Nil when the provider did not say. Of a saved answer these are its tokens, though nothing was billed.
    package var usage: TokenUsage?
    /// What the provider billed: nil when usage or price is unknown, 0 when `cacheResult` is a saved one.
    /// 10^-9 US dollars.
    package var costNanodollars: Int64?
    package var durationMicroseconds: Int64
    /// Until the provider's first byte; nil when none came.
    package var firstByteMicroseconds: Int64?
    /// What Weir itself added.
    package var overheadMicroseconds: Int64
    /// Spent waiting for a connection or a limit.
    package var waitMicroseconds: Int64
    package var bytesIn: Int
    package var bytesOut: Int
    /// The stable code of the failure, if there was one.
    package var errorCode: String?
    /// Times the request may have reached a provider: 2 when the transport sent it again by itself, and then what was
    /// billed is unknown.
    package var sends: Int
    /// `usage` was counted here, not reported by the provider.
    package var isUsageEstimated: Bool
    /// Nil: the response cache had no say in it.
    package var cacheResult: CacheResult?
    /// Why the cache was bypassed, or the answer not kept: a stable snake_case code.
    package var cacheDetail: String?
    /// What a saved answer would have cost had a provider been asked; nil when that is unknown. 10^-9 US dollars.
    package var savedNanodollars: Int64?
    /// What the provider's own prompt cache saved on a billed answer, against the price of uncached tokens.
    package var promptCachedNanodollars: Int64?

    package init(
        id: String, time: UnixTime, tenant: String, keyID: String? = nil, route: String,
        modelRequested: String? = nil, modelAnswered: String? = nil, provider: String? = nil, status: Int,
        isStream: Bool = false, usage: TokenUsage? = nil, costNanodollars: Int64? = nil,
        durationMicroseconds: Int64 = 0, firstByteMicroseconds: Int64? = nil, overheadMicroseconds: Int64 = 0,
        waitMicroseconds: Int64 = 0, bytesIn: Int = 0, bytesOut: Int = 0, errorCode: String? = nil, sends: Int = 1,
        isUsageEstimated: Bool = false, cacheResult: CacheResult? = nil, cacheDetail: String? = nil,
        savedNanodollars: Int64? = nil, promptCachedNanodollars: Int64? = nil
    ) {
        self.id = id
        self.time = time
        self.tenant = tenant
        self.keyID = keyID
        self.route = route
        self.modelRequested = modelRequested
        self.modelAnswered = modelAnswered
        self.provider = provider
        self.status = status
        self.isStream = isStream
        self.usage = usage
        self.costNanodollars = costNanodollars
        self.durationMicroseconds = durationMicroseconds
        self.firstByteMicroseconds = firstByteMicroseconds
        self.overheadMicroseconds = overheadMicroseconds
        self.waitMicroseconds = waitMicroseconds
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.errorCode = errorCode
        self.sends = sends
        self.isUsageEstimated = isUsageEstimated
        self.cacheResult = cacheResult
        self.cacheDetail = cacheDetail
        self.savedNanodollars = savedNanodollars
        self.promptCachedNanodollars = promptCachedNanodollars
    }
}

/// A row of the request log as it lies in the file.
package struct StoredRequest: Hashable, Sendable {
    /// The row's place in the log, rising with time; `RequestQuery.before` takes it to get the next page.
    package var rowID: Int64
    package var record: RequestRecord
}

/// Which rows of the request log to read, newest first. Nil means any.
package struct RequestQuery: Sendable {
    package var tenant: String?
    /// The model asked for or the one that answered.
    package var model: String?
    package var status: Int?
    package var cache: CacheResult?
    /// Requests that arrived at this time or later.
    package var since: UnixTime?
    /// Rows older than this one (`StoredRequest.rowID`).
    package var before: Int64?
    /// Rows to return, 100 by default, at most `Limits.requestLogPageMax`.
    package var limit: Int

    package init(
        tenant: String? = nil, model: String? = nil, status: Int? = nil, cache: CacheResult? = nil,
        since: UnixTime? = nil, before: Int64? = nil, limit: Int = 100
    ) {
        self.tenant = tenant
        self.model = model
        self.status = status
        self.cache = cache
        self.since = since
        self.before = before
        self.limit = min(max(1, limit), Limits.requestLogPageMax)
    }
}

/// Totals of one model.
package struct ModelSummary: Hashable, Sendable {
    /// The model that answered, else the one asked for; nil for requests that named none.
    package var model: String?
    package var requests: Int
    /// Requests whose cost is unknown and thus not part of `costNanodollars`.
    package var unpriced: Int
    /// Of all answers, the saved ones too.
    package var usage: TokenUsage
    package var costNanodollars: Int64
    /// Requests answered without asking a provider.
    package var saved: Int
    /// What those would have cost.
    package var savedNanodollars: Int64
}
