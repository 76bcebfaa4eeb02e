package import ResponseCache

/// What has become of the requests since the start, as the cache's metrics count it.
package struct CacheTraffic: Sendable {
    package var hits: [(layer: CacheLayer, count: Int)]
    package var misses: [(reason: String, count: Int)]
    package var bypasses: [(reason: String, count: Int)]
    /// Of the misses, those answered by another one's call of the provider.
    package var collapsed: Int
    /// Calls of providers under way whose answers may be kept.
    package var flights: Int

    /// Hits and misses: the requests that could be answered from the cache.
    package var cacheable: Int { hits.reduce(0) { $0 + $1.count } + misses.reduce(0) { $0 + $1.count } }

    /// The share of them that was; nil when there was none.
    package var hitRatio: Double? {
        cacheable == 0 ? nil : Double(hits.reduce(0) { $0 + $1.count }) / Double(cacheable)
    }

    /// The share of those that reached the layer which it answered (the metric `cache_hit_ratio`); nil for none.
    package func hitRatio(of layer: CacheLayer) -> Double? {
        let below = hits.drop { $0.layer != layer }
        let reached = below.reduce(0) { $0 + $1.count } + misses.reduce(0) { $0 + $1.count }
        return reached == 0 ? nil : Double(below.first?.count ?? 0) / Double(reached)
    }
}

extension Gateway {
    /// Each number taken at a slightly different moment.
    package var cacheTraffic: CacheTraffic { cacheMetrics.traffic(flights: flights.count) }
}
