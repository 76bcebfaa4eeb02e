/// How much of a cache the window should have: recency and frequency need different shares, and requests change. Climbs
/// the hill by comparing its two slopes instead of trying steps (as Cliffhanger does: Cidon and others, NSDI 2016), so
/// that noise over time does not mislead it and a wrong step costs nothing: a miss on what the window let go a moment
/// ago would have been a hit in a larger window, and hits on probation are what a smaller main part would lose.
struct WindowClimber: Sendable {
    private static let smallest = 0.01
    private static let largest = 0.8
    private static let step = 0.0625
    /// How much larger a window is imagined: a sixteenth of the cache.
    private static let reach = 16

    private(set) var share = smallest
    private var windowGains = 0
    private var probationHits = 0
    private var requests = 0

    /// - Parameter refused: how many refusals ago the window let it go, if it is remembered.
    mutating func missed(refused: UInt32?, entries: Int) {
        requests += 1
        if let refused, refused <= entries / Self.reach { windowGains += 1 }
    }

    mutating func hit(onProbation: Bool) {
        requests += 1
        if onProbation { probationHits += 1 }
    }

    /// True when `share` has changed; every two requests an entry it may.
    /// - Parameter probation: that segment's part of the cache's bytes.
    mutating func climb(entries: Int, probation: Double) -> Bool {
        guard requests >= 2 * entries else { return false }
        let gain = Double(windowGains) / Double(entries / Self.reach + 1)
        // Half: probation as a whole is asked for more than its end, which would go.
        let loss = Double(probationHits) / (probation * Double(entries) + 1) / 2
        (windowGains, probationHits, requests) = (0, 0, 0)
        let before = share
        if gain > loss { share = min(share + Self.step, Self.largest) }
        if gain < loss { share = max(share - Self.step, Self.smallest) }
        return share != before
    }
}
