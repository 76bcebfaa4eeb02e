import Synchronization

/// A number that only grows. One relaxed atomic add; safe from any thread.
package final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    package init() {}

    /// Counts `amount` more.
    package func add(_ amount: Int = 1) { count.add(amount, ordering: .relaxed) }
    package var value: Int { count.load(ordering: .relaxed) }
}

/// A number that goes up and down.
package final class Gauge: Sendable {
    private let level = Atomic<Int>(0)

    package init() {}

    /// Moves the level up, or with a negative amount down.
    package func add(_ amount: Int) { level.add(amount, ordering: .relaxed) }
    /// Replaces the level.
    package func set(_ value: Int) { level.store(value, ordering: .relaxed) }
    package var value: Int { level.load(ordering: .relaxed) }
}

/// Counts durations into fixed buckets. `record` is one search over a few bounds and two relaxed atomic adds.
package final class Histogram: @unchecked Sendable {  // `counts` is never reassigned; its elements are atomics
    /// Upper bounds in seconds, ascending; above the last one everything is "+Inf".
    package let bounds: [Double]
    private let boundNanoseconds: [UInt64]
    private let counts: UnsafeMutablePointer<Atomic<UInt64>>
    private let sumNanoseconds = Atomic<UInt64>(0)

    /// Provider answers: 5 ms to 2 minutes.
    package static let secondsBuckets: [Double] = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
    ]
    /// What Weir itself adds: 10 microseconds to 100 ms.
    package static let overheadBuckets: [Double] = [
        0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1,
    ]

    package init(bounds: [Double]) {
        precondition(!bounds.isEmpty && zip(bounds, bounds.dropFirst()).allSatisfy(<), "bounds must ascend")
        self.bounds = bounds
        boundNanoseconds = bounds.map { UInt64($0 * 1e9) }
        counts = .allocate(capacity: bounds.count + 1)
        for index in 0...bounds.count { (counts + index).initialize(to: Atomic(0)) }
    }

    deinit {
        counts.deinitialize(count: bounds.count + 1)
        counts.deallocate()
    }

    /// Counts one duration.
    package func record(nanoseconds: UInt64) {
        var index = 0
        while index < boundNanoseconds.count && nanoseconds > boundNanoseconds[index] { index += 1 }
        counts[index].add(1, ordering: .relaxed)
        sumNanoseconds.add(nanoseconds, ordering: .relaxed)
    }

    /// Counts by bucket (not cumulative), the last one for "+Inf", and the sum in seconds.
    package func snapshot() -> (counts: [UInt64], sumSeconds: Double) {
        (
            (0...bounds.count).map { counts[$0].load(ordering: .relaxed) },
            Double(sumNanoseconds.load(ordering: .relaxed)) / 1e9
        )
    }

    /// The bound under which the given share of all values lies; nil without values. For people, not for alerts.
    package func quantile(_ share: Double) -> Double? {
        let (counts, _) = snapshot()
        let total = counts.reduce(0, +)
        guard total > 0 else { return nil }
        var seen: UInt64 = 0
        for (index, count) in counts.enumerated() {
            seen += count
            if Double(seen) >= share * Double(total) { return index < bounds.count ? bounds[index] : .infinity }
        }
        return .infinity
    }
}
