internal import Base

/// Whose key a caller presented.
package enum KeyLookup: Sendable {
    case known(Principal)
    /// Always 401, wherever the caller comes from.
    case revoked
    case unknown
}

/// All keys in memory, for every request: no file, one short lock, about half a microsecond. `KeyStore` replaces its
/// content after each change.
package final class KeyRing: Sendable {
    /// What is longer is no key and is not even hashed.
    package static let presentedBytesMax = 512

    struct Entry: Sendable {
        let digest: KeyDigest
        /// Nil: revoked.
        let principal: Principal?
    }

    private final class Snapshot: Sendable {
        let entries: [UInt64: [Entry]]
        init(_ list: [Entry]) { entries = Dictionary(grouping: list) { $0.digest.prefix } }
    }

    private let snapshot = Locked(Snapshot([]))

    package init() {}

    /// Whose key these bytes are. Takes the same time for every key of the same length.
    package func identify(_ presented: UnsafeRawBufferPointer) -> KeyLookup {
        guard presented.count > 0, presented.count <= Self.presentedBytesMax else { return .unknown }
        let digest = KeyDigest(of: presented)
        let current = snapshot.withLock { $0 }
        guard let entry = current.entries[digest.prefix]?.first(where: { $0.digest.isEqual(digest) })
        else { return .unknown }
        return entry.principal.map(KeyLookup.known) ?? .revoked
    }

    /// The same for the text after `Bearer ` or of `x-api-key`.
    package func identify(_ presented: some StringProtocol) -> KeyLookup {
        let whole = presented.utf8.withContiguousStorageIfAvailable { identify(UnsafeRawBufferPointer($0)) }
        return whole ?? Array(presented.utf8).withUnsafeBytes { identify($0) }
    }

    /// Of two entries with one digest the first counts.
    func replace(_ entries: [Entry]) {
        let next = Snapshot(entries)
        snapshot.withLock { $0 = next }
    }
}
