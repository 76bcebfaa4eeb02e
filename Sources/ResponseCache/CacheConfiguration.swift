package import Base

/// What the settings decide of the cache.
package struct CacheConfiguration: Hashable, Sendable {
    /// Budgets of the layers; zero switches one off.
    package var memory: ByteCount
    package var disk: ByteCount
    package var database: ByteCount
    /// Layers that are switched on.
    package var layers: CacheLayers
    /// Nil for `auto`.
    package var ttl: Duration?
    package var windows: StaleWindows
    /// Answers larger than this are not kept.
    package var entryBytesMax: Int

    package init(
        memory: ByteCount, disk: ByteCount, database: ByteCount, layers: CacheLayers = [.l1, .l2, .l3],
        ttl: Duration? = nil, windows: StaleWindows = StaleWindows(), entryBytesMax: Int = 8 << 20
    ) {
        self.memory = memory
        self.disk = disk
        self.database = database
        self.layers = layers
        self.ttl = ttl
        self.windows = windows
        self.entryBytesMax = entryBytesMax
    }

    /// The layer is switched on and has a budget.
    package func uses(_ layer: CacheLayer) -> Bool {
        let budget =
            switch layer {
            case .l1: memory
            case .l2: disk
            case .l3: database
            }
        return budget.bytes > 0 && layers.contains(CacheLayers(layer))
    }
}
