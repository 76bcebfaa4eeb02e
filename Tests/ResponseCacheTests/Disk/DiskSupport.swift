import Base
import FoundationEssentials
import Glibc
import NIOCore
import ResponseCache
import Synchronization

/// A data folder with a disk layer in it, a clock of its own, and what the layer told.
final class DiskBench: Sendable {
    let folder = "/tmp/weir-test-\(hexadecimal(secureRandomBytes(8)))"
    let clock = Atomic<Int64>(1_800_000_000)
    let told = Mutex(Told())

    struct Told {
        var present: Set<CacheKey> = []
        var gone: [CacheKey] = []
        var evicted: [(key: CacheKey, answer: CachedAnswer)] = []
        var emptied = 0
    }

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false) }
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var now: UnixTime { UnixTime(microseconds: clock.load(ordering: .relaxed) * 1_000_000) }
    func pass(seconds: Int64) { clock.add(seconds, ordering: .relaxed) }

    func open(
        budget: ByteCount = .mebibytes(4), distrust: Bool = false, bootID: String = "boot-1", waitingMax: Int = 4_096,
        isEnabled: Bool = true
    ) -> DiskLayer {
        var options = DiskLayer.Options(budget: budget)
        options.distrust = distrust
        options.bootID = bootID
        options.waitingMax = waitingMax
        options.isEnabled = isEnabled
        var events = DiskEvents()
        events.present = { key in self.told.withLock { _ = $0.present.insert(key) } }
        events.gone = { key in
            self.told.withLock {
                $0.present.remove(key)
                $0.gone.append(key)
            }
        }
        events.evicted = { key, answer in self.told.withLock { $0.evicted.append((key, answer)) } }
        events.emptied = {
            self.told.withLock {
                $0.present = []
                $0.emptied += 1
            }
        }
        return DiskLayer(folder: folder, options: options, events: events) { self.now }
    }

    func answer(
        _ number: Int, bytes: Int = 700, seconds: Int64 = 3_600, tenant: String = "t", model: String = "m",
        namespace: String = "", tags: [String] = []
    ) -> CachedAnswer {
        var random = SeededRandom(seed: UInt64(number))
        let body = (0..<bytes).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let until = UnixTime(microseconds: now.microseconds + seconds * 1_000_000)
        return CachedAnswer(
            request: ByteBuffer(string: "request \(number)"), body: ByteBuffer(bytes: body),
            facts: AnswerFacts(
                family: .chat, shape: .document, life: .ordinary, tenant: tenant, namespace: namespace, model: model,
                provider: "p", tags: tags, contentType: "application/json", created: now, freshUntil: until,
                usableUntil: until))
    }

    var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? [] }
    var dataPath: String { folder + "/cache" + ".lmdb" }
    func data() throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: dataPath))) }
    func write(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: dataPath)) }
}

func diskKey(_ number: Int) -> CacheKey {
    var random = SeededRandom(seed: UInt64(number))
    return CacheKey(words: (random.next(), random.next(), random.next(), random.next()))
}

extension DiskLayer {
    /// Waits until all that was handed over is done.
    func settle() async { await withCheckedContinuation { done in drain { done.resume() } } }

    func remove(_ what: CacheSelector.What, tenant: String? = nil) async -> Result<Int, DiskLayerFailure> {
        await withCheckedContinuation { done in
            remove(CacheSelector(what, tenant: tenant)) { done.resume(returning: $0) }
        }
    }
}

func sameAnswer(_ a: CachedAnswer?, _ b: CachedAnswer) -> Bool {
    a?.body == b.body && a?.request == b.request && a?.facts == b.facts
}

/// Holds a thread until it is opened.
final class ThreadGate: Sendable {
    private let mailbox = Mailbox<Void>(capacity: 1)
    func wait() { _ = mailbox.take(waiting: .seconds(10)) }
    func open() { mailbox.close() }
}
