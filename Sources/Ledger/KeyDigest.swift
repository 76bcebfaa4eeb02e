import Crypto

/// SHA-256 of a key's secret: what is stored and looked up, so that the file holds nothing to log in with.
struct KeyDigest: Sendable {
    static let byteCount = 32

    /// The digest's bytes, four times eight.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// Hashes a secret.
    init(of secret: UnsafeRawBufferPointer) {
        var hash = SHA256()
        hash.update(bufferPointer: secret)
        words = hash.finalize().withUnsafeBytes { Self.words($0) }
    }

    init(of secret: String) {
        var secret = secret
        self = secret.withUTF8 { KeyDigest(of: UnsafeRawBufferPointer($0)) }
    }

    /// Nil unless it has the length of a digest.
    init?(stored bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        words = bytes.withUnsafeBytes { Self.words($0) }
    }

    var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

    /// The first eight bytes, to find the few that may be equal.
    var prefix: UInt64 { words.0 }

    /// Looks at all 32 bytes whatever the first ones say: the clock tells a guesser nothing.
    func isEqual(_ other: KeyDigest) -> Bool {
        let (a, b) = (words, other.words)
        return (a.0 ^ b.0) | (a.1 ^ b.1) | (a.2 ^ b.2) | (a.3 ^ b.3) == 0
    }

    private static func words(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64, UInt64, UInt64) {
        precondition(bytes.count == byteCount)
        func word(_ index: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self) }
        return (word(0), word(1), word(2), word(3))
    }
}
