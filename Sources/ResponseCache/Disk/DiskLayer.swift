package import Base
internal import LMDB
internal import NIOCore
import Synchronization

/// The second layer of the cache: `cache.lmdb` in the data folder, which outlives the process. Answers are read on the
/// caller's thread, in place; one writer thread stores, evicts in the order of storing, and drops what is past its
/// time. Its file is disposable: on any doubt it is put aside and made anew, and the cache goes on without it.
package final class DiskLayer: Sendable {
    /// How the layer works; all but the budget has a default.
    package struct Options: Sendable {
        /// The file's largest size, at least 1 MiB. An entry may take a fifth of it.
        package var budget: ByteCount
        package var isEnabled = true
        /// Do not use what an earlier process left: it died in a way that may come from the file.
        package var distrust = false
        /// Names this boot of the machine.
        package var bootID: String = DiskFile.currentBootID()
        /// Answers that may wait for the writer; further ones are dropped.
        package var waitingMax = 4_096
        package var waitingBytesMax = ByteCount.mebibytes(32)

        package init(budget: ByteCount) { self.budget = budget }
    }

    let shared: DiskShared
    private let thread: Mutex<OSThread?>

    /// Opens the file, or makes it. Reads every page in use once: up to a second for a GiB.
    /// Does not throw: a layer that cannot be opened is off, and says why in its statistics.
    package init(
        folder: String, options: Options, events: DiskEvents = DiskEvents(), now: @escaping @Sendable () -> UnixTime
    ) {
        let shared = DiskShared(options)
        self.shared = shared
        let file = DiskFile(folder: folder, bootID: options.bootID)
        let writer = DiskWriter(shared: shared, file: file, events: events, now: now)
        writer.open(distrust: options.distrust)
        thread = Mutex(OSThread.start("cache-disk") { writer.run() })
    }

    deinit { close() }

    /// The stored answer, whole and unexpired; nil on a miss or when the layer is off. May wait for the disk: not for
    /// event loops. O(log n) and one copy.
    package func answer(for key: CacheKey, now: UnixTime) -> CachedAnswer? {
        guard shared.isEnabled.load(ordering: .relaxed), let store = shared.store.withLock({ $0 }) else { return nil }
        let answer = look(key, now, store)
        shared.statistics.withLock {
            if answer == nil { $0.misses += 1 } else { $0.hits += 1 }
        }
        return answer
    }

    private func look(_ key: CacheKey, _ now: UnixTime, _ store: DiskStore) -> CachedAnswer? {
        do {
            switch try store.lookup(key) {
            case .found(let answer): return answer.facts.usableUntil > now ? answer : nil
            case .absent: return nil
            case .damaged(let sequence):
                shared.statistics.withLock { $0.corrupt += 1 }
                _ = shared.mailbox.offer(.discard(key, sequence: sequence))  // else the next read finds it
            }
        } catch let failure as LMDBFailure where failure.kind == .closed || failure.kind == .readersFull {
            return nil
        } catch {
            shared.statistics.withLock { $0.corrupt += 1 }
            _ = shared.mailbox.offer(.renew("\(error)"))
        }
        return nil
    }

    /// Hands an answer to the writer. False when it will not be stored: the layer is off, or too much waits.
    @discardableResult
    package func store(_ key: CacheKey, _ answer: CachedAnswer) -> Bool {
        guard shared.isEnabled.load(ordering: .relaxed) else { return false }
        if shared.reserve(answer.weight) {
            if shared.mailbox.offer(.store(key, answer)) { return true }
            shared.release(answer.weight)
        }
        shared.statistics.withLock { $0.dropped += 1 }
        return false
    }

    /// Removes what the selector takes, stored before this call, whether the layer is on or off.
    /// - Parameter completion: called on the writer thread with how many went, once that is on the disk.
    package func remove(
        _ selector: CacheSelector, completion: @escaping @Sendable (Result<Int, DiskLayerFailure>) -> Void
    ) {
        if !shared.mailbox.offer(.remove(selector, completion)) { completion(.failure(.busy)) }
    }

    /// Removes everything; see `remove`.
    package func clear(completion: @escaping @Sendable (Result<Int, DiskLayerFailure>) -> Void) {
        remove(CacheSelector(.all, tenant: nil), completion: completion)
    }

    /// Calls back on the writer thread when all that was handed over before is done; at once when closed.
    package func drain(_ done: @escaping @Sendable () -> Void) {
        if !shared.mailbox.offer(.drain(done)) { done() }
    }

    /// Takes effect soon; a smaller budget evicts, and then makes the file smaller too.
    package func setBudget(_ budget: ByteCount) {
        shared.budget.store(max(budget, DiskShared.budgetMin).bytes, ordering: .relaxed)
        shared.mailbox.wake()
    }

    /// While off, nothing is answered or stored; what is there stays, ages, and can be removed.
    package func setEnabled(_ isEnabled: Bool) {
        shared.isEnabled.store(isEnabled, ordering: .relaxed)
        shared.statistics.withLock { $0.isEnabled = isEnabled }
    }

    package var statistics: DiskStatistics { shared.statistics.withLock { $0 } }

    /// Stores what waits, syncs and closes: the next start trusts the file even after a reboot.
    package func close() {
        shared.mailbox.close()
        thread.withLock { $0.take() }?.join()
    }
}

/// What the callers' threads and the writer share.
final class DiskShared: Sendable {
    enum Job: Sendable {
        case store(CacheKey, CachedAnswer)
        case remove(CacheSelector, @Sendable (Result<Int, DiskLayerFailure>) -> Void)
        case discard(CacheKey, sequence: UInt64)
        case renew(String)
        case drain(@Sendable () -> Void)
    }

    /// Beside the answers that may wait, this many other jobs may: removals are never pushed out by answers.
    static let otherJobsMax = 1_024
    /// Smaller budgets are raised to this: see `DiskWriter.headroomPagesMin`.
    static let budgetMin = ByteCount.mebibytes(1)

    let mailbox: Mailbox<Job>
    let store = Mutex<DiskStore?>(nil)
    let statistics: Mutex<DiskStatistics>
    let budget: Atomic<Int>
    let isEnabled: Atomic<Bool>
    private let waiting = Atomic(0), waitingBytes = Atomic(0)
    private let waitingMax: (count: Int, bytes: Int)

    init(_ options: DiskLayer.Options) {
        precondition(options.waitingMax > 0)
        mailbox = Mailbox(capacity: options.waitingMax + Self.otherJobsMax)
        var statistics = DiskStatistics()
        statistics.budget = max(options.budget, Self.budgetMin)
        statistics.isEnabled = options.isEnabled
        self.statistics = Mutex(statistics)
        budget = Atomic(max(options.budget, Self.budgetMin).bytes)
        isEnabled = Atomic(options.isEnabled)
        waitingMax = (options.waitingMax, options.waitingBytesMax.bytes)
    }

    /// Counts one more waiting answer; false when there is no room for it.
    func reserve(_ bytes: Int) -> Bool {
        let count = waiting.add(1, ordering: .relaxed).newValue
        let total = waitingBytes.add(bytes, ordering: .relaxed).newValue
        if count <= waitingMax.count && total <= waitingMax.bytes { return true }
        release(bytes)
        return false
    }

    func release(_ bytes: Int) {
        let left = waiting.subtract(1, ordering: .relaxed).newValue
        precondition(left >= 0, "released twice")
        waitingBytes.subtract(bytes, ordering: .relaxed)
    }
}
