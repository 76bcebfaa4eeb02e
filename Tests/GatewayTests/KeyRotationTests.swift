import Base
import Ledger
import Testing

@testable import Gateway

@Suite("key rotation")
struct KeyRotationTests {
    private let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    private func after(_ seconds: Int) -> MonotonicInstant { start.advanced(by: .seconds(seconds)) }

    private func expectPicks(
        _ expected: [Int], _ rotation: inout KeyRotation, _ now: MonotonicInstant,
        _ location: SourceLocation = #_sourceLocation
    ) {
        var found: [Int?] = []
        for _ in expected { found.append(rotation.pick(now: now)) }
        #expect(found == expected, sourceLocation: location)
    }

    @Test("keys are used in turn")
    func inTurn() {
        var rotation = KeyRotation(count: 3)
        expectPicks([0, 1, 2, 0, 1, 2, 0], &rotation, start)
    }

    @Test("a resting key is left out until its time has come")
    func rests() {
        var rotation = KeyRotation(count: 3)
        rotation.rest(1, until: after(10))
        expectPicks([0, 2, 0, 2], &rotation, start)
        #expect(rotation.restingCount(now: start) == 1)
        #expect(rotation.restingCount(now: after(10)) == 0)
        expectPicks([0, 1, 2], &rotation, after(10))
    }

    @Test("when all rest, the one that rests shortest is used")
    func allRest() {
        var rotation = KeyRotation(count: 3)
        for (index, seconds) in [30, 10, 20].enumerated() { rotation.rest(index, until: after(seconds)) }
        expectPicks([1, 1, 1], &rotation, start)
    }

    @Test("a shorter rest does not end a longer one")
    func longerRestHolds() {
        var rotation = KeyRotation(count: 2)
        rotation.rest(0, until: after(30))
        rotation.rest(0, until: after(5))
        expectPicks([1, 1], &rotation, after(6))
    }

    @Test("a single key never rests, and no key is no key")
    func few() {
        var single = KeyRotation(count: 1)
        single.rest(0, until: after(30))
        let picked = single.pick(now: start)
        #expect(picked == 0)
        #expect(single.restingCount(now: start) == 0)
        var none = KeyRotation(count: 0)
        let nothing = none.pick(now: start)
        #expect(nothing == nil)
    }
}
