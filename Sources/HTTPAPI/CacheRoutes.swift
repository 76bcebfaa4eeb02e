import Base
import FoundationEssentials
import Gateway
import Ledger
import Logging
import NIOCore
import ResponseCache
import Settings
import Telemetry

/// The response cache: what it holds, taking answers out, taking earlier ones in.
enum CacheRoutes {
    static let all = [
        APIRoute(
            "GET", "/cache", .guarded(.admin),
            "Layers, hit ratios, lives; ?recent=N &tenant= adds the newest entries of L3 and its sums by model", show),
        APIRoute(
            "DELETE", "/cache", .guarded(.ai),
            "Removes answers for good: one of key, tag, collection, model, namespace (texts) or all (true). Of the"
                + " caller's tenant; with admin of all, or of one \"tenant\"", takesBody: true, remove),
        APIRoute(
            "POST", "/cache/import", .guarded(.admin),
            "Takes answers of past traffic in: lines (at most \(AnswerImport.linesMax) texts, as weir cache import"
                + " reads them), tenant, namespace", takeIn),
    ]

    /// A removal that takes longer goes on unwatched: below what clients usually wait.
    private static let removalWait = Duration.seconds(25)

    private static func cache(_ call: APICall) throws -> ResponseCache {
        guard let cache = call.server.gateway.cache else { throw Rejection(404, "not_found", "there is no cache") }
        return cache
    }

    // MARK: Showing

    private static func show(_ call: APICall) throws -> APIAnswer {
        let cache = try cache(call)
        var members = cache.report().members(call.server.gateway.cacheTraffic)
        if let recent = try call.number("recent") {
            guard (0...Int64(Limits.requestLogPageMax)).contains(recent) else {
                throw Rejection(422, "invalid_recent", "recent must be 0 to \(Limits.requestLogPageMax)")
            }
            let tenant = call.query("tenant")
            let entries = recent == 0 ? [] : try cache.archive?.recent(limit: Int(recent), tenant: tenant)
            members.append(("recent", .array((entries ?? []).map(\.json))))
            members.append(("models", .array((try cache.archive?.totals(tenant: tenant) ?? []).map(\.json))))
        }
        return .json(200, .object(members))
    }

    // MARK: Removing

    private static func remove(_ call: APICall) throws -> APIAnswer {
        let selector = try selector(call.body, call.request.principal)
        guard let removed = try cache(call).remove(selector, waiting: removalWait) else {
            throw Rejection(503, "try_again", "the removal goes on and takes long; send it again to see its end")
        }
        let counts: [(String, JSONValue)] = [
            ("l1", JSONValue(removed.memory)), ("l2", JSONValue(removed.disk)), ("l3", JSONValue(removed.database)),
        ]
        return .json(200, .object([("removed", .object(counts))]))
    }

    private static let oneOf =
        #"send exactly one of "key" (64 hexadecimal digits), "tag", "collection", "model", "namespace" or "all": true"#

    /// What to remove, within the caller's tenant unless it is an operator.
    static func selector(_ body: [UInt8], _ principal: Principal) throws -> CacheSelector {
        var whats: [CacheSelector.What] = []
        var tenant: String?
        for (name, value) in try members(body) {
            switch (name, value) {
            case ("key", let text?): whats.append(.key(try key(text)))
            case ("tag", let text?) where isValidName(text): whats.append(.tag(text))
            case ("collection", let text?) where isValidName(text): whats.append(.collection(text))
            case ("namespace", let text?) where isValidName(text): whats.append(.namespace(text))
            case ("model", let text?): whats.append(.model(text))
            case ("all", nil): whats.append(.all)
            case ("tenant", let text?) where isValidName(text): tenant = text
            default: throw Rejection(422, "invalid_\(isValidName(name) ? name : "member")", oneOf)
            }
        }
        guard whats.count == 1 else { throw Rejection(422, "invalid_selector", oneOf) }
        if principal.allows(.admin) { return CacheSelector(whats[0], tenant: tenant) }
        guard tenant == nil || tenant == principal.tenant else {
            throw Rejection(403, "scope_missing", "only the scope 'admin' reaches other tenants' answers")
        }
        return CacheSelector(whats[0], tenant: principal.tenant)
    }

    /// The body's members: a text, or nil for `true`.
    private static func members(_ body: [UInt8]) throws -> [(name: String, value: String?)] {
        var found: [(name: String, value: String?)] = []
        do {
            try body.withUnsafeBytes { bytes in
                var scanner = JSONScanner(bytes)
                try scanner.scanObject { member in
                    let (key, value) = (bytes[member.key], bytes[member.value])
                    let (name, text) = (JSONText.decodeContent(key) ?? "", JSONText.decodeString(value))
                    // Anything else than a text or true makes the name one that nobody knows.
                    found.append((text != nil || value.elementsEqual("true".utf8) ? name : "", text))
                }
            }
        } catch {
            throw Rejection(body.isEmpty ? 422 : 400, "invalid_body", oneOf)
        }
        return found
    }

    private static func key(_ text: String) throws -> CacheKey {
        let digits = text.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == CacheKey.byteCount * 2, text.utf8.count == digits.count,
            let key = stride(from: 0, to: digits.count, by: 2).map({ UInt8(digits[$0] << 4 | digits[$0 + 1]) })
                .withUnsafeBytes(CacheKey.init(bytes:))
        else { throw Rejection(422, "invalid_key", oneOf) }
        return key
    }

    // MARK: Taking in

    private struct Batch: Decodable {
        var tenant: String?
        var namespace: String?
        var lines: [String]
    }

    private static func takeIn(_ call: APICall) throws -> APIAnswer {
        guard let batch = try? JSONDecoder().decode(Batch.self, from: Data(call.body)),
            (1...AnswerImport.linesMax).contains(batch.lines.count)
        else {
            throw Rejection(422, "invalid_lines", #"send {"lines":["…"]} with 1 to \#(AnswerImport.linesMax) texts"#)
        }
        let (tenant, namespace) = (batch.tenant ?? Principal.anonymous.tenant, batch.namespace ?? "")
        guard isValidName(tenant), namespace.isEmpty || isValidName(namespace) else {
            throw Rejection(422, "invalid_name", "tenant and namespace must be names of A-Z a-z 0-9 . _ -")
        }
        guard let importer = call.server.gateway.answerImport else {
            throw Rejection(404, "not_found", "there is no cache")
        }
        let lines = batch.lines.map(ByteBuffer.init(string:))
        let tally = try importer.take(lines, tenant: tenant, namespace: namespace)
        return .json(200, String(decoding: try JSONEncoder().encode(tally), as: UTF8.self))
    }
}
