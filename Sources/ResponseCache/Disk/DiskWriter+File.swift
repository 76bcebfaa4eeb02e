internal import Base
import Glibc
internal import LMDB
import Synchronization

/// The file as a whole: opened, replaced, resized, closed.
extension DiskWriter {
    private static let retryEvery = Duration.seconds(30)

    func open(distrust: Bool) {
        if file.exists {
            if distrust {
                replaceFile(keepingCopy: true, why: "an earlier process died of it")
            } else if !file.isTrusted {
                replaceFile(keepingCopy: true, why: "the machine restarted without closing it")
            } else if let failure = attempt() {
                replaceFile(keepingCopy: true, why: "\(failure)")
            }
        } else {
            replaceFile(keepingCopy: true)
        }
        do { try store?.forEachKey(events.present) } catch { renew("\(error)", keepingCopy: true) }
    }

    /// Gives the file up and goes on with an empty one.
    func renew(_ why: String, keepingCopy: Bool) { replaceFile(keepingCopy: keepingCopy, why: why) }

    /// - Parameter why: counted and remembered; nil when there is nothing wrong with the file.
    func replaceFile(keepingCopy: Bool, why: String? = nil) {
        closeStore()
        var failure: (any Error)?
        do {
            try file.remove(keepingCopy: keepingCopy)
            failure = attempt()
            if failure != nil, keepingCopy {
                // Perhaps the disk is full of what was put aside.
                try file.remove(keepingCopy: false)
                failure = attempt()
            }
        } catch {
            failure = error
        }
        shared.statistics.withLock {
            $0.entries = 0
            if let why {
                $0.renewals += 1
                $0.lastRenewal = why
            }
            $0.failure = failure.map { "\($0)" }
        }
        if failure != nil { nextAttempt = .now().advanced(by: Self.retryEvery) }
        events.emptied()
    }

    /// The layer is off since its file could not be replaced; perhaps it can be now.
    func retryOpening() {
        guard MonotonicInstant.now() >= nextAttempt else { return }
        replaceFile(keepingCopy: false)
    }

    /// Opens the file or makes it.
    private func attempt() -> (any Error)? {
        precondition(store == nil, "one file, opened once")
        budget = ByteCount(bytes: shared.budget.load(ordering: .relaxed))
        do {
            try file.mark(closed: false)
            let opened = try DiskStore(path: file.path, mapSize: budget)
            guard !opened.lacksTree else {
                opened.environment.close()
                return DiskLayerFailure.unusable("a part of it is missing")
            }
            try measure(opened)
            shared.store.withLock { $0 = opened }
            return nil
        } catch {
            return error
        }
    }

    private func measure(_ opened: DiskStore) throws {
        let (entries, pages) = try opened.environment.withRead { (try opened.count($0), try $0.pagesInUse()) }
        shared.statistics.withLock {
            $0.entries = entries
            $0.bytes = ByteCount(bytes: pages * opened.environment.pageSize)
            $0.budget = budget
        }
    }

    /// Waits for the readers.
    private func closeStore() {
        let open = shared.store.withLock { store in
            defer { store = nil }
            return store
        }
        open?.environment.close()
    }

    func resize() {
        budget = ByteCount(bytes: shared.budget.load(ordering: .relaxed))
        shared.statistics.withLock { $0.budget = budget }
        evict(toPages: pagesMax)
        guard let store else { return }
        do {
            if try store.environment.fileSize() > budget {
                try shrink(store)
            } else {
                try store.environment.setMapSize(budget)
            }
        } catch {
            renew("\(error)", keepingCopy: false)
        }
    }

    /// LMDB's file never gets smaller, a copy of it does.
    private func shrink(_ store: DiskStore) throws {
        let draft = file.path + ".new"
        unlink(draft)
        try store.environment.copy(to: draft)
        closeStore()
        guard rename(draft, file.path) == 0 else { throw SystemFailure("replace \(file.path)", errorNumber: errno) }
        if let failure = attempt() { throw failure }
    }

    func finish() {
        guard let store else { return }
        // A file that cannot be synced stays marked as open: good until the machine restarts.
        guard (try? store.environment.sync()) != nil else { return closeStore() }
        closeStore()
        try? file.mark(closed: true)
    }
}
