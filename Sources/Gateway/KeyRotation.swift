import Base

/// The keys of one provider, used in turn. A key that the provider calls exhausted or invalid rests for a while; the
/// model and the other keys go on. With a single key nothing ever rests: the provider's own answer is the truth.
struct KeyRotation: Sendable {
    private(set) var restingUntil: [MonotonicInstant]
    private var next = 0

    init(count: Int) { restingUntil = Array(repeating: MonotonicInstant(nanoseconds: 0), count: count) }

    /// The next key that is not resting, or the one that rests shortest; nil when the provider has no keys.
    mutating func pick(now: MonotonicInstant) -> Int? {
        guard !restingUntil.isEmpty else { return nil }
        for step in restingUntil.indices {
            let index = (next + step) % restingUntil.count
            if restingUntil[index] <= now {
                next = (index + 1) % restingUntil.count
                return index
            }
        }
        return restingUntil.indices.min { restingUntil[$0] < restingUntil[$1] }
    }

    mutating func rest(_ index: Int, until: MonotonicInstant) {
        precondition(restingUntil.indices.contains(index))
        guard restingUntil.count > 1 else { return }
        restingUntil[index] = max(restingUntil[index], until)
    }

    func restingCount(now: MonotonicInstant) -> Int { restingUntil.count { $0 > now } }
}
