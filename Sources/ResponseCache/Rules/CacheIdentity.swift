package import Base
import Crypto
package import NIOCore

/// Whose request it is and for what: all of the key that does not stand in the body.
package struct CacheScope: Sendable {
    package var tenant: String
    /// `X-Weir-Namespace`; empty for none.
    package var namespace: String
    package var family: AnswerFamily
    /// The name the provider knows it by, never an alias.
    package var model: String
    /// The request's query as sent (`beta=true`): it reaches the provider.
    package var query: String?
    package var headers: HeaderFields

    package init(
        tenant: String, namespace: String = "", family: AnswerFamily, model: String, query: String? = nil,
        headers: HeaderFields = HeaderFields()
    ) {
        self.tenant = tenant
        self.namespace = namespace
        self.family = family
        self.model = model
        self.query = query
        self.headers = headers
    }

    /// The headers that change an answer. Their values are compared as sent, each line for itself.
    package static let headerNames = [
        "anthropic-beta", "anthropic-version", "openai-organization", "openai-project", "openai-beta",
    ]

    /// Every part stands behind its length, so that no two scopes are written alike.
    fileprivate func write(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(CacheIdentity.version, family.rawValue)
        for text in [tenant, namespace, model, query ?? ""] { write(text, into: &buffer) }
        for (index, name) in Self.headerNames.enumerated() {
            for field in headers.fields where equalIgnoringCase(field.name, name) {
                buffer.writeInteger(UInt8(index + 1))
                write(field.value, into: &buffer)
            }
        }
        buffer.writeInteger(UInt8(0))
    }

    private func write(_ text: String, into buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt32(text.utf8.count), endianness: .little)
        buffer.writeString(text)
    }
}

/// What makes two requests the same: every byte of `request`, of which `key` is the SHA-256.
package struct CacheIdentity: Hashable, Sendable {
    /// Raise it when the canonical form or a field's place changes: older entries are then never found.
    static let version: UInt8 = 1

    package let key: CacheKey
    /// Kept with the answer and compared on every hit.
    package let request: ByteBuffer
    private let bodyOffset: Int

    fileprivate init(_ scope: CacheScope, length: Int, body: (inout ByteBuffer) -> Void) {
        var request = ByteBufferAllocator().buffer(capacity: length + 256)
        scope.write(into: &request)
        bodyOffset = request.readableBytes
        body(&request)
        self.request = request
        key = request.withUnsafeReadableBytes { bytes in
            var digest = SHA256()
            digest.update(bufferPointer: bytes)
            guard let key = digest.finalize().withUnsafeBytes(CacheKey.init(bytes:)) else {
                preconditionFailure("SHA-256 has 32 bytes")
            }
            return key
        }
    }

    /// The same request in another scope: under the model that answered in place of the one that was asked. O(n).
    package func moved(to scope: CacheScope) -> CacheIdentity {
        let body = canonicalBody
        return CacheIdentity(scope, length: body.readableBytes) { $0.writeImmutableBuffer(body) }
    }

    /// The canonical JSON of the request, without its model and what the key ignores.
    package var canonicalBody: ByteBuffer {
        guard let body = request.getSlice(at: bodyOffset, length: request.readableBytes - bodyOffset) else {
            preconditionFailure("an identity holds its body")
        }
        return body
    }

    package static func == (a: CacheIdentity, b: CacheIdentity) -> Bool { a.key == b.key && a.request == b.request }

    package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

/// A request as the cache sees it.
package struct CacheInquiry: Sendable {
    package let cacheability: Cacheability
    /// Nil when the request goes past the cache.
    package let identity: CacheIdentity?

    /// One pass over the body, and one copy and one digest of it when the request may be cached; none of them when the
    /// client or the policy wants no cache.
    package init(_ body: ByteBuffer, _ scope: CacheScope, _ policy: CachePolicy, _ directives: CacheDirectives) {
        var facts = RequestFacts(
            family: scope.family, policy: policy, optsIn: directives.maxAge != nil, noStore: directives.noStore,
            namesCollections: !directives.collections.isEmpty)
        if facts.noStore || policy == .off || body.readableBytes == 0 {
            facts.failure = .invalidJSON
            (cacheability, identity) = (CacheRule.decide(facts), nil)
            return
        }
        (cacheability, identity) = body.withUnsafeReadableBytes { bytes in
            let input = bytes.bindMemory(to: UInt8.self)
            let capacity = CanonicalScanner.capacity(for: input.count)
            return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { output in
                Self.inquire(input, output, scope, &facts)
            }
        }
    }

    private static func inquire(
        _ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutableBufferPointer<UInt8>, _ scope: CacheScope,
        _ facts: inout RequestFacts
    ) -> (Cacheability, CacheIdentity?) {
        guard let room = output.baseAddress else { preconditionFailure("an empty body is refused before") }
        var scanner = CanonicalScanner(input, output: room, family: facts.family)
        do throws(BypassReason) { try scanner.scan() } catch { facts.failure = error }
        facts.traits = scanner.traits
        if facts.failure == nil, !facts.isFixed, !facts.namesCollections, !scanner.question.isEmpty,
            VolatileWords.appear(in: scanner.question, of: room)
        {
            facts.traits.insert(.volatileWording)
        }
        let decision = CacheRule.decide(facts)
        guard case .cacheable = decision else { return (decision, nil) }
        return (decision, CacheIdentity(scope, length: scanner.end) { scanner.write(into: &$0) })
    }
}
