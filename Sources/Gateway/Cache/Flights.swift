import Base
import NIOCore
import ResponseCache

/// The flights under way, by what they fetch: a thousand identical requests at once make one call.
final class Flights: Sendable {
    private let table = Locked<[CacheKey: Flight]>([:])

    /// The flight that fetches this answer already, or a new one that the exchange leads.
    /// - Parameter isShared: false for a flight of its own, which nobody joins.
    func flight(
        for part: CachePart, isStream: Bool, exchange: Exchange, isShared: Bool
    ) -> (Flight, isNew: Bool) {
        func make() -> Flight { Flight(part, isStream: isStream, leader: exchange) }
        guard isShared else { return (make(), true) }
        return table.withLock { table in
            if let known = table[part.identity.key] {
                // Equal digests of different requests: each for itself.
                return known.identity == part.identity ? (known, false) : (make(), true)
            }
            let flight = make()
            table[part.identity.key] = flight
            return (flight, true)
        }
    }

    /// Nobody joins it from here on.
    func remove(_ flight: Flight) {
        table.withLock { table in
            if table[flight.identity.key] === flight { table[flight.identity.key] = nil }
        }
    }

    var count: Int { table.withLock { $0.count } }
}
