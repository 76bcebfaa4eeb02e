package import Base
package import NIOCore
import Synchronization

/// A kept answer in memory, with the bytes it leaves in: each shape is made when first asked for and then kept.
package final class KeptAnswer: Sendable {
    /// What a caller gets.
    package enum Form: Int, Sendable {
        case document = 0
        case events = 1
        /// Events, the chunk of usage included.
        case eventsWithUsage = 2
    }

    /// Ready to send.
    package struct Ready: Sendable {
        /// `Content-Type` and `Content-Length`.
        package let headers: HeaderLines
        package let body: ByteBuffer
    }

    package let key: CacheKey
    package let answer: CachedAnswer
    package var facts: AnswerFacts { answer.facts }
    /// The form that its bytes have already.
    private let own: Ready
    private let derived = Locked<[Ready?]>([nil, nil, nil])
    private let wasUsed = Atomic<Bool>(false)

    package init(_ key: CacheKey, _ answer: CachedAnswer) {
        self.key = key
        self.answer = answer
        own = Self.ready(answer.body, answer.facts.contentType)
    }

    /// The answer in that form; nil when it cannot be made, which is then a miss. The first use of a form other than
    /// its own is O(n), later ones and documents that were kept as such cost nothing.
    package func ready(_ form: Form) -> Ready? {
        if form == .document && facts.shape == .document { return own }
        if form == .eventsWithUsage && facts.shape == .events { return own }
        return derived.withLock { derived in
            if let made = derived[form.rawValue] { return made }
            derived[form.rawValue] = derive(form)
            return derived[form.rawValue]
        }
    }

    private func derive(_ form: Form) -> Ready? {
        if form == .document {
            return AnswerShapes.document(from: answer).map { Self.ready($0, "application/json") }
        }
        let events = AnswerShapes.events(from: answer, includeUsage: form == .eventsWithUsage)
        return events.map { Self.ready($0, "text/event-stream; charset=utf-8") }
    }

    private static func ready(_ body: ByteBuffer, _ type: String) -> Ready {
        var headers = HeaderLines()
        headers.add("Content-Type", type)
        headers.add("Content-Length", body.readableBytes)
        return Ready(headers: headers, body: body)
    }

    /// True the first time only: the answer's second use, its making being the first.
    func isFirstHit() -> Bool {
        !wasUsed.load(ordering: .relaxed) && !wasUsed.exchange(true, ordering: .relaxed)
    }

    /// What losing it would cost, in one unit for money and time: a nanodollar, or a microsecond of waiting (an hour
    /// of which then counts as 3.60 dollars).
    var cost: Int { max(1, Int(clamping: facts.costNanodollars &+ facts.upstreamMicroseconds)) }
}
