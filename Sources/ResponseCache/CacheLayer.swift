/// A place where answers are kept, the fastest first. The raw text is what people read in `Cache-Status` and metrics.
package enum CacheLayer: String, Sendable, CaseIterable {
    /// Memory.
    case l1
    /// LMDB.
    case l2
    /// SQLite.
    case l3
}

/// Some of the layers.
package struct CacheLayers: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package init(_ layer: CacheLayer) {
        switch layer {
        case .l1: self = .l1
        case .l2: self = .l2
        case .l3: self = .l3
        }
    }

    package static let l1 = CacheLayers(rawValue: 1)
    package static let l2 = CacheLayers(rawValue: 2)
    package static let l3 = CacheLayers(rawValue: 4)
}
