import Base
import Glibc

/// How long a new answer is fresh (`cache.ttl`): a class has a life to begin with, and what refreshes find moves it.
///
/// With n refreshes a mean interval I apart, X of which found nothing new, the rate of change is estimated as
/// λ = -ln((X + 0.5) / (n + 0.5)) / I (Cho and Garcia-Molina, ACM TOIT 2003: it needs no history of when the change
/// was), and the life is -ln(1 - p) / λ: so long that the chance of serving something outdated by its end is p.
package struct LifePolicy: Sendable {
    /// What is decided beforehand of a class.
    package struct Terms: Sendable {
        package let base: Duration
        package let floor: Duration
        package let cap: Duration
        /// Why, for people (`weir inspect cache`).
        package let because: String
    }

    /// The bounds of a class and why they are so.
    package static func terms(_ life: LifeClass) -> Terms {
        switch life {
        case .fixed:
            Terms(
                base: .seconds(30 * day), floor: .seconds(day), cap: .seconds(90 * day),
                because: "a function of its input; only a new model behind the old name changes it")
        case .deterministic:
            Terms(
                base: .seconds(7 * day), floor: .seconds(3_600), cap: .seconds(30 * day),
                because: "asked to be the same again; providers renew models behind a name every few weeks")
        case .ordinary:
            Terms(
                base: .seconds(day), floor: .seconds(300), cap: .seconds(7 * day),
                because: "one of many good answers; a day is what its reader expects to be current")
        case .volatile:
            Terms(
                base: .seconds(60), floor: .seconds(5), cap: .seconds(600),
                because: "asks for what changes; long enough for a burst of the same question")
        }
    }

    /// Fewer refreshes than this say nothing.
    package static let refreshesMin = 8
    /// More than this are halved: what was found long ago counts less.
    package static let refreshesMax = 256

    /// What refreshes of a class have found.
    package struct Evidence: Hashable, Sendable {
        package fileprivate(set) var refreshes = 0.0
        package fileprivate(set) var unchanged = 0.0
        fileprivate var seconds = 0.0
    }

    private static let day: Int64 = 86_400
    private let fixed: Duration?
    private let staleProbability: Double
    private var evidence = [Evidence](repeating: Evidence(), count: LifeClass.allCases.count)

    /// - Parameters:
    ///   - ttl: the setting's duration, which then holds for every class; nil for `auto`.
    ///   - staleProbability: p above.
    package init(ttl: Duration? = nil, staleProbability: Double = 0.05) {
        precondition(staleProbability > 0 && staleProbability < 1)
        fixed = ttl
        self.staleProbability = staleProbability
    }

    /// What a refresh of an answer of this class found. An age of zero (the clock jumped) says nothing. Tell only what
    /// can be told: two answers of different wording to one question need not mean that anything changed.
    package mutating func observe(_ life: LifeClass, unchanged: Bool, age: Duration) {
        guard age > .zero else { return }
        var known = evidence[Int(life.rawValue) - 1]
        if known.refreshes >= Double(Self.refreshesMax) {
            (known.refreshes, known.unchanged) = (known.refreshes / 2, known.unchanged / 2)
            known.seconds /= 2
        }
        known.refreshes += 1
        known.unchanged += unchanged ? 1 : 0
        known.seconds += age.seconds
        evidence[Int(life.rawValue) - 1] = known
    }

    /// What refreshes of this class have found so far, older ones counting less.
    package func evidence(_ life: LifeClass) -> Evidence { evidence[Int(life.rawValue) - 1] }

    /// How long an answer of this class that is stored now is fresh. Never below zero.
    package func life(_ life: LifeClass) -> Duration {
        if let fixed { return max(fixed, .zero) }
        let (terms, known) = (Self.terms(life), evidence(life))
        guard known.refreshes >= Double(Self.refreshesMin) else { return terms.base }
        let interval = known.seconds / known.refreshes
        let rate = -log((known.unchanged + 0.5) / (known.refreshes + 0.5)) / interval
        let seconds = -log1p(-staleProbability) / rate
        // Nothing ever changed, or too seldom to matter.
        guard rate > 0, seconds < terms.cap.seconds else { return terms.cap }
        return max(.microseconds(Int64(seconds * 1e6)), terms.floor)
    }
}
