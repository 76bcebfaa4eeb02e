import Telemetry
import Testing

struct PrometheusTextTests {
    @Test("Each kind of metric has its exact text; families are sorted by name, series in the order they came")
    func everyKind() {
        let registry = MetricRegistry()
        registry.gauge("z_level", "How high.", [("tank", "b")]).set(-3)
        registry.gauge("z_level", "How high.", [("tank", "a")]).add(4)
        let counter = registry.counter("a_total", "Things.")
        counter.add()
        counter.add(41)
        registry.reading("m_share", "A share.", [("provider", "p")]) { 0.25 }
        registry.reading("m_whole", "A whole number.") { 3 }
        registry.reading("m_events_total", "A counter kept elsewhere.") { 1e12 }
        #expect(
            registry.prometheusText() == """
                # HELP a_total Things.
                # TYPE a_total counter
                a_total 42
                # HELP m_events_total A counter kept elsewhere.
                # TYPE m_events_total counter
                m_events_total 1000000000000
                # HELP m_share A share.
                # TYPE m_share gauge
                m_share{provider="p"} 0.25
                # HELP m_whole A whole number.
                # TYPE m_whole gauge
                m_whole 3
                # HELP z_level How high.
                # TYPE z_level gauge
                z_level{tank="b"} -3
                z_level{tank="a"} 4

                """)
    }

    @Test("A histogram's buckets are cumulative and end in +Inf, which is the count")
    func histogram() {
        let registry = MetricRegistry()
        let plain = registry.histogram("h_seconds", "Time.", bounds: [0.5, 1, 2.5])
        for milliseconds in [100, 500, 501, 1_000, 2_000, 9_000] as [UInt64] {
            plain.record(nanoseconds: milliseconds * 1_000_000)
        }
        registry.histogram("h_seconds", "Time.", bounds: [0.5, 1, 2.5], [("route", "/v1")]).record(nanoseconds: 0)
        #expect(
            registry.prometheusText() == """
                # HELP h_seconds Time.
                # TYPE h_seconds histogram
                h_seconds_bucket{le="0.5"} 2
                h_seconds_bucket{le="1.0"} 4
                h_seconds_bucket{le="2.5"} 5
                h_seconds_bucket{le="+Inf"} 6
                h_seconds_sum 13.101
                h_seconds_count 6
                h_seconds_bucket{route="/v1",le="0.5"} 1
                h_seconds_bucket{route="/v1",le="1.0"} 1
                h_seconds_bucket{route="/v1",le="2.5"} 1
                h_seconds_bucket{route="/v1",le="+Inf"} 1
                h_seconds_sum{route="/v1"} 0.0
                h_seconds_count{route="/v1"} 1

                """)
    }

    @Test(
        "Whatever a label holds, it stays inside its quotes and on its line",
        arguments: [
            ("a\\b", #"a\\b"#), ("a\"b", #"a\"b"#), ("a\nb", #"a\nb"#), ("a\r\nb", "a\r\\nb"),
            ("\"} 1\nfake 2", #"\"} 1\nfake 2"#),
            ("é{}=,", "é{}=,"), ("\\\n\"", #"\\\n\""#),
        ])
    func escaping(_ value: String, _ escaped: String) {
        let registry = MetricRegistry()
        registry.counter("c_total", "C.", [("l", value), ("m", "x")]).add()
        let lines = registry.prometheusText().unicodeScalars.split(separator: "\n").map { String($0) }
        #expect(lines.count == 3)
        #expect(lines.last == #"c_total{l="\#(escaped)",m="x"} 1"#)
    }

    @Test("The same name and labels are the same instrument")
    func identity() {
        let registry = MetricRegistry()
        let first = registry.counter("c_total", "C.", [("a", "1"), ("b", "2")])
        #expect(registry.counter("c_total", "C.", [("a", "1"), ("b", "2")]) === first)
        #expect(registry.counter("c_total", "C.", [("a", "1"), ("b", "3")]) !== first)
        #expect(registry.counter("d_total", "D.", [("a", "1"), ("b", "2")]) !== first)
        #expect(registry.gauge("g", "G.") === registry.gauge("g", "G."))
        #expect(registry.histogram("h", "H.", bounds: [1]) === registry.histogram("h", "H.", bounds: [1]))
    }

    @Test("A label that grows without bound stops at seriesMax series, and nothing that is counted is lost")
    func bound() {
        let registry = MetricRegistry()
        let extra = 500
        for number in 0..<(MetricRegistry.seriesMax + extra) {
            registry.counter("c_total", "C.", [("model", "m\(number)")]).add()
        }
        let lines = registry.prometheusText().split(separator: "\n").filter { $0.hasPrefix("c_total{") }
        #expect(lines.count == MetricRegistry.seriesMax)
        #expect(
            lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +)
                == MetricRegistry.seriesMax + extra)
        #expect(lines.last?.hasSuffix(" \(extra + 1)") == true)
    }
}
