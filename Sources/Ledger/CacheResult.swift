/// What the response cache did for a request. The raw value is the stable word of the log, the metrics and the API.
package enum CacheResult: String, Sendable, CaseIterable {
    /// Answered from memory, fresh.
    case l1
    /// Answered from the LMDB layer, fresh.
    case l2
    /// Answered from the SQLite layer, fresh.
    case l3
    /// Answered from any layer, past its life.
    case stale
    /// A follower of another request's flight.
    case collapsed
    /// Looked for and not there: a provider was asked.
    case miss
    /// Not looked for; `RequestRecord.cacheDetail` says why.
    case bypass
    /// Weir's own request that renews a kept answer.
    case refresh

    /// No provider was asked for this request.
    package var isSaved: Bool {
        switch self {
        case .l1, .l2, .l3, .stale, .collapsed: true
        case .miss, .bypass, .refresh: false
        }
    }
}
