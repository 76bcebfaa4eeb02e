/// What is told of many measurements of one thing.
package struct Percentiles: Sendable, Equatable {
    package var count: Int
    package var mean: Double
    package var p50: Double
    package var p99: Double
    package var max: Double

    /// By the nearest rank: the smallest value that at least that share of all values does not exceed.
    /// O(n log n). Nil of nothing.
    package init?(_ values: [Double]) {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        count = sorted.count
        mean = sorted.reduce(0, +) / Double(sorted.count)
        p50 = Self.nearestRank(sorted, 0.5)
        p99 = Self.nearestRank(sorted, 0.99)
        max = sorted[sorted.count - 1]
    }

    /// For what must have been measured.
    static func required(_ values: [Double]) throws(BenchmarkFailure) -> Percentiles {
        guard let found = Percentiles(values) else { throw .wrongAnswers("nothing was measured") }
        return found
    }

    private static func nearestRank(_ sorted: [Double], _ share: Double) -> Double {
        let rank = Int((share * Double(sorted.count)).rounded(.up))
        return sorted[Swift.max(1, rank) - 1]
    }
}

/// The middle value; between two, their mean. Of nothing, 0.
func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
