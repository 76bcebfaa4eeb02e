import Base
import Testing

@testable import Upstream

struct WaitingLineTests {
    private func at(_ seconds: Int) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: UInt64(seconds) * 1_000_000_000)
    }

    @Test("As many start as may; others wait in order until the line is full")
    func admits() {
        var line = WaitingLine<Int>(activeMax: 2, waitingMax: 2)
        let answers = (1...5).map { line.admit($0, until: at(10)) }
        #expect(answers == [.start, .start, .wait, .wait, .refuse])
        #expect(line.active == 2 && line.waiting == 2)
        let third = line.finishOne()
        #expect(third == 3 && line.active == 2 && line.waiting == 1, "3 took the place of the one that ended")
        let rest = (0..<3).map { _ in line.finishOne() }
        #expect(rest == [4, nil, nil])
        #expect(line.active == 0 && line.waiting == 0)
        let later = line.admit(6, until: at(10))
        #expect(later == .start)
    }

    @Test("Without room to wait, who cannot start is refused")
    func noLine() {
        var line = WaitingLine<Int>(activeMax: 1, waitingMax: 0)
        let answers = (1...2).map { line.admit($0, until: at(1)) }
        #expect(answers == [.start, .refuse])
    }

    @Test("Whose time is over leaves the line, at the very instant")
    func expires() {
        var line = WaitingLine<Int>(activeMax: 1, waitingMax: 9)
        for (number, second) in [(1, 0), (2, 10), (3, 10), (4, 20)] { _ = line.admit(number, until: at(second)) }
        #expect(line.nextDeadline == at(10))
        let expired = [9, 10].map { line.expire(now: at($0)) }
        #expect(expired == [[], [2, 3]])
        #expect(line.nextDeadline == at(20) && line.waiting == 1)
        let last = line.finishOne()
        #expect(last == 4 && line.nextDeadline == nil)
    }

    /// The same rules written without any care for speed.
    private struct Model {
        let activeMax: Int
        let waitingMax: Int
        var active = 0
        var line: [(number: Int, deadline: MonotonicInstant)] = []

        mutating func admit(_ number: Int, until deadline: MonotonicInstant) -> WaitingLine<Int>.Admission {
            if active < activeMax {
                active += 1
                return .start
            }
            if line.count >= waitingMax { return .refuse }
            line.append((number, deadline))
            return .wait
        }

        mutating func finishOne() -> Int? {
            if !line.isEmpty { return line.removeFirst().number }
            active -= 1
            return nil
        }

        mutating func expire(_ now: MonotonicInstant) -> [Int] {
            let expired = line.prefix { $0.deadline <= now }.map(\.number)
            line.removeFirst(expired.count)
            return expired
        }

        mutating func remove(_ number: Int) -> Bool {
            guard let index = line.firstIndex(where: { $0.number == number }) else { return false }
            line.remove(at: index)
            return true
        }
    }

    @Test("A hundred thousand random operations agree with a naive model")
    func model() {
        let seed = testSeed()
        var random = SeededRandom(seed: seed)
        var model = Model(activeMax: 5, waitingMax: 300)
        var line = WaitingLine<Int>(activeMax: 5, waitingMax: 300)
        var now = 0
        // Long stretches of more coming than going, then the other way round, so that the line fills and empties.
        var eagerness = 50
        for step in 0..<100_000 {
            if step % 1_000 == 0 { eagerness = Int.random(in: 20...80, using: &random) }
            let choice = Int.random(in: 0..<100, using: &random)
            let agrees: Bool
            if choice < eagerness {
                agrees = line.admit(step, until: at(now + 500)) == model.admit(step, until: at(now + 500))
            } else if choice < 90 {
                agrees = model.active == 0 || line.finishOne() == model.finishOne()
            } else if choice < 98 {
                let number = model.line.randomElement(using: &random)?.number ?? -1
                agrees = line.remove { $0 == number } == model.remove(number)
            } else {
                now += Int.random(in: 0...150, using: &random)
                agrees = line.expire(now: at(now)) == model.expire(at(now))
            }
            let isSame =
                agrees && line.active == model.active && line.waiting == model.line.count
                && line.nextDeadline == model.line.first?.deadline
            guard isSame else {
                Issue.record("seed \(seed), step \(step): the line differs from the model")
                return
            }
        }
    }
}
