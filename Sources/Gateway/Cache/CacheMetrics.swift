import Base
import ResponseCache
import Synchronization
import Telemetry

/// The cache's numbers as the gateway sees them. Exact; relaxed atomics.
final class CacheMetrics: Sendable {
    enum Miss: String, CaseIterable {
        /// Nothing is kept.
        case absent
        /// What is kept is too old.
        case expired
        /// The client wanted a new one.
        case refused
    }

    private let hits: [Counter]
    private let misses: [Counter]
    private let bypasses: [BypassReason: Counter]
    private let registry: MetricRegistry
    let collapsed: Counter

    init(_ registry: MetricRegistry, _ cache: ResponseCache?) {
        self.registry = registry
        hits = CacheLayer.allCases.map {
            registry.counter("weir_cache_hits_total", "Answers from the cache, by layer.", [("layer", $0.rawValue)])
        }
        misses = Miss.allCases.map {
            registry.counter(
                "weir_cache_misses_total", "Cacheable requests without a usable answer.", [("reason", $0.rawValue)])
        }
        bypasses = Dictionary(
            uniqueKeysWithValues: BypassReason.allCases.map {
                (
                    $0,
                    registry.counter(
                        "weir_cache_bypasses_total", "Requests that may not be cached.", [("reason", $0.rawValue)])
                )
            })
        collapsed = registry.counter(
            "weir_cache_collapsed_total", "Requests answered by another one's call of the provider.")
        addReadings(cache)
    }

    private func addReadings(_ cache: ResponseCache?) {
        let (hits, misses) = (hits, misses)
        for (index, layer) in CacheLayer.allCases.enumerated() {
            registry.reading(
                "cache_hit_ratio", "Share of the requests that reached the layer which it answered, 0 to 1.",
                [("layer", layer.rawValue)]
            ) {
                let all = hits.map(\.value), missed = misses.reduce(0) { $0 + $1.value }
                let reached = all[index...].reduce(0, +) + missed
                return reached == 0 ? 0 : Double(all[index]) / Double(reached)
            }
        }
        guard let cache else { return }
        registry.reading("weir_cache_entries", "Entries kept.", [("layer", "l1")]) {
            Double(cache.report().memory.entries)
        }
        registry.reading("weir_cache_entries", "Entries kept.", [("layer", "l2")]) {
            Double(cache.report().disk?.entries ?? 0)
        }
        registry.reading("weir_cache_entries", "Entries kept.", [("layer", "l3")]) {
            Double(cache.report().database?.entries ?? 0)
        }
        registry.reading("weir_cache_bytes", "Bytes used of the budget.", [("layer", "l1")]) {
            Double(cache.report().memory.bytes)
        }
        registry.reading("weir_cache_bytes", "Bytes used of the budget.", [("layer", "l2")]) {
            Double(cache.report().disk?.bytes.bytes ?? 0)
        }
        registry.reading("weir_cache_bytes", "Bytes used of the budget.", [("layer", "l3")]) {
            Double(cache.report().database?.bytes ?? 0)
        }
    }

    func traffic(flights: Int) -> CacheTraffic {
        CacheTraffic(
            hits: zip(CacheLayer.allCases, hits).map { ($0, $1.value) },
            misses: zip(Miss.allCases, misses).map { ($0.rawValue, $1.value) },
            bypasses: BypassReason.allCases.map { ($0.rawValue, bypasses[$0]?.value ?? 0) },
            collapsed: collapsed.value, flights: flights)
    }

    func hit(_ layer: CacheLayer) {
        hits[CacheLayer.allCases.firstIndex(of: layer) ?? 0].add()
    }

    func missed(_ reason: Miss) { misses[Miss.allCases.firstIndex(of: reason) ?? 0].add() }

    func bypassed(_ reason: BypassReason) { bypasses[reason]?.add() }

    /// Seldom, so that the series are made when they first count.
    func discarded(_ reason: String) {
        registry.counter("weir_cache_discards_total", "Answers that were not kept.", [("reason", reason)]).add()
    }
}
