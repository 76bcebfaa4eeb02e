import Base
import Testing

@testable import Ledger

struct ScopeTests {
    /// Every kind of scope a key can hold, and for each what it allows of `requirements`.
    private static let held: [(held: String, allowed: Set<String>)] = [
        ("ai", ["ai"]),
        ("passthrough", ["passthrough"]),
        ("metrics", ["metrics"]),
        ("queue:jobs:put", ["queue:jobs:put"]),
        ("queue:jobs:take", ["queue:jobs:take"]),
        ("queue:job*:put", ["queue:jobs:put", "queue:job:put"]),
        ("queue:*:take", ["queue:jobs:take", "queue:job:take"]),
        ("agent:jobs", ["agent:jobs"]),
        ("agent:*", ["agent:jobs", "agent:other"]),
        ("knowledge:jobs:read", ["knowledge:jobs:read"]),
        ("knowledge:jobs:write", ["knowledge:jobs:write"]),
        ("knowledge:j*:read", ["knowledge:jobs:read"]),
        ("admin", Set(requirements)),
    ]

    private static let requirements = [
        "ai", "passthrough", "metrics", "queue:jobs:put", "queue:jobs:take", "queue:job:put", "queue:job:take",
        "agent:jobs", "agent:other", "knowledge:jobs:read", "knowledge:jobs:write", "admin",
    ]

    @Test("Every scope allows exactly what it says", arguments: held)
    func allows(_ held: String, _ allowed: Set<String>) throws {
        let scopes = ScopeSet([try #require(Scope(held))])
        for text in Self.requirements {
            let required = try #require(Scope(text))
            #expect(scopes.allows(required) == allowed.contains(text), "\(held) for \(text)")
            #expect(ScopeSet([]).allows(required) == false)
        }
    }

    @Test("A scope reads back as it is written", arguments: held.map(\.held) + ["queue:*:put", "agent:a.b_c-1*"])
    func roundTrip(_ text: String) throws {
        #expect(try #require(Scope(text)).description == text)
    }

    @Test(
        "What is no scope is refused",
        arguments: [
            "", "AI", "ai ", " ai", "ai:", "root", "*", "queue", "queue:jobs", "queue:jobs:", "queue::put",
            "queue:jobs:peek", "queue:jobs:put:more", "queue:*jobs:put", "queue:jo*bs:put", "queue:**:put",
            "queue:.jobs:put", "queue:jo bs:put",
            "agent", "agent:", "agent:a/b", "knowledge:jobs", "knowledge:jobs:put", "admin:*", "metrics:all",
            "agent:" + String(repeating: "a", count: 129),
        ])
    func refused(_ text: String) { #expect(Scope(text) == nil) }

    @Test("A pattern covers a narrower pattern and never a wider one")
    func patterns() throws {
        let wide = try #require(Scope("queue:team-*:put")), narrow = try #require(Scope("queue:team-a-*:put"))
        #expect(wide.allows(narrow) && !narrow.allows(wide))
        #expect(try !(#require(Scope("queue:team-a:put"))).allows(wide))
    }
}
