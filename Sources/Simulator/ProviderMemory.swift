import NIOCore
import Synchronization

/// What the provider keeps between calls: stored responses, files, batches and which system prompts it has seen.
/// Everything is bounded; the oldest goes first.
final class ProviderMemory: Sendable {
    private struct State: Sendable {
        var responses = Shelf<StoredResponse>(countMax: 1_000, bytesMax: 32 << 20)
        var files = Shelf<StoredFile>(countMax: 1_000, bytesMax: 128 << 20)
        var batches = Shelf<StoredBatch>(countMax: 1_000, bytesMax: 16 << 20)
        var prompts = Shelf<SeenPrompt>(countMax: 10_000, bytesMax: 1 << 20)
        var serial = 0
    }

    private let state = Mutex(State())

    func forgetAll() { state.withLock { $0 = State() } }

    /// 1, 2, 3…: what tells one created object from the next.
    func nextSerial() -> Int {
        state.withLock {
            $0.serial += 1
            return $0.serial
        }
    }

    /// Whether this prompt was seen before; from now on it was.
    func hasSeen(prompt hash: UInt64) -> Bool {
        state.withLock { state in
            let key = String(hash, radix: 16)
            if state.prompts[key] != nil { return true }
            state.prompts.put(SeenPrompt(id: key))
            return false
        }
    }

    func keep(_ response: StoredResponse) { state.withLock { $0.responses.put(response) } }
    func response(_ id: String) -> StoredResponse? { state.withLock { $0.responses[id] } }
    func removeResponse(_ id: String) -> Bool { state.withLock { $0.responses.remove(id) } }

    func keep(_ file: StoredFile) { state.withLock { $0.files.put(file) } }
    func file(_ id: String) -> StoredFile? { state.withLock { $0.files[id] } }
    func removeFile(_ id: String) -> Bool { state.withLock { $0.files.remove(id) } }
    /// Newest first.
    var files: [StoredFile] { state.withLock { $0.files.newestFirst } }

    func keep(_ batch: StoredBatch) { state.withLock { $0.batches.put(batch) } }
    func batch(_ id: String) -> StoredBatch? { state.withLock { $0.batches[id] } }
    /// Newest first.
    var batches: [StoredBatch] { state.withLock { $0.batches.newestFirst } }
}

/// Something kept under an identifier, with the bytes it costs.
protocol Kept: Sendable {
    var id: String { get }
    var byteCount: Int { get }
}

private struct SeenPrompt: Kept {
    let id: String
    var byteCount: Int { id.utf8.count }
}

/// A bounded list of things by identifier, the oldest at the front.
private struct Shelf<Item: Kept>: Sendable {
    private let countMax: Int
    private let bytesMax: Int
    private var items: [String: Item] = [:]
    private var order: [String] = []
    private var bytes = 0

    init(countMax: Int, bytesMax: Int) {
        self.countMax = countMax
        self.bytesMax = bytesMax
    }

    subscript(_ id: String) -> Item? { items[id] }

    var newestFirst: [Item] { order.reversed().compactMap { items[$0] } }

    /// Keeps an item in place of the one with the same identifier; drops the oldest while there is too much.
    mutating func put(_ item: Item) {
        if let old = items.updateValue(item, forKey: item.id) { bytes -= old.byteCount } else { order.append(item.id) }
        bytes += item.byteCount
        while order.count > 1, order.count > countMax || bytes > bytesMax {
            let oldest = order.removeFirst()
            bytes -= items.removeValue(forKey: oldest)?.byteCount ?? 0
        }
    }

    mutating func remove(_ id: String) -> Bool {
        guard let old = items.removeValue(forKey: id) else { return false }
        bytes -= old.byteCount
        order.removeAll { $0 == id }
        return true
    }
}
