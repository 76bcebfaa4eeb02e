import NIOCore
import Synchronization

/// How many calls were made, so that tests and benchmarks know how many were saved.
package struct CallCounts: Sendable, Equatable {
    /// Provider calls; `/simulator/…` is not counted.
    package var total = 0
    /// By path with `/v1`, identifiers as `{id}`.
    package var byRoute: [String: Int] = [:]
    /// Answers that are being sent over time right now.
    package var active = 0
    /// Answers that the client did not wait for.
    package var cancelled = 0
    package var connectionsOpened = 0
    package var connectionsOpen = 0
}

/// The counts, and the last request as it came.
final class CallCounters: Sendable {
    /// Of a longer body only the front is shown.
    static let keptBodyBytesMax = 1 << 20

    private struct State: Sendable {
        var counts = CallCounts()
        var routes: [RoutePath: Int] = [:]
        var last: SimulatedRequest?
    }

    private let state = Mutex(State())

    /// Counts a call, keeps it as the last one, and returns its number.
    func begin(_ request: SimulatedRequest) -> Int {
        state.withLock { state in
            state.counts.total += 1
            state.routes[request.path, default: 0] += 1
            state.last = request
            return state.counts.total
        }
    }

    func streamBegan() { state.withLock { $0.counts.active += 1 } }

    func streamEnded(cancelled: Bool) {
        state.withLock {
            $0.counts.active -= 1
            if cancelled { $0.counts.cancelled += 1 }
        }
    }

    func connectionOpened() {
        state.withLock {
            $0.counts.connectionsOpened += 1
            $0.counts.connectionsOpen += 1
        }
    }

    func connectionClosed() { state.withLock { $0.counts.connectionsOpen -= 1 } }

    var last: SimulatedRequest? { state.withLock { $0.last } }

    var counts: CallCounts {
        state.withLock { state in
            var counts = state.counts
            for (path, count) in state.routes { counts.byRoute[path.rawValue] = count }
            return counts
        }
    }

    /// Counts from zero again; what is open or under way stays.
    func reset() {
        state.withLock { state in
            var counts = CallCounts()
            counts.active = state.counts.active
            counts.connectionsOpen = state.counts.connectionsOpen
            state = State(counts: counts)
        }
    }
}
