import Base
import ResponseCache
import Testing

private func at(_ nanoseconds: UInt64) -> MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds) }
private let second: UInt64 = 1_000_000_000

struct TimerWheelTests {
    private func wheel(_ deadlines: [UInt64]) -> TimerWheel {
        var wheel = TimerWheel()
        for (node, deadline) in deadlines.enumerated() {
            wheel.addNode()
            wheel.schedule(node, at: at(deadline))
        }
        return wheel
    }

    @Test("random deadlines from nanoseconds to years come once, never early, at most two seconds late")
    func random() {
        let seed = memoryTestSeed()
        var random = SeededRandom(seed: seed)
        let deadlines = (0..<2_000).map { _ in random.next() >> UInt64.random(in: 6...40, using: &random) }
        var wheel = wheel(deadlines), now: UInt64 = 0, came = Set<Int>()
        while now < 1 << 58 {
            now += random.next() >> UInt64.random(in: 6...34, using: &random)
            for node in wheel.advance(to: at(now)) {
                #expect(deadlines[node] <= now && came.insert(node).inserted)
            }
            // What is due and has not come is due since the last tick.
            let late = deadlines.indices.filter { deadlines[$0] + 2 * second < now && !came.contains($0) }
            #expect(late.isEmpty)
        }
        #expect(came.count == deadlines.count)
    }

    @Test("a clock that jumps back changes nothing, and a deadline in the past comes with the next tick")
    func jumpsBack() {
        var wheel = wheel([100 * second])
        #expect(wheel.advance(to: at(50 * second)) == [])
        #expect(wheel.advance(to: at(second)) == [])
        wheel.addNode()
        wheel.schedule(1, at: at(2 * second))
        #expect(wheel.advance(to: at(53 * second)) == [1])
        #expect(wheel.advance(to: at(102 * second)) == [0])
    }

    @Test("never is never, the last instant before it is no overflow, and what is cancelled does not come")
    func extremes() {
        var wheel = wheel([.max, .max - 1, 5 * second, 6 * second])
        wheel.cancel(2)
        wheel.schedule(3, at: .distantFuture)
        #expect(!wheel.isScheduled(0) && wheel.isScheduled(1) && !wheel.isScheduled(2) && !wheel.isScheduled(3))
        #expect(wheel.advance(to: at(.max - 2)) == [])
        #expect(wheel.advance(to: at(.max)) == [] || wheel.isScheduled(1) == false)
        #expect(wheel.deadline(of: 1) == at(.max - 1))
    }
}

struct FrequencySketchTests {
    private func hashes(_ count: Int) -> [UInt64] {
        var random = SeededRandom(seed: 5)
        return (0..<count).map { _ in random.next() }
    }

    @Test("counts are exact for few things, never too small, and end at 15")
    func counts() {
        var sketch = FrequencySketch(seed: 1)
        sketch.grow(to: 1_000)
        let things = hashes(1_000)
        for (index, thing) in things.enumerated() {
            for _ in 0..<(index % 8) { sketch.increment(thing) }
        }
        var exact = 0
        for (index, thing) in things.enumerated() {
            #expect(sketch.estimate(thing) >= index % 8)
            if sketch.estimate(thing) == index % 8 { exact += 1 }
        }
        #expect(exact > 950)
        for _ in 0..<100 { sketch.increment(things[0]) }
        #expect(sketch.estimate(things[0]) == FrequencySketch.maximum)
    }

    @Test("growing keeps every count")
    func grows() {
        var sketch = FrequencySketch(seed: 1)
        let things = hashes(40)
        for thing in things { for _ in 0..<3 { sketch.increment(thing) } }
        let before = things.map(sketch.estimate)
        sketch.grow(to: 100_000)
        #expect(sketch.capacity == 100_000 && things.map(sketch.estimate) == before)
    }

    @Test("after ten requests for each entry, all counts are halved")
    func ages() {
        var sketch = FrequencySketch(seed: 1)
        sketch.grow(to: 100)
        let things = hashes(1_001)
        for _ in 0..<9 { sketch.increment(things[0]) }
        for thing in things[10..<1_000] { sketch.increment(thing) }
        #expect(sketch.estimate(things[0]) >= 9)
        sketch.increment(things[1_000])
        #expect(4...7 ~= sketch.estimate(things[0]))
    }
}
