package import Base

/// What a client's headers ask of the cache.
package struct CacheDirectives: Hashable, Sendable {
    /// Do not answer from the cache, but keep the new answer.
    package var noCache = false
    /// Neither answer from the cache nor keep the answer.
    package var noStore = false
    /// 504 on a miss.
    package var onlyIfCached = false
    /// No older answer than this. It also opts in: the client takes an earlier answer where the policy alone would have
    /// asked for a new one because of the randomness the request wants.
    package var maxAge: Duration?
    /// Also an answer whose life ended no longer ago than this.
    package var maxStale: Duration?
    /// Only an answer that is fresh for at least this long.
    package var minFresh: Duration?
    /// When the provider fails, an answer whose life ended no longer ago than this.
    package var staleIfError: Duration?
    package var namespace = ""
    package var tags: [String] = []
    package var collections: [String] = []

    /// Tags, and collections, that a request may name.
    package static let namesMax = 16
    /// RFC 9111, 1.2.2: what is larger counts as this.
    private static let secondsMax: Int64 = 1 << 31

    package init() {}

    /// Reads `Cache-Control` (unknown directives and values that are no count of seconds are ignored, as RFC 9111
    /// asks), `X-Weir-Tags`, `X-Weir-Collections` and `X-Weir-Namespace` (which are ours, so a bad one is told).
    package init(_ headers: HeaderFields) throws(CacheHeaderError) {
        for (name, value) in headers.fields {
            switch name.utf8.count {
            case 13 where equalIgnoringCase(name, "cache-control"): readDirectives(value)
            case 11 where equalIgnoringCase(name, "x-weir-tags"):
                try Self.readNames(value, "X-Weir-Tags", into: &tags)
            case 18 where equalIgnoringCase(name, "x-weir-collections"):
                try Self.readNames(value, "X-Weir-Collections", into: &collections)
            case 16 where equalIgnoringCase(name, "x-weir-namespace"):
                guard isValidName(value), namespace.isEmpty || namespace == value else {
                    throw CacheHeaderError(header: "X-Weir-Namespace", limit: "one name")
                }
                namespace = value
            default: break
            }
        }
    }

    private static func readNames(
        _ value: String, _ header: String, into names: inout [String]
    ) throws(CacheHeaderError) {
        for part in value.split(separator: ",") {
            let name = String(part.trimmingSpace)
            guard !names.contains(name), !name.isEmpty else { continue }
            guard isValidName(name), names.count < namesMax else {
                throw CacheHeaderError(header: header, limit: "at most \(namesMax) names with commas between them")
            }
            names.append(name)
        }
    }

    private mutating func readDirectives(_ value: String) {
        var rest = value[...]
        while !rest.isEmpty {
            var (isQuoted, isEscaped) = (false, false)
            let end = rest.utf8.firstIndex { byte in
                defer { isEscaped = isQuoted && !isEscaped && byte == UInt8(ascii: "\\") }
                if byte == UInt8(ascii: "\""), !isEscaped { isQuoted.toggle() }
                return byte == UInt8(ascii: ",") && !isQuoted
            }
            readDirective(rest[..<(end ?? rest.endIndex)])
            rest = end.map { rest[rest.index(after: $0)...] } ?? ""
        }
    }

    /// Where a directive stands twice, the stricter one holds.
    private mutating func readDirective(_ text: Substring) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let seconds = parts.count == 2 ? Self.seconds(parts[1].trimmingSpace) : nil
        func least(_ known: Duration?) -> Duration? { seconds.map { min($0, known ?? $0) } ?? known }
        switch parts.first?.trimmingSpace.lowercased() {
        case "no-cache": noCache = true
        case "no-store": noStore = true
        case "only-if-cached": onlyIfCached = true
        case "max-age": maxAge = least(maxAge)
        case "min-fresh": minFresh = seconds.map { max($0, minFresh ?? $0) } ?? minFresh
        case "stale-if-error": staleIfError = least(staleIfError)
        case "max-stale" where parts.count == 1: maxStale = maxStale ?? .seconds(Self.secondsMax)
        case "max-stale": maxStale = least(maxStale)
        default: break
        }
    }

    /// Digits, in quotes or not.
    private static func seconds(_ text: Substring) -> Duration? {
        var digits = text.utf8[...]
        if digits.count >= 2, digits.first == UInt8(ascii: "\""), digits.last == UInt8(ascii: "\"") {
            digits = digits.dropFirst().dropLast()
        }
        guard !digits.isEmpty, digits.allSatisfy({ $0 &- 48 < 10 }) else { return nil }
        return .seconds(digits.reduce(Int64(0)) { min($0 * 10 + Int64($1 - 48), secondsMax) })
    }
}

/// A header of ours that cannot be understood: status 400.
package struct CacheHeaderError: Failure {
    package let code = "invalid_cache_header"
    package let header: String
    package let message: String

    fileprivate init(header: String, limit: String) {
        self.header = header
        message =
            "the header \(header) must hold \(limit), each 1 to \(Limits.nameLengthMax) of A-Z a-z 0-9 . _ -, "
            + "beginning with a letter or digit"
    }
}

extension Substring {
    fileprivate var trimmingSpace: Substring {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var text = drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return text
    }
}
