import Base
import FoundationEssentials
import NIOCore
import SQLite
import Testing

@testable import ResponseCache

/// A folder of its own for one archive, gone with the last reference, and answers to put into it.
final class ArchiveDesk: Sendable {
    static let now = UnixTime(microseconds: 1_800_000_000_000_000)
    let folder = "/tmp/weir-test-\(hexadecimal(secureRandomBytes(8)))"
    let index = FingerprintIndex()
    let wall = Locked(ArchiveDesk.now)

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false) }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var path: String { folder + "/" + DatabaseLayer.fileName }

    func open(_ budget: ByteCount = .mebibytes(8)) -> DatabaseLayer {
        open(budget, index)
    }

    func open(_ budget: ByteCount, _ index: FingerprintIndex) -> DatabaseLayer {
        DatabaseLayer(
            folder: folder, budget: budget, index: index, delay: .milliseconds(1),
            clock: { [wall] in wall.withLock { $0 } })
    }

    func files() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }

    func bytes(_ name: String = DatabaseLayer.fileName) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: folder + "/" + name)))
    }

    func write(_ bytes: [UInt8], _ name: String = DatabaseLayer.fileName) throws {
        try Data(bytes).write(to: URL(filePath: folder + "/" + name))
    }

    static func key(_ number: Int) -> CacheKey {
        var random = SeededRandom(seed: UInt64(number))
        return CacheKey(words: (random.next(), random.next(), random.next(), random.next()))
    }

    /// An answer whose bytes tell its number.
    static func answer(
        _ number: Int, size: Int = 1_000, tenant: String = "acme", namespace: String = "", model: String = "gpt-4o",
        tags: [String] = [], collections: [String] = [], usableFor seconds: Int64 = 3_600, cost: Int64 = 0
    ) -> CachedAnswer {
        var random = SeededRandom(seed: UInt64(number) ^ 0xA5A5)
        let words = (0..<size / 8).map { _ in random.next() }
        let body = words.withUnsafeBytes { ByteBuffer(bytes: $0) }
        return CachedAnswer(
            request: ByteBuffer(string: "request \(number)"), body: body,
            facts: AnswerFacts(
                family: .chat, shape: .document, life: .ordinary, tenant: tenant, namespace: namespace, model: model,
                provider: "openai", tags: tags, collections: collections, contentType: "application/json",
                created: now, freshUntil: UnixTime(microseconds: now.microseconds + seconds * 500_000),
                usableUntil: UnixTime(microseconds: now.microseconds + seconds * 1_000_000), inputTokens: 10,
                outputTokens: 5, costNanodollars: cost))
    }
}

extension DatabaseLayer {
    /// What is kept under the number, if it is there at all; whatever is there must be right.
    func holds(_ number: Int, at now: UnixTime = ArchiveDesk.now) throws -> Bool {
        try answer(for: ArchiveDesk.key(number), now: now) != nil
    }

    func keep(_ numbers: some Sequence<Int>, _ answer: (Int) -> CachedAnswer = { ArchiveDesk.answer($0) }) throws {
        for number in numbers { admit(ArchiveDesk.key(number), answer(number)) }
        try flush()
    }

    func removed(_ what: CacheSelector.What, tenant: String? = nil) throws -> Int {
        let done = Handover<Int>()
        remove(CacheSelector(what, tenant: tenant)) { done.put($0) }
        return try done.take()
    }
}

/// Equal in every byte and fact.
func isSame(_ a: CachedAnswer?, _ b: CachedAnswer) -> Bool {
    a?.request == b.request && a?.body == b.body && a?.facts == b.facts
}
