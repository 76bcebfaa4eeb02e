import Synchronization

/// Labels of one time series, in the order they are printed.
package typealias MetricLabels = [(name: String, value: String)]

/// Every metric of the process by name, and its text in the Prometheus exposition format 0.0.4.
/// Asking for an instrument takes a lock: do it once and keep what comes back.
package final class MetricRegistry: Sendable {
    /// Series a family: a label that could grow without bound would take the process with it.
    package static let seriesMax = 2_000

    private enum Source {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)
        case reading(@Sendable () -> Double)
    }

    private struct Family {
        var help: String
        var type: String
        var series: [(labels: String, source: Source)]
        var index: [String: Int]
    }

    private let families = Mutex<[String: Family]>([:])

    package init() {}

    /// The counter with these labels, made when it is new. Beyond `seriesMax` series the last one is shared.
    package func counter(_ name: String, _ help: String, _ labels: MetricLabels = []) -> Counter {
        precondition(name.hasSuffix("_total"), "a counter's name ends in _total")
        let source = find(name, help, "counter", labels) { .counter(Counter()) }
        guard case .counter(let counter) = source else { preconditionFailure("\(name) is not a counter") }
        return counter
    }

    /// The gauge with these labels, made when it is new.
    package func gauge(_ name: String, _ help: String, _ labels: MetricLabels = []) -> Gauge {
        let source = find(name, help, "gauge", labels) { .gauge(Gauge()) }
        guard case .gauge(let gauge) = source else { preconditionFailure("\(name) is not a gauge") }
        return gauge
    }

    /// The histogram with these labels, made when it is new. Bounds are in seconds.
    package func histogram(
        _ name: String, _ help: String, bounds: [Double], _ labels: MetricLabels = []
    ) -> Histogram {
        let source = find(name, help, "histogram", labels) { .histogram(Histogram(bounds: bounds)) }
        guard case .histogram(let histogram) = source else { preconditionFailure("\(name) is not a histogram") }
        return histogram
    }

    /// A gauge whose value is asked for at each scrape.
    package func reading(
        _ name: String, _ help: String, _ labels: MetricLabels = [], _ read: @escaping @Sendable () -> Double
    ) {
        _ = find(name, help, name.hasSuffix("_total") ? "counter" : "gauge", labels) { .reading(read) }
    }

    private func find(
        _ name: String, _ help: String, _ type: String, _ labels: MetricLabels, _ make: () -> Source
    ) -> Source {
        let key = labels.map { "\($0.name)=\"\(escape($0.value))\"" }.joined(separator: ",")
        return families.withLock { families in
            var family = families[name] ?? Family(help: help, type: type, series: [], index: [:])
            precondition(family.type == type, "\(name) is already a \(family.type)")
            if let index = family.index[key] { return family.series[index].source }
            if family.series.count >= Self.seriesMax { return family.series[Self.seriesMax - 1].source }
            let source = make()
            family.index[key] = family.series.count
            family.series.append((key, source))
            families[name] = family
            return source
        }
    }

    /// All metrics as text, sorted by name. O(series).
    package func prometheusText() -> String {
        let sorted = families.withLock { $0.sorted { $0.key < $1.key } }
        var text = ""
        for (name, family) in sorted {
            text += "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.type)\n"
            for (labels, source) in family.series { append(name, labels, source, to: &text) }
        }
        return text
    }

    private func append(_ name: String, _ labels: String, _ source: Source, to text: inout String) {
        let suffix = labels.isEmpty ? "" : "{\(labels)}"
        switch source {
        case .counter(let counter): text += "\(name)\(suffix) \(counter.value)\n"
        case .gauge(let gauge): text += "\(name)\(suffix) \(gauge.value)\n"
        case .reading(let read): text += "\(name)\(suffix) \(number(read()))\n"
        case .histogram(let histogram):
            let (counts, sum) = histogram.snapshot()
            let prefix = labels.isEmpty ? "" : labels + ","
            var cumulative: UInt64 = 0
            for (index, count) in counts.enumerated() {
                cumulative += count
                let bound = index < histogram.bounds.count ? "\(histogram.bounds[index])" : "+Inf"
                text += "\(name)_bucket{\(prefix)le=\"\(bound)\"} \(cumulative)\n"
            }
            text += "\(name)_sum\(suffix) \(sum)\n\(name)_count\(suffix) \(cumulative)\n"
        }
    }

    private func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }

    private func escape(_ value: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in value.unicodeScalars {
            switch scalar {  // by scalar: CR LF is one Character, and no line feed
            case "\\": escaped.append(contentsOf: "\\\\".unicodeScalars)
            case "\"": escaped.append(contentsOf: "\\\"".unicodeScalars)
            case "\n": escaped.append(contentsOf: "\\n".unicodeScalars)
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}
