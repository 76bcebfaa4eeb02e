import Base
import Glibc
import Testing

@testable import ResponseCache

@Suite("how long an answer lives")
struct LifePolicyTests {
    private func policy(_ found: [(Bool, Int)], _ life: LifeClass = .ordinary) -> LifePolicy {
        var policy = LifePolicy()
        for (unchanged, seconds) in found { policy.observe(life, unchanged: unchanged, age: .seconds(seconds)) }
        return policy
    }

    @Test("each class begins with its base, between floor and cap", arguments: LifeClass.allCases)
    func bases(_ life: LifeClass) {
        let terms = LifePolicy.terms(life)
        #expect(terms.floor > .zero && terms.floor <= terms.base && terms.base <= terms.cap && !terms.because.isEmpty)
        #expect(LifePolicy().life(life) == terms.base)
        #expect(
            policy(Array(repeating: (true, 100), count: LifePolicy.refreshesMin - 1), life).life(life) == terms.base)
        #expect(policy(Array(repeating: (true, 100), count: 100), life).life(life) == terms.cap)
        #expect(policy(Array(repeating: (false, 1), count: 100), life).life(life) == terms.floor)
    }

    @Test("a setting in place of auto holds for every class, and never below zero")
    func fixed() {
        var policy = LifePolicy(ttl: .seconds(90))
        policy.observe(.volatile, unchanged: false, age: .seconds(1))
        for life in LifeClass.allCases { #expect(policy.life(life) == .seconds(90)) }
        #expect(LifePolicy(ttl: .zero).life(.fixed) == .zero)
        #expect(LifePolicy(ttl: .seconds(-1)).life(.fixed) == .zero)
    }

    @Test("the life is what the estimate says: one change in twenty refreshes, an hour apart")
    func estimate() {
        let found = policy((0..<20).map { ($0 != 7, 3_600) })
        // -ln(0.95) / (-ln(19.5 / 20.5) / 3600) seconds, worked out by hand.
        #expect(abs(found.life(.ordinary).seconds - 3_692) < 2)
        #expect(found.life(.volatile) == LifePolicy.terms(.volatile).base)
        #expect(found.evidence(.ordinary).refreshes == 20 && found.evidence(.ordinary).unchanged == 19)
    }

    @Test("the estimate recovers the rate of a simulated source")
    func recovers() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        // Changes come at random, one in 100,000 s on the average; refreshed every 10,000 s.
        let stays = exp(-0.1)
        var policy = LifePolicy()
        for _ in 0..<250 { policy.observe(.ordinary, unchanged: random.nextUnit() < stays, age: .seconds(10_000)) }
        let wanted = -log1p(-0.05) * 100_000
        #expect(
            policy.life(.ordinary).seconds > wanted / 2 && policy.life(.ordinary).seconds < wanted * 2, "seed \(seed)")
    }

    @Test("what was found long ago is forgotten, and an age that is none says nothing")
    func forgets() {
        var policy = policy(Array(repeating: (true, 1_000), count: 5_000))
        for _ in 0..<1_000 { policy.observe(.ordinary, unchanged: false, age: .seconds(1_000)) }
        #expect(policy.life(.ordinary) == LifePolicy.terms(.ordinary).floor)
        let before = policy.evidence(.ordinary)
        policy.observe(.ordinary, unchanged: true, age: .zero)
        policy.observe(.ordinary, unchanged: true, age: .seconds(-5))
        #expect(policy.evidence(.ordinary) == before)
        #expect(before.refreshes <= Double(LifePolicy.refreshesMax))
    }
}

@Suite("whether an answer may be served now")
struct FreshnessTests {
    private let made = UnixTime(microseconds: 1_000_000_000_000)
    private let windows = StaleWindows(whileRevalidate: .seconds(30), ifError: .seconds(300))

    /// Made with a life of 100 s.
    private func facts(_ life: Duration = .seconds(100)) -> AnswerFacts {
        var facts = AnswerFacts(
            family: .chat, shape: .document, life: .ordinary, tenant: "t", model: "m", provider: "p", contentType: "c",
            created: made, freshUntil: made, usableUntil: made, upstreamMicroseconds: 2_000_000)
        facts.setLife(life, windows, now: made)
        return facts
    }

    private func after(_ seconds: Int64) -> UnixTime { UnixTime(microseconds: made.microseconds + seconds * 1_000_000) }

    private func usability(_ seconds: Int64, _ control: String = "") throws -> Usability {
        let directives = try CacheDirectives(HeaderFields([(name: "Cache-Control", value: control)]))
        return facts().usability(at: after(seconds), directives, windows)
    }

    @Test("fresh, then stale and refreshed behind, then only for errors, then not at all")
    func ages() throws {
        #expect(try usability(0) == .fresh)
        #expect(try usability(99) == .fresh)
        #expect(try usability(100) == .stale(refresh: true))
        #expect(try usability(130) == .stale(refresh: true))
        #expect(try usability(131) == .ifError)
        #expect(try usability(399) == .ifError)
        #expect(try usability(400) == .unusable)
    }

    @Test(
        "the client's limits",
        arguments: [
            (50, "max-age=50", Usability.fresh), (51, "max-age=50", .unusable),
            (51, "max-age=50, max-stale=1", .stale(refresh: false)),
            (51, "max-age=50, stale-if-error=1", .ifError), (51, "max-age=0", .unusable), (0, "max-age=0", .unusable),
            (0, "no-cache", .unusable),
            (50, "no-cache, stale-if-error=60", .ifError), (50, "min-fresh=50", .fresh),
            (51, "min-fresh=50", .unusable),
            (140, "max-stale=60", .stale(refresh: true)), (140, "max-stale=10", .ifError),
            (140, "stale-if-error=60", .ifError),
            (140, "stale-if-error=30", .unusable), (120, "stale-if-error=0", .stale(refresh: true)),
            (9_999, "max-stale", .unusable),
        ] as [(Int64, String, Usability)])
    func limits(_ seconds: Int64, _ control: String, _ expected: Usability) throws {
        #expect(try usability(seconds, control) == expected)
    }

    @Test("the remaining life never exceeds the whole, also when the clock jumps back, and a far future has none")
    func clockJumps() {
        #expect(facts().remainingLife(at: made) == .seconds(100))
        #expect(facts().remainingLife(at: after(40)) == .seconds(60))
        #expect(facts().remainingLife(at: after(-50)) == .seconds(100))
        #expect(facts().age(at: after(-50)) == .zero)
        #expect(facts().remainingLife(at: after(-101)) == .zero)
        #expect(facts().remainingLife(at: after(1_000)) == .zero)
        #expect(facts().usability(at: after(-101), CacheDirectives(), StaleWindows()) == .unusable)
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<2_000 {
            let now = UnixTime(microseconds: Int64(bitPattern: random.next()))
            let left = facts().remainingLife(at: now)
            #expect(left >= .zero && left <= .seconds(100), "seed \(seed)")
            #expect(facts().age(at: now) >= .zero, "seed \(seed)")
        }
    }

    @Test("a life of zero, below zero or too large")
    func extremes() {
        #expect(facts(.zero).remainingLife(at: made) == .zero)
        #expect(facts(.zero).usability(at: made, CacheDirectives(), StaleWindows()) == .unusable)
        #expect(facts(.seconds(-5)).freshUntil == made)
        let forever = facts(.seconds(Int64.max))
        #expect(
            forever.freshUntil <= forever.usableUntil
                && forever.usability(at: after(1 << 30), CacheDirectives(), windows) == .fresh)
        #expect(facts().usableUntil == after(400))
    }

    @Test("an answer is refreshed early, the likelier the less life is left and the slower the provider")
    func early() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        func share(_ seconds: Int64, beta: Double = 1) -> Double {
            let count = (0..<4_000).count { _ in
                facts().shouldRefreshEarly(at: after(seconds), beta: beta, random: random.nextUnit())
            }
            return Double(count) / 4_000
        }
        // The chance is e^(-left / delta); delta is 2 s.
        #expect(share(50) == 0, "seed \(seed)")
        #expect(abs(share(98) - 0.368) < 0.05, "seed \(seed)")
        #expect(abs(share(96) - 0.135) < 0.05, "seed \(seed)")
        #expect(share(98, beta: 4) > share(98), "seed \(seed)")
        #expect(share(100) == 1, "seed \(seed)")
        #expect(!facts().shouldRefreshEarly(at: after(50), random: 0))
        #expect(facts().shouldRefreshEarly(at: after(99), random: 0.999_999))
    }
}
