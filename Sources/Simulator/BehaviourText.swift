import Base

/// A behaviour that does not exist or has a value it cannot have.
package struct BehaviourError: Failure {
    package let code = "bad_behaviour"
    package let message: String
}

extension Behaviour {
    private typealias Flag = WritableKeyPath<Behaviour, Bool> & Sendable
    private typealias Count = WritableKeyPath<Behaviour, Int?> & Sendable
    private typealias Wait = WritableKeyPath<Behaviour, Duration?> & Sendable

    private static let flags: [String: any Flag] = [
        "error-first": \.errorFirst, "no-done": \.noDone, "crlf": \.crlf, "comments": \.comments, "split": \.split,
        "utf8": \.utf8, "bad-utf8": \.badUTF8, "malformed": \.malformed, "missing-blank": \.missingBlank,
        "usage-delta": \.usageDelta, "no-usage": \.noUsage, "truncate": \.truncate, "bad-chunk": \.badChunk,
        "extra": \.extra, "drip": \.drip, "close-idle": \.closeIdle, "hang": \.hang,
    ]

    /// Name, place, highest value, and the value of the bare name where it may stand alone.
    private static let counts: [String: (path: any Count, max: Int, bare: Int?)] = [
        "status": (\.status, 599, nil), "html": (\.html, 599, 502), "retry-after": (\.retryAfter, 1 << 31, nil),
        "retry-after-date": (\.retryAfterDate, 1 << 20, 2), "reset-header": (\.resetHeader, 1 << 20, 2),
        "retry-after-ms": (\.retryAfterMilliseconds, 1 << 40, nil),
        "x-ms-retry-after-ms": (\.azureRetryAfterMilliseconds, 1 << 40, nil),
        "tokens": (\.tokens, 100_000, nil), "reset": (\.reset, .max, 0), "close": (\.close, .max, 0),
        "error-mid": (\.errorMid, .max, nil), "stall": (\.stall, .max, nil),
        "long-line": (\.longLine, 32 << 20, nil), "big": (\.big, 64 << 20, nil),
    ]

    private static let waits: [String: any Wait] = ["latency": \.latency, "first-token": \.firstToken]

    /// Every name `X-Simulate` takes, in alphabetical order.
    package static let names: [String] = [Array(flags.keys), Array(counts.keys), Array(waits.keys), ["tps", "gzip"]]
        .flatMap { $0 }.sorted()

    /// Reads `a=1,b`, adding to what is set already. Throws on a name or value it does not know.
    package mutating func apply(_ text: some StringProtocol) throws(BehaviourError) {
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard let first = pair.first else { continue }
            let name = String(first.drop { $0 == " " }.prefix { $0 != " " }).lowercased()
            let value = pair.count == 2 ? String(pair[1].drop { $0 == " " }.prefix { $0 != " " }) : nil
            guard set(name, value) else {
                let known = Self.names.joined(separator: ", ")
                throw BehaviourError(message: "X-Simulate does not know \(part): it takes \(known)")
            }
        }
    }

    private mutating func set(_ name: String, _ value: String?) -> Bool {
        if let path = Self.flags[name] {
            guard value == nil || value == "1" || value == "0" else { return false }
            self[keyPath: path] = value != "0"
        } else if let count = Self.counts[name] {
            guard let number = value.map({ Int($0) }) ?? count.bare, (0...count.max).contains(number) else {
                return false
            }
            if name == "status" || name == "html" { guard number >= 300 else { return false } }
            self[keyPath: count.path] = number
        } else if let path = Self.waits[name] {
            guard let wait = value.flatMap({ Duration(text: $0) }) else { return false }
            self[keyPath: path] = wait
        } else if name == "tps" {
            guard let pace = value.flatMap({ Double($0) }), pace >= 0, pace.isFinite else { return false }
            tokensPerSecond = pace
        } else if name == "gzip" {
            guard value == nil || value == "force" || value == "1" else { return false }
            gzip = true
            gzipForced = value == "force"
        } else {
            return false
        }
        return true
    }
}
