import Base
import Telemetry
import Testing

struct InstrumentTests {
    @Test("A bound belongs to its own bucket")
    func edges() {
        let histogram = Histogram(bounds: [0.001, 0.01])
        for nanoseconds in [0, 999_999, 1_000_000, 1_000_001, 10_000_000, 10_000_001, 1 << 60] as [UInt64] {
            histogram.record(nanoseconds: nanoseconds)
        }
        #expect(histogram.snapshot().counts == [3, 2, 2])
    }

    @Test("A quantile is the bound under which that share lies")
    func quantiles() {
        let histogram = Histogram(bounds: [1, 2, 4])
        #expect(histogram.quantile(0.5) == nil, "no values yet")
        for seconds in [0.5, 0.6, 1.5, 3] { histogram.record(nanoseconds: UInt64(seconds * 1e9)) }
        #expect(histogram.quantile(0) == 1)
        #expect(histogram.quantile(0.5) == 1)
        #expect(histogram.quantile(0.51) == 2)
        #expect(histogram.quantile(0.75) == 2)
        #expect(histogram.quantile(1) == 4)
        histogram.record(nanoseconds: 5_000_000_000)
        #expect(histogram.quantile(1) == .infinity)
    }

    @Test("Four threads count without losing anything")
    func concurrency() {
        let (counter, gauge, histogram) = (Counter(), Gauge(), Histogram(bounds: [0.5]))
        let threads = (0..<4).map { _ in
            OSThread.start("test-counter") {
                for number in 0..<5_000 {
                    counter.add()
                    gauge.add(number % 2 == 0 ? 1 : -1)
                    histogram.record(nanoseconds: UInt64(number % 2) * 1_000_000_000)
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(counter.value == 20_000 && gauge.value == 0)
        let snapshot = histogram.snapshot()
        #expect(snapshot.counts == [10_000, 10_000] && snapshot.sumSeconds == 10_000)
    }

    @Test("The standard buckets ascend and span what they are for")
    func standardBuckets() {
        for bounds in [Histogram.secondsBuckets, Histogram.overheadBuckets] {
            #expect(bounds == bounds.sorted() && Set(bounds).count == bounds.count)
        }
        #expect(Histogram.secondsBuckets.first == 0.005 && Histogram.secondsBuckets.last == 120)
        #expect(Histogram.overheadBuckets.first == 0.00001 && Histogram.overheadBuckets.last == 0.1)
    }

    @Test("The kernel's readings of this process are there")
    func processReadings() {
        let registry = MetricRegistry()
        ProcessReadings.register(in: registry, startedAt: UnixTime(microseconds: 1_700_000_000_999_999))
        #expect(ProcessReadings.residentBytes() > 1 << 20)
        #expect(ProcessReadings.openDescriptors() >= 3)
        let text = registry.prometheusText()
        #expect(text.contains("process_start_time_seconds 1700000000\n"))
        for name in ["process_resident_memory_bytes", "process_open_fds"] {
            #expect(text.contains("# TYPE \(name) gauge\n\(name) "))
        }
    }
}
