import Base
import Settings
import Testing

@testable import HTTPAPI

/// Times in milliseconds after an arbitrary start.
private func at(_ milliseconds: Int) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: 1_000_000_000).advanced(by: .milliseconds(milliseconds))
}

@Suite struct ConnectionDeadlinesTests {
    private var limits: Settings.Server {
        var limits = Settings().server
        (limits.headerTimeout, limits.bodyTimeout) = (.seconds(10), .seconds(30))
        (limits.idleTimeout, limits.writeTimeout) = (.seconds(75), .seconds(20))
        return limits
    }

    @Test("a head has its time from the moment the connection opens, however many bytes drip in")
    func dripFedHead() {
        var deadlines = ConnectionDeadlines(limits, now: at(0))
        for second in 1...9 { deadlines.received(now: at(second * 1_000)) }
        #expect(deadlines.next == (at(10_000), .headTooSlow))
    }

    @Test("between requests the idle time counts; the first byte of the next head starts the head's time")
    func idleThenHead() {
        var deadlines = ConnectionDeadlines(limits, now: at(0))
        deadlines.headComplete(now: at(5))
        deadlines.answering()
        #expect(deadlines.next.at == .distantFuture)
        deadlines.answered(now: at(100))
        #expect(deadlines.next == (at(75_100), .idle))
        deadlines.received(now: at(60_000))
        #expect(deadlines.next == (at(70_000), .headTooSlow))
    }

    @Test("R6: a body that drips a byte every ten seconds ends when its minimum rate is missed")
    func dripFedBody() {
        var deadlines = ConnectionDeadlines(limits, now: at(0))
        deadlines.headComplete(now: at(0))
        for piece in 1...2 { deadlines.bodyPiece(1, now: at(piece * 10_000)) }
        #expect(deadlines.next == (at(30_004), .bodyTooSlow))
    }

    @Test("a body that comes fast enough has as long as its size takes, but no pause longer than the body-timeout")
    func steadyBody() {
        var deadlines = ConnectionDeadlines(limits, now: at(0))
        deadlines.headComplete(now: at(0))
        deadlines.bodyPiece(1_000_000, now: at(1_000))
        #expect(deadlines.next == (at(31_000), .bodyTooSlow))
        deadlines.bodyPiece(1_000_000, now: at(29_000))
        #expect(deadlines.next == (at(59_000), .bodyTooSlow))
    }

    @Test("a client that stops reading is cut even while we answer; one that reads again is not")
    func stalledWrite() {
        var deadlines = ConnectionDeadlines(limits, now: at(0))
        deadlines.headComplete(now: at(0))
        deadlines.answering()
        deadlines.writable(false, now: at(1_000))
        deadlines.writable(false, now: at(5_000))
        #expect(deadlines.next == (at(21_000), .writeStalled))
        deadlines.writable(true, now: at(6_000))
        #expect(deadlines.next.at == .distantFuture)
    }
}
