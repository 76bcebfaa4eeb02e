/// What names an answer in every layer: a 256-bit digest (SHA-256) of all that makes two requests the same. Equal keys
/// are still not trusted: the canonical request is compared on every hit.
package struct CacheKey: Hashable, Sendable {
    package static let byteCount = 32

    /// The digest's bytes, four times eight, in memory order.
    package let words: (UInt64, UInt64, UInt64, UInt64)

    package init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// Nil unless there are exactly `byteCount` bytes.
    package init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        words = bytes.loadUnaligned(as: (UInt64, UInt64, UInt64, UInt64).self)
    }

    /// The digest's bytes, valid inside the closure.
    package func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try Swift.withUnsafeBytes(of: words, body)
    }

    /// A digest is uniform already: any eight of its bytes are a good hash.
    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

    package static func == (a: CacheKey, b: CacheKey) -> Bool {
        a.words.0 == b.words.0 && a.words.1 == b.words.1 && a.words.2 == b.words.2 && a.words.3 == b.words.3
    }
}
