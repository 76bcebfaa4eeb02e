import Base
internal import CCurl
import Telemetry

/// One provider's share of the upstream thread: its waiting line, its idle curl handles and its numbers.
final class ProviderPool {
    let endpoint: Endpoint
    var line: WaitingLine<Transfer>
    let numbers: PoolNumbers
    private var idleSeats: [TransferSeat] = []

    init(_ endpoint: Endpoint, numbers: PoolNumbers) {
        self.endpoint = endpoint
        self.numbers = numbers
        line = WaitingLine(activeMax: endpoint.connectionsMax, waitingMax: endpoint.waitingMax)
    }

    deinit { for seat in idleSeats { curl_easy_cleanup(seat.easy) } }

    var isUnused: Bool { line.active == 0 && line.waiting == 0 }

    /// A configured handle; nil when libcurl has no memory for one.
    func takeSeat(_ owner: CurlLoop) -> TransferSeat? {
        if let seat = idleSeats.popLast() { return seat }
        guard let easy = curl_easy_init() else { return nil }
        let seat = TransferSeat(easy)
        configureEasyHandle(easy, seat: seat, for: endpoint, owner: owner)
        return seat
    }

    /// The handle must be clean: no request of the last transfer may be left in it.
    func giveBack(_ seat: TransferSeat) {
        seat.active = nil
        cleanEasyHandle(seat.easy)
        if idleSeats.count < endpoint.connectionsMax {
            idleSeats.append(seat)
        } else {
            curl_easy_cleanup(seat.easy)
        }
    }

    func publish() {
        numbers.active.set(line.active)
        numbers.waiting.set(line.waiting)
        numbers.connectionsMax.set(endpoint.connectionsMax)
    }
}

/// A provider's connection metrics. They outlive a reload of the settings.
struct PoolNumbers {
    let active: Gauge
    let waiting: Gauge
    let connectionsMax: Gauge
    let opened: Counter
    let reused: Counter
    let resends: Counter
    let refusals: Counter
    let wait: Histogram

    init(provider: String, in registry: MetricRegistry) {
        let labels = [(name: "provider", value: provider)]
        let active = registry.gauge(
            "weir_upstream_transfers", "Transfers to the provider that are under way.", labels)
        let connectionsMax = registry.gauge(
            "weir_upstream_connections_max", "Connections to the provider at most.", labels)
        self.active = active
        self.connectionsMax = connectionsMax
        waiting = registry.gauge("weir_upstream_waiting", "Requests that wait for a connection.", labels)
        opened = registry.counter(
            "weir_upstream_connections_opened_total", "Connections opened to the provider.", labels)
        reused = registry.counter(
            "weir_upstream_connections_reused_total", "Requests that went out over a kept connection.", labels)
        resends = registry.counter(
            "weir_upstream_resends_total", "Requests sent again because a kept connection was dead.", labels)
        refusals = registry.counter(
            "weir_upstream_refusals_total", "Requests refused: line full, or waited too long.", labels)
        wait = registry.histogram(
            "weir_upstream_wait_seconds", "Time in the waiting line.", bounds: Histogram.overheadBuckets + [1, 10],
            labels)
        registry.reading("connection_pool_usage", "Share of the provider's connections in use, 0 to 1.", labels) {
            Double(active.value) / Double(max(1, connectionsMax.value))
        }
    }
}
