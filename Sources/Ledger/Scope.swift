internal import Base

/// One thing a key may do, written as in `weir keys create --scope queue:jobs-*:put`. A name may end in `*`, which
/// stands for any rest.
package enum Scope: Hashable, Sendable, CustomStringConvertible {
    /// What a queue's scope lets one do.
    package enum QueueRight: String, Sendable, CaseIterable { case put, take }
    /// What a collection's scope lets one do.
    package enum KnowledgeRight: String, Sendable, CaseIterable { case read, write }

    case ai
    case passthrough
    case queue(String, QueueRight)
    case agent(String)
    case knowledge(String, KnowledgeRight)
    case metrics
    /// Everything.
    case admin

    /// Nil when the text is no scope.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        switch (parts.first, parts.count) {
        case ("ai", 1): self = .ai
        case ("passthrough", 1): self = .passthrough
        case ("metrics", 1): self = .metrics
        case ("admin", 1): self = .admin
        case ("agent", 2) where Self.isValidPattern(parts[1]): self = .agent(parts[1])
        case ("queue", 3) where Self.isValidPattern(parts[1]):
            guard let right = QueueRight(rawValue: parts[2]) else { return nil }
            self = .queue(parts[1], right)
        case ("knowledge", 3) where Self.isValidPattern(parts[1]):
            guard let right = KnowledgeRight(rawValue: parts[2]) else { return nil }
            self = .knowledge(parts[1], right)
        default: return nil
        }
    }

    package var description: String {
        switch self {
        case .ai: "ai"
        case .passthrough: "passthrough"
        case .queue(let name, let right): "queue:\(name):\(right.rawValue)"
        case .agent(let name): "agent:\(name)"
        case .knowledge(let name, let right): "knowledge:\(name):\(right.rawValue)"
        case .metrics: "metrics"
        case .admin: "admin"
        }
    }

    /// Whether who holds this scope may do what `required` names. No right implies another, except that `admin`
    /// implies all.
    package func allows(_ required: Scope) -> Bool {
        switch (self, required) {
        case (.admin, _): true
        case (.queue(let pattern, let right), .queue(let name, let needed)):
            right == needed && Self.matches(pattern, name)
        case (.agent(let pattern), .agent(let name)): Self.matches(pattern, name)
        case (.knowledge(let pattern, let right), .knowledge(let name, let needed)):
            right == needed && Self.matches(pattern, name)
        default: self == required
        }
    }

    private static func matches(_ pattern: String, _ name: String) -> Bool {
        pattern.utf8.last == UInt8(ascii: "*") ? name.utf8.starts(with: pattern.utf8.dropLast()) : pattern == name
    }

    /// A name, a name's beginning with `*`, or `*` alone.
    private static func isValidPattern(_ text: String) -> Bool {
        text == "*" || isValidName(text.utf8.last == UInt8(ascii: "*") ? String(text.dropLast()) : text)
    }
}

/// The scopes of one key.
package struct ScopeSet: Hashable, Sendable {
    /// Scopes a key may have: what needs more should use a `*`.
    package static let countMax = 64

    package let scopes: [Scope]

    /// Keeps the order and drops repetitions.
    package init(_ scopes: [Scope]) {
        var kept: [Scope] = []
        for scope in scopes where !kept.contains(scope) { kept.append(scope) }
        self.scopes = kept
    }

    /// O(number of scopes).
    package func allows(_ required: Scope) -> Bool { scopes.contains { $0.allows(required) } }
}
