import Base
import SQLite

/// How many entries an invalidation took from each layer; one answer may have lain in several.
package struct RemovedEntries: Hashable, Sendable {
    package var memory = 0
    package var disk = 0
    package var database = 0
}

extension ResponseCache {
    /// Removes what the selector takes from all layers. From this call on nothing of it is served from memory, and no
    /// fill that began before it is kept; when `completion` is called, the removal has been synced to the files too.
    /// - Parameter completion: on a thread of the cache's.
    package func remove(
        _ selector: CacheSelector, completion: @escaping @Sendable (Result<RemovedEntries, any Error>) -> Void
    ) {
        invalidations.withLock { $0.add(selector) }
        let tally = Tally(completion)
        switch selector.what {
        case .key(let key) where selector.tenant == nil: tally.add(.l1, .success(memory.remove(key) ? 1 : 0))
        default: tally.add(.l1, .success(memory.remove { selector.matches($0, $1.facts) }))
        }
        let (disk, archive) = below.withLock { ($0.disk, $0.archive) }
        if let disk {
            disk.remove(selector) { tally.add(.l2, $0.mapError { $0 as any Error }) }
        } else {
            tally.add(.l2, .success(0))
        }
        if let archive {
            archive.remove(selector) { tally.add(.l3, $0) }
        } else {
            tally.add(.l3, .success(0))
        }
    }

    /// The same, waiting for it. Blocks.
    /// - Returns: nil when it takes longer than `limit`; it goes on then.
    package func remove(_ selector: CacheSelector, waiting limit: Duration) throws -> RemovedEntries? {
        let done = Handover<RemovedEntries>()
        remove(selector) { done.put($0) }
        return try done.take(within: limit)
    }

    /// Gathers the layers' counts and calls back once.
    private final class Tally: Sendable {
        private struct State {
            var entries = RemovedEntries()
            var waiting = CacheLayer.allCases.count
            var failure: (any Error)?
        }

        private let state = Locked(State())
        private let completion: @Sendable (Result<RemovedEntries, any Error>) -> Void

        init(_ completion: @escaping @Sendable (Result<RemovedEntries, any Error>) -> Void) {
            self.completion = completion
        }

        func add(_ layer: CacheLayer, _ result: Result<Int, any Error>) {
            let outcome: Result<RemovedEntries, any Error>? = state.withLock { state in
                switch (result, layer) {
                case (.success(let count), .l1): state.entries.memory = count
                case (.success(let count), .l2): state.entries.disk = count
                case (.success(let count), .l3): state.entries.database = count
                case (.failure(let failure), _): state.failure = failure
                }
                state.waiting -= 1
                guard state.waiting == 0 else { return nil }
                return state.failure.map { .failure($0) } ?? .success(state.entries)
            }
            if let outcome { completion(outcome) }
        }
    }
}
