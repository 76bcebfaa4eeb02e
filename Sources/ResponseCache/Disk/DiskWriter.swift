internal import Base
internal import LMDB
internal import NIOCore
import Synchronization

/// The one thread that changes `cache.lmdb`. Jobs that came together share a transaction.
final class DiskWriter: @unchecked Sendable {  // opened by its maker, then used by its own thread alone
    typealias Job = DiskShared.Job

    let shared: DiskShared
    let file: DiskFile
    let events: DiskEvents
    let now: @Sendable () -> UnixTime
    /// The budget that the file was opened or resized for.
    var budget = ByteCount(bytes: 0)
    var nextAttempt = MonotonicInstant(nanoseconds: 0)
    private var lastMinute: Int64 = .min

    static let jobsMax = 1_024
    /// Entries removed in one transaction: each needs a few pages beside it, and readers wait for none of it.
    static let slice = 128
    static let attemptsMax = 6

    init(shared: DiskShared, file: DiskFile, events: DiskEvents, now: @escaping @Sendable () -> UnixTime) {
        self.shared = shared
        self.file = file
        self.events = events
        self.now = now
    }

    var store: DiskStore? { shared.store.withLock { $0 } }

    /// Pages that may be in use: the rest of the map is for copies on write (a commit's old pages come free two commits
    /// later), for pages that readers still see, and for gaps too small for large entries.
    var pagesMax: Int {
        guard let store else { return 0 }
        let pages = budget.bytes / store.environment.pageSize
        return min(pages * 85 / 100, pages - Self.headroomPagesMin)
    }

    /// Some three small commits.
    static let headroomPagesMin = 64

    func run() {
        while let jobs = shared.mailbox.take(waiting: .seconds(5), atMost: Self.jobsMax) {
            keepUp()
            work(jobs)
        }
        finish()
    }

    /// What does not wait for a job: a lost file, a new budget, minutes that are over.
    private func keepUp() {
        guard let store else { return retryOpening() }
        guard (try? store.environment.isInPlace()) == true else {
            return renew("the file was deleted or replaced", keepingCopy: false)
        }
        if shared.budget.load(ordering: .relaxed) != budget.bytes { resize() }
        let minute = now().seconds / 60
        if minute != lastMinute {
            lastMinute = minute
            expire()
        }
    }

    private func work(_ jobs: [Job]) {
        var batch: [(CacheKey, CachedAnswer)] = []
        var bytes = 0
        let bytesMax = min(4 << 20, budget.bytes / 16)
        func flush() {
            put(batch)
            for (_, answer) in batch { shared.release(answer.weight) }
            (batch, bytes) = ([], 0)
        }
        for job in jobs {
            if case .store(let key, let answer) = job {
                if bytes + answer.weight > bytesMax, !batch.isEmpty { flush() }
                batch.append((key, answer))
                bytes += answer.weight
                continue
            }
            flush()
            switch job {
            case .store: break
            case .remove(let selector, let completion): completion(remove(selector))
            case .discard(let key, let sequence): discard(key, sequence)
            case .renew(let why): if store != nil { renew(why, keepingCopy: true) }
            case .drain(let done): done()
            }
        }
        flush()
    }

    // MARK: Changes

    /// One transaction's outcome, told to the world when it has been committed.
    private struct Outcome {
        var stored: [CacheKey] = []
        var removed: [DiskStore.Removed] = []
        var tooLarge = 0
    }

    private func put(_ batch: [(CacheKey, CachedAnswer)]) {
        guard !batch.isEmpty else { return }
        guard store != nil, let outcome = change(mayGiveUp: true, { try self.put(batch, $0, $1) }) else {
            return shared.statistics.withLock { $0.dropped += batch.count }
        }
        shared.statistics.withLock {
            $0.stores += outcome.stored.count
            $0.tooLarge += outcome.tooLarge
        }
        told(outcome.removed)
        for key in outcome.stored { events.present(key) }
    }

    private func put(
        _ batch: [(CacheKey, CachedAnswer)], _ store: DiskStore, _ transaction: borrowing Transaction
    ) throws -> Outcome {
        var outcome = Outcome()
        var sequence = try store.nextSequence(transaction)
        let time = now()
        for (key, answer) in batch where answer.facts.usableUntil > time {
            var encoded = ByteBuffer()
            answer.encode(into: &encoded)
            let pages = store.pages(forAnswerOf: encoded.readableBytes)
            guard pages <= pagesMax / 4 else {
                outcome.tooLarge += 1
                continue
            }
            while try transaction.pagesInUse() + pages > pagesMax {
                let decoding = events.evicted != nil
                guard let old = try store.evictOldest(now: time, decoding: decoding, transaction) else { break }
                outcome.removed.append(old)
            }
            let minute = DiskStore.minute(answer.facts.usableUntil)
            try store.put(key, encoded, minute: minute, sequence: sequence, transaction)
            outcome.stored.append(key)
            sequence += 1
        }
        return outcome
    }

    private func told(_ removed: [DiskStore.Removed]) {
        guard !removed.isEmpty else { return }
        let expired = removed.count { $0.isExpired }
        shared.statistics.withLock {
            $0.expirations += expired
            $0.evictions += removed.count - expired
        }
        for entry in removed {
            if !entry.isExpired, let answer = entry.answer { events.evicted?(entry.key, answer) }
            events.gone(entry.key)
        }
    }

    private func expire() {
        while let expired = change({ try $0.expire(now: self.now(), limit: Self.slice, $1) }), !expired.isEmpty {
            shared.statistics.withLock { $0.expirations += expired.count }
            for key in expired { events.gone(key) }
        }
    }

    /// Evicts until no more than `pages` are in use, in small transactions.
    func evict(toPages pages: Int) {
        while let removed = change({ try self.evict(Self.slice, toPages: pages, $0, $1) }), !removed.isEmpty {
            told(removed)
        }
    }

    private func evict(
        _ count: Int, toPages pages: Int, _ store: DiskStore, _ transaction: borrowing Transaction
    ) throws -> [DiskStore.Removed] {
        var removed: [DiskStore.Removed] = []
        while removed.count < count, try transaction.pagesInUse() > pages {
            let decoding = events.evicted != nil
            guard let old = try store.evictOldest(now: now(), decoding: decoding, transaction) else { break }
            removed.append(old)
        }
        return removed
    }

    private func discard(_ key: CacheKey, _ sequence: UInt64) {
        if change({ try $0.delete(key, sequence: sequence, $1) }) != nil { events.gone(key) }
    }

    private func remove(_ selector: CacheSelector) -> Result<Int, DiskLayerFailure> {
        if case .all = selector.what, selector.tenant == nil { return removeAll() }
        var count = 0
        var start: UInt64? = 0
        while let from = start {
            guard let (keys, next) = change({ try $0.remove(selector, from: from, limit: Self.slice, $1) }) else {
                return emptiedInstead(count)
            }
            count += keys.count
            shared.statistics.withLock { $0.removals += keys.count }
            for key in keys { events.gone(key) }
            start = next
        }
        do { try store?.environment.sync() } catch { renew("\(error)", keepingCopy: false) }
        return emptiedInstead(count)
    }

    private func removeAll() -> Result<Int, DiskLayerFailure> {
        let count = shared.statistics.withLock { $0.entries }
        replaceFile(keepingCopy: false)
        shared.statistics.withLock { $0.removals += count }
        return emptiedInstead(count)
    }

    /// A file that failed was replaced by an empty one, which is what a removal wants; unless that failed too.
    private func emptiedInstead(_ count: Int) -> Result<Int, DiskLayerFailure> {
        let failure = shared.statistics.withLock { $0.failure }
        return failure.map { .failure(.unusable($0)) } ?? .success(count)
    }

    /// Runs one transaction. Makes room and tries again when there is none; gives the file up when it is broken.
    /// Nil when nothing was changed: the layer is off, its file is new and empty, or `body` may give up.
    /// - Parameter mayGiveUp: what `body` does can be left undone, as long as there is hope for room.
    private func change<R>(
        mayGiveUp: Bool = false, _ body: (DiskStore, borrowing Transaction) throws -> R
    ) -> R? {
        for attempt in 0..<Self.attemptsMax {
            guard let store else { return nil }
            do {
                let (result, entries, pages) = try store.environment.withWrite { transaction in
                    let result = try body(store, transaction)
                    return (result, try store.count(transaction), try transaction.pagesInUse())
                }
                shared.statistics.withLock {
                    $0.entries = entries
                    $0.bytes = ByteCount(bytes: pages * store.environment.pageSize)
                }
                return result
            } catch let failure as LMDBFailure where failure.isShortage {
                let isLast = attempt + 1 == Self.attemptsMax
                guard isLast || !makeRoom(store, slices: 1 << attempt) else { continue }
                if isLast, mayGiveUp { return nil }
                renew(failure.message, keepingCopy: false)
            } catch {
                renew("\(error)", keepingCopy: true)
            }
        }
        return nil
    }

    /// Pages that one commit frees can be used in the second one after it, hence at least two; and not before the
    /// readers who may still see them have ended.
    private func makeRoom(_ store: DiskStore, slices: Int) -> Bool {
        store.environment.waitForReaders()
        var removed: [DiskStore.Removed] = []
        do {
            for _ in 0...slices {
                removed += try store.environment.withWrite { try self.evict(8, toPages: 0, store, $0) }
            }
        } catch { return false }
        told(removed)
        return !removed.isEmpty
    }
}

extension LMDBFailure {
    /// No room, in the map or on the disk. (A write cut short is reported as an input/output error.)
    fileprivate var isShortage: Bool { [.mapFull, .diskFull, .inputOutput, .transactionFull].contains(kind) }
}
