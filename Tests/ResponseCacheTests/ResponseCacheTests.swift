import Base
import FoundationEssentials
import NIOCore
import SQLite
import Testing

@testable import ResponseCache

/// The layers together, as the gateway uses them.
@Suite struct LayersTests {
    private let folder = "/tmp/weir-layers-" + hexadecimal(secureRandomBytes(8))

    private func makeCache(_ change: (inout CacheConfiguration) -> Void = { _ in }) throws -> ResponseCache {
        var configuration = CacheConfiguration(
            memory: .mebibytes(4), disk: .mebibytes(16), database: .mebibytes(16))
        change(&configuration)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return ResponseCache(folder: folder, configuration)
    }

    private func identity(_ text: String, tenant: String = "a") throws -> CacheIdentity {
        let body = ByteBuffer(string: #"{"model":"m","messages":[{"role":"user","content":"\#(text)"}]}"#)
        let scope = CacheScope(tenant: tenant, family: .chat, model: "m")
        return try #require(CacheInquiry(body, scope, .all, CacheDirectives()).identity)
    }

    private func answer(_ identity: CacheIdentity, _ text: String, tags: [String] = []) -> CachedAnswer {
        let zero = UnixTime(microseconds: 0)
        let facts = AnswerFacts(
            family: .chat, shape: .document, life: .ordinary, tenant: "a", model: "m", provider: "p", tags: tags,
            contentType: "application/json", created: zero, freshUntil: zero, usableUntil: zero)
        return CachedAnswer(request: identity.request, body: ByteBuffer(string: text), facts: facts)
    }

    private func found(_ cache: ResponseCache, _ identity: CacheIdentity) throws -> (body: String, layer: CacheLayer)? {
        var finding = cache.look(identity, CacheDirectives())
        if case .below(let layers) = finding {
            let done = Handover<CacheFinding>()
            guard cache.lookBelow(identity, layers, CacheDirectives(), then: { done.put(.success($0)) }) else {
                return nil
            }
            finding = try done.take()
        }
        guard case .found(let kept, let layer, .fresh) = finding else { return nil }
        return (String(buffer: kept.answer.body), layer)
    }

    private func removed(_ cache: ResponseCache, _ selector: CacheSelector) throws -> RemovedEntries {
        let done = Handover<Result<RemovedEntries, any Error>>()
        cache.remove(selector) { done.put(.success($0)) }
        return try done.take().get()
    }

    @Test("an answer is found in memory, after a restart in L2, then in memory again with the life it has left")
    func restart() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let one = try identity("one")
        var cache = try makeCache()
        let kept = try #require(cache.keep(one, answer(one, "first"), since: cache.beginFill()))
        #expect(try found(cache, one)?.layer == .l1)
        cache.close()
        cache = try makeCache()
        let first = try #require(try found(cache, one))
        #expect(first == ("first", .l2))
        guard case .found(let again, .l1, .fresh) = cache.look(one, CacheDirectives()) else {
            Issue.record("not promoted")
            return
        }
        #expect(again.facts.freshUntil == kept.facts.freshUntil && again.facts.created == kept.facts.created)
        cache.close()
    }

    @Test("35: an invalidation that comes while an answer is made keeps it out of every layer")
    func invalidationRacesFill() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cache = try makeCache()
        defer { cache.close() }
        let (one, two) = (try identity("one"), try identity("two"))
        let generation = cache.beginFill()
        #expect(try removed(cache, CacheSelector(.tag("t"), tenant: "a")) == RemovedEntries())
        #expect(cache.keep(one, answer(one, "old", tags: ["t"]), since: generation) == nil)
        #expect(cache.keep(two, answer(two, "other"), since: generation) != nil)
        try cache.flush()
        #expect(try found(cache, one) == nil)
        #expect(try found(cache, two)?.body == "other")
        #expect(cache.keep(one, answer(one, "new", tags: ["t"]), since: cache.beginFill()) != nil)
        #expect(try found(cache, one)?.body == "new")
    }

    @Test("a fill that began before more invalidations than are remembered is dropped")
    func forgottenInvalidations() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cache = try makeCache {
            $0.disk = ByteCount(bytes: 0); $0.database = ByteCount(bytes: 0)
        }
        defer { cache.close() }
        let one = try identity("one")
        let generation = cache.beginFill()
        for _ in 0...InvalidationLog.remembered { _ = try removed(cache, CacheSelector(.tag("x"), tenant: "b")) }
        #expect(cache.keep(one, answer(one, "a"), since: generation) == nil)
    }

    @Test("24: a digest that two requests share does not mix up their answers")
    func forcedCollision() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cache = try makeCache()
        defer { cache.close() }
        let (one, two) = (try identity("one"), try identity("two"))
        // As if the digest of the second were the first's.
        let forged = KeptAnswer(one.key, answer(two, "wrong"))
        cache.remember(forged)
        #expect(try found(cache, one) == nil)
    }

    @Test("removal by key, tag, model, namespace or all takes the entry from every layer and stays within the tenant")
    func removals() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cache = try makeCache()
        defer { cache.close() }
        let one = try identity("one")
        for what in [CacheSelector.What.key(one.key), .tag("t"), .model("m"), .namespace(""), .all] {
            _ = cache.keep(one, answer(one, "x", tags: ["t"]), since: cache.beginFill())
            try cache.flush()
            #expect(try removed(cache, CacheSelector(what, tenant: "b")) == RemovedEntries(), "\(what)")
            let taken = try removed(cache, CacheSelector(what, tenant: "a"))
            #expect(taken.memory == 1 && taken.disk == 1, "\(what)")
            #expect(try found(cache, one) == nil, "\(what)")
        }
    }

    @Test("each layer can be switched off and on while running, and the others go on")
    func switches() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cache = try makeCache()
        defer { cache.close() }
        let one = try identity("one")
        _ = cache.keep(one, answer(one, "x"), since: cache.beginFill())
        try cache.flush()
        var configuration = cache.configuration
        configuration.layers = [.l2, .l3]
        cache.reload(configuration)
        #expect(try found(cache, one)?.layer == .l2)
        configuration.layers = []
        cache.reload(configuration)
        #expect(try found(cache, one) == nil)
        configuration.layers = [.l1, .l2, .l3]
        cache.reload(configuration)
        #expect(try found(cache, one)?.layer == .l2)
        #expect(try found(cache, one)?.layer == .l1)
    }

    @Test("a life of zero, and an answer above the limit, are not kept")
    func notKept() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cache = try makeCache { $0.ttl = .zero }
        defer { cache.close() }
        let one = try identity("one")
        #expect(cache.keep(one, answer(one, "x"), since: cache.beginFill()) == nil)
        var configuration = cache.configuration
        configuration.ttl = .seconds(60)
        configuration.entryBytesMax = 2_000
        cache.reload(configuration)
        #expect(cache.keep(one, answer(one, "x"), since: cache.beginFill()) != nil)
        #expect(cache.keep(one, answer(one, String(repeating: "x", count: 3_000)), since: cache.beginFill()) == nil)
    }

    @Test("a wall clock that jumps while the process runs changes no life")
    func clockJumps() {
        let start = MonotonicInstant(nanoseconds: 5_000_000_000)
        let clock = CacheClock(wall: UnixTime(microseconds: 1_000_000), instant: start)
        #expect(clock.now(start.advanced(by: .seconds(2))) == UnixTime(microseconds: 3_000_000))
        #expect(clock.instant(of: UnixTime(microseconds: 3_000_000)) == start.advanced(by: .seconds(2)))
        #expect(clock.instant(of: UnixTime(microseconds: .min)) == start)
        #expect(clock.instant(of: UnixTime(microseconds: .max)) == .distantFuture)
    }
}
