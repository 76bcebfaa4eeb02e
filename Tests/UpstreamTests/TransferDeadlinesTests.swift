import Base
import Testing

@testable import Upstream

struct TransferDeadlinesTests {
    private let endpoint = Endpoint(
        name: "p", firstByteTimeout: .seconds(10), idleTimeout: .seconds(5), totalTimeout: .seconds(60),
        allowsPlainHTTP: true)

    private func at(_ seconds: Double) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: 1_000_000_000_000 + UInt64((seconds * 1e3).rounded()) * 1_000_000)
    }

    private func fresh() -> TransferDeadlines { TransferDeadlines(endpoint, started: at(0)) }

    @Test("The first byte has its own time, whatever the idle time is")
    func firstByte() {
        let deadlines = fresh()
        #expect(deadlines.expired(at: at(9.999)) == nil)
        #expect(deadlines.expired(at: at(10)) == .firstByteTimeout)
    }

    @Test("After the first byte every pause is timed anew")
    func idle() {
        var deadlines = fresh()
        for second in [3.0, 7, 11.9] {
            deadlines.received(at: at(second))
            #expect(deadlines.expired(at: at(second + 4.999)) == nil)
            #expect(deadlines.expired(at: at(second + 5)) == .idleTimeout)
        }
    }

    @Test("The total time runs out whatever comes, and wins over the others")
    func total() {
        var deadlines = fresh()
        for second in stride(from: 1.0, to: 60, by: 1) {
            deadlines.received(at: at(second))
            #expect(deadlines.expired(at: at(second)) == nil)
        }
        #expect(deadlines.expired(at: at(60)) == .totalTimeout)
        #expect(fresh().expired(at: at(60)) == .totalTimeout)
    }

    @Test("While we hold the transfer back, silence is not the provider's; afterwards it has its whole time again")
    func hold() {
        var deadlines = fresh()
        deadlines.received(at: at(1))
        deadlines.hold()
        #expect(deadlines.expired(at: at(50)) == nil)
        deadlines.release(at: at(50))
        #expect(deadlines.expired(at: at(54.9)) == nil)
        #expect(deadlines.expired(at: at(55)) == .idleTimeout)
        deadlines.hold()
        #expect(deadlines.expired(at: at(60)) == .totalTimeout, "the total time is not held")
    }
}
