import Base

/// The response cache: memory (L1), LMDB (L2), SQLite (L3), each optional, each with a budget. A fill goes into L1
/// and L2 at once, and into L3 at its second use or when L2 pushes it out; a hit below is promoted with the life it has
/// left. Whatever happens to a file, the cache answers on: with what it has, or with a miss.
package final class ResponseCache: Sendable {
    /// Files of up to this size are opened before the first request is served, larger ones behind it.
    private static let quickOpenBytes = 64 << 20

    package let clock = CacheClock()
    package let index = FingerprintIndex()
    let memory: MemoryLayer<KeptAnswer>
    let below: Locked<LowerLayers>
    let life: Locked<LifePolicy>
    let invalidations = Locked(InvalidationLog())
    let readers = WorkerPool(name: "cache-read", threads: 2, waitingMax: 4_096)
    private let current: Locked<CacheConfiguration>
    private let folder: String
    /// Refreshes under way, so that one answer is renewed once at a time.
    let refreshing = Locked<Set<CacheKey>>([])

    /// The layers that keep files; nil until first used.
    struct LowerLayers: Sendable {
        var disk: DiskLayer?
        var archive: DatabaseLayer?
        var isClosed = false
    }

    /// - Parameters:
    ///   - distrust: the last process died in a way that a damaged map may cause: L2 begins anew.
    ///   - waits: large files too are open when this returns.
    package init(folder: String, _ configuration: CacheConfiguration, distrust: Bool = false, waits: Bool = false) {
        self.folder = folder
        current = Locked(configuration)
        life = Locked(LifePolicy(ttl: configuration.ttl))
        var seed = SystemRandomNumberGenerator()
        memory = MemoryLayer(budget: configuration.memory, seed: seed.next())
        memory.isEnabled = configuration.uses(.l1)
        below = Locked(LowerLayers())
        let bytes = ["/cache.lmdb", "/" + DatabaseLayer.fileName].map { SmallFile.size(folder + $0) ?? 0 }
        if waits || bytes.reduce(0, +) <= Self.quickOpenBytes {
            openLayers(configuration, distrust: distrust)
        } else {
            _ = OSThread.start("cache-open") { self.openLayers(configuration, distrust: distrust) }
        }
    }

    package var configuration: CacheConfiguration { current.withLock { $0 } }

    private func openLayers(_ configuration: CacheConfiguration, distrust: Bool) {
        let (clock, folder, index) = (clock, folder, index)
        if configuration.uses(.l3), below.withLock({ $0.archive == nil && !$0.isClosed }) {
            let archive = DatabaseLayer(folder: folder, budget: configuration.database, index: index)
            below.withLock { $0.archive = archive }
        }
        guard configuration.uses(.l2), below.withLock({ $0.disk == nil && !$0.isClosed }) else { return }
        var options = DiskLayer.Options(budget: configuration.disk)
        options.distrust = distrust
        var events = DiskEvents()
        events.present = { index.insert($0, .l2) }
        events.gone = { index.remove($0, .l2) }
        events.emptied = { index.removeAll(.l2) }
        events.evicted = { [below] key, answer in below.withLock { $0.archive }?.admit(key, answer) }
        let disk = DiskLayer(folder: folder, options: options, events: events) { clock.now() }
        below.withLock { $0.disk = disk }
    }

    /// New requests see the new settings. A layer whose budget or flag is new is opened, resized or switched off; its
    /// file stays. May block for the time a file takes to open: not for event loops.
    package func reload(_ new: CacheConfiguration) {
        let old = current.withLock { current in
            defer { current = new }
            return current
        }
        guard old != new else { return }
        if old.ttl != new.ttl { life.withLock { $0 = LifePolicy(ttl: new.ttl) } }
        memory.isEnabled = new.uses(.l1)
        if new.memory.bytes > 0 { _ = memory.resize(new.memory) }
        openLayers(new, distrust: false)
        let (disk, archive) = below.withLock { ($0.disk, $0.archive) }
        if new.disk.bytes > 0 { disk?.setBudget(new.disk) }
        disk?.setEnabled(new.uses(.l2))
        if new.database.bytes > 0 { archive?.setBudget(new.database) }
        archive?.setOn(new.uses(.l3))
    }

    /// Stores what waits and closes the files. Blocks.
    package func close() {
        let (disk, archive) = below.withLock { below in
            below.isClosed = true
            return (below.disk, below.archive)
        }
        readers.close()
        disk?.close()  // first: what it pushes out goes to the archive
        archive?.close()
    }
}
