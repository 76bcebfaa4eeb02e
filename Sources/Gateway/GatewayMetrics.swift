import Base
import Ledger
import Telemetry

/// The gateway's numbers. Labels are routes, statuses and provider names: no model a client may invent, no key, no
/// text.
final class GatewayMetrics: Sendable {
    private struct Key: Hashable {
        var route: String
        var status: Int
        var provider: String
    }

    private struct ProviderSeries {
        var requests: Counter
        var responseTime: Histogram
    }

    private let registry: MetricRegistry
    private let series = Locked<[Key: ProviderSeries]>([:])
    private let overhead: Histogram
    private let firstToken: Histogram
    private let input: Counter
    private let output: Counter
    private let cachedInput: Counter
    private let cost: Counter
    private struct Saved {
        let tokens: Counter
        let nanodollars: Counter
    }
    private let cached: Saved
    private let coalesced: Saved
    let active: Gauge
    let clientsGone: Counter

    init(_ registry: MetricRegistry) {
        self.registry = registry
        overhead = registry.histogram(
            "weir_overhead_seconds", "Time a request spends in Weir itself: its total less the provider's.",
            bounds: Histogram.overheadBuckets)
        firstToken = registry.histogram(
            "weir_time_to_first_token_seconds", "From the request to the first event of a stream.",
            bounds: Histogram.secondsBuckets)
        func tokens(_ kind: String) -> Counter {
            registry.counter("weir_tokens_total", "Tokens billed by providers.", [("kind", kind)])
        }
        func saved(_ kind: String) -> Saved {
            let nanodollars = Counter()
            registry.reading(
                "weir_saved_dollars_total", "Cost of answers that were not asked of a provider, in US dollars.",
                [("kind", kind)]
            ) { Double(nanodollars.value) / 1e9 }
            return Saved(
                tokens: registry.counter(
                    "weir_saved_tokens_total", "Tokens of answers that were not asked of a provider.",
                    [("kind", kind)]),
                nanodollars: nanodollars)
        }
        (cached, coalesced) = (saved("cached"), saved("coalesced"))
        (input, output, cachedInput) = (tokens("input"), tokens("output"), tokens("cached_input"))
        let nanodollars = Counter()
        cost = nanodollars
        registry.reading("weir_cost_dollars_total", "Cost of all answers with a known price, in US dollars.") {
            Double(nanodollars.value) / 1e9
        }
        active = registry.gauge("weir_requests_active", "AI requests under way.")
        clientsGone = registry.counter(
            "weir_clients_gone_total", "Clients that went away before their answer was complete.")
    }

    /// One finished request. A lock and a dictionary look-up; counters after that.
    func record(_ record: RequestRecord) {
        let key = Key(route: record.route, status: record.status, provider: record.provider ?? "none")
        let found = series.withLock { series in
            if let found = series[key] { return found }
            let made = make(key)
            series[key] = made
            return made
        }
        found.requests.add()
        found.responseTime.record(nanoseconds: UInt64(max(0, record.durationMicroseconds)) * 1_000)
        overhead.record(nanoseconds: UInt64(max(0, record.overheadMicroseconds)) * 1_000)
        if record.isStream, let first = record.firstByteMicroseconds {
            firstToken.record(nanoseconds: UInt64(max(0, first)) * 1_000)
        }
        if let result = record.cacheResult, result.isSaved {
            let saved = result == .collapsed ? coalesced : cached
            saved.tokens.add((record.usage?.input ?? 0) + (record.usage?.output ?? 0))
            saved.nanodollars.add(Int(record.savedNanodollars ?? 0))
        } else if let usage = record.usage {
            input.add(usage.input)
            output.add(usage.output)
            cachedInput.add(usage.cachedInput)
        }
        if let nanodollars = record.costNanodollars { cost.add(Int(nanodollars)) }
    }

    private func make(_ key: Key) -> ProviderSeries {
        ProviderSeries(
            requests: registry.counter(
                "weir_requests_total", "AI requests by route, status and provider.",
                [("route", key.route), ("status", "\(key.status)"), ("provider", key.provider)]),
            responseTime: registry.histogram(
                "ai_response_time", "Time to the end of an answer in seconds.", bounds: Histogram.secondsBuckets,
                [("route", key.route), ("provider", key.provider)]))
    }
}
