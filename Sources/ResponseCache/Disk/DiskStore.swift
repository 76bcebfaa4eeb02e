internal import Base
internal import LMDB
internal import NIOCore

/// What lies in `cache.lmdb`, and every step on it inside one transaction. Three trees, numbers big-endian:
///
///     keys     key (32)               -> u64 sequence, u64 minute
///     values   u64 sequence           -> u32 CRC-32C of the rest (little-endian), u64 sequence, key, answer (encoded)
///     expiry   u64 minute, u64 seq.   -> key
///
/// The sequence only grows, so the first value is the oldest: that is the order of eviction, and a read writes nothing.
/// The minute is the first that begins when the answer is no longer usable; all entries of one go together.
final class DiskStore: Sendable {
    let environment: Environment
    private let keys: Database, values: Database, expiry: Database

    static let headerBytes = 12 + CacheKey.byteCount
    private static let names = ["keys", "values", "expiry"]
    private static let microsecondsPerMinute: Int64 = 60_000_000

    /// - Throws: `LMDBFailure`.
    init(path: String, mapSize: ByteCount) throws {
        environment = try Environment(
            path: path,
            options: .init(mapSize: mapSize, databases: Self.names, isSynced: false, checksEveryPage: true))
        (keys, values, expiry) = (environment.databases[0], environment.databases[1], environment.databases[2])
    }

    /// A tree is gone from a file that was made with all of them.
    var lacksTree: Bool { (1..<Self.names.count).contains(environment.databasesMade) }

    enum Lookup {
        case found(CachedAnswer)
        case absent
        /// What is stored is not what was; `sequence` says where, to remove it.
        case damaged(sequence: UInt64)
    }

    func lookup(_ key: CacheKey) throws -> Lookup {
        try environment.withRead { transaction in
            guard let place = try place(of: key, transaction) else { return .absent }
            guard let value = try withNumber(place.sequence, { try transaction.get($0, in: values) }),
                let answer = Self.answer(in: value, key: key, sequence: place.sequence)
            else { return .damaged(sequence: place.sequence) }
            return .found(answer)
        }
    }

    func forEachKey(_ body: (CacheKey) -> Void) throws {
        try environment.withRead { transaction in
            try transaction.withCursor(keys) { cursor in
                var item = try cursor.first()
                while let found = item {
                    if let key = CacheKey(bytes: found.key) { body(key) }
                    item = try cursor.next()
                }
            }
        }
    }

    func count(_ transaction: borrowing Transaction) throws -> Int { try transaction.count(of: keys) }

    func nextSequence(_ transaction: borrowing Transaction) throws -> UInt64 {
        let last = try transaction.withCursor(values) { cursor in try cursor.last().map { number($0.key, 0) } }
        return (last ?? 0) + 1
    }

    /// Pages that an encoded answer of this size takes at most, its places in the trees included.
    func pages(forAnswerOf bytes: Int) -> Int { (bytes + Self.headerBytes + 16) / environment.pageSize + 2 }

    /// The first minute in which an answer usable until then is no more.
    static func minute(_ usableUntil: UnixTime) -> UInt64 {
        let minutes = usableUntil.microseconds / microsecondsPerMinute
        return UInt64(max(0, minutes)) + (usableUntil.microseconds % microsecondsPerMinute > 0 ? 1 : 0)
    }

    /// - Parameter sequence: larger than every other (`nextSequence`).
    func put(
        _ key: CacheKey, _ answer: ByteBuffer, minute: UInt64, sequence: UInt64, _ transaction: borrowing Transaction
    ) throws {
        if let old = try place(of: key, transaction) { try delete(key, sequence: old.sequence, transaction) }
        try withNumber(sequence) { number in
            let size = Self.headerBytes + answer.readableBytes
            let value = try transaction.putReserve(size, for: number, in: values, appending: true)
            value.storeBytes(of: sequence.bigEndian, toByteOffset: 4, as: UInt64.self)
            key.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: value[12...]).copyMemory(from: $0) }
            answer.withUnsafeReadableBytes {
                UnsafeMutableRawBufferPointer(rebasing: value[Self.headerBytes...]).copyMemory(from: $0)
            }
            let sum = checksum(UnsafeRawBufferPointer(rebasing: value[4...]))
            value.storeBytes(of: sum.littleEndian, as: UInt32.self)
        }
        try key.withUnsafeBytes { bytes in
            try withNumbers(sequence, minute) { try transaction.put($0, for: bytes, in: keys) }
            try withNumbers(minute, sequence) { try transaction.put(bytes, for: $0, in: expiry) }
        }
    }

    /// Removes what `sequence` holds, and the key's places in the other trees if they lead there.
    func delete(_ key: CacheKey, sequence: UInt64, _ transaction: borrowing Transaction) throws {
        _ = try withNumber(sequence) { try transaction.delete($0, in: values) }
        try forget(key, sequence: sequence, transaction)
    }

    struct Removed {
        let key: CacheKey
        /// Past its time.
        let isExpired: Bool
        /// Decoded only when asked for.
        let answer: CachedAnswer?
    }

    /// Removes the oldest entry; nil when there is none.
    func evictOldest(now: UnixTime, decoding: Bool, _ transaction: borrowing Transaction) throws -> Removed? {
        try transaction.withCursor(values) { cursor in
            guard let oldest = try cursor.first() else { return nil }
            let sequence = number(oldest.key, 0)
            let key = Self.key(in: oldest.value)
            let answer = decoding ? Self.answer(in: oldest.value, key: key, sequence: sequence) : nil
            let minute = try place(of: key, transaction)?.minute
            try cursor.delete()
            try forget(key, sequence: sequence, transaction)
            return Removed(key: key, isExpired: minute.map { Self.isOver($0, now) } ?? true, answer: answer)
        }
    }

    /// Removes entries of minutes that are over, `limit` at most.
    func expire(now: UnixTime, limit: Int, _ transaction: borrowing Transaction) throws -> [CacheKey] {
        var expired: [CacheKey] = []
        try transaction.withCursor(expiry) { cursor in
            while expired.count < limit, let item = try cursor.first(), Self.isOver(number(item.key, 0), now) {
                let sequence = number(item.key, 8)
                let key = CacheKey(bytes: item.value) ?? Self.noKey
                try cursor.delete()
                try delete(key, sequence: sequence, transaction)
                expired.append(key)
            }
        }
        return expired
    }

    /// Removes what the selector takes, from `start` on in the order of sequence: `limit` entries, or none among many.
    /// - Returns: what went, and where to go on; nil at the end.
    func remove(
        _ selector: CacheSelector, from start: UInt64, limit: Int, _ transaction: borrowing Transaction
    ) throws -> (keys: [CacheKey], next: UInt64?) {
        var removed: [CacheKey] = []
        var start = start, end = UInt64.max
        if case .key(let key) = selector.what {
            guard let place = try place(of: key, transaction) else { return ([], nil) }
            (start, end) = (place.sequence, place.sequence)
        }
        let next: UInt64? = try transaction.withCursor(values) { cursor in
            var item = try withNumber(start) { try cursor.seek(from: $0) }
            var looks = 0
            while let found = item {
                let sequence = number(found.key, 0)
                if sequence > end { return nil }
                if looks == 32 * limit || removed.count == limit { return sequence }
                looks += 1
                let key = Self.key(in: found.value)
                if Self.facts(in: found.value).map({ selector.matches(key, $0) }) ?? true {
                    try cursor.delete()
                    try forget(key, sequence: sequence, transaction)
                    removed.append(key)
                }
                item = try cursor.next()
            }
            return nil
        }
        return (removed, next)
    }

    // MARK: The forms

    private struct Place {
        let sequence: UInt64
        let minute: UInt64
    }

    private static let noKey = CacheKey(words: (0, 0, 0, 0))

    private static func isOver(_ minute: UInt64, _ now: UnixTime) -> Bool {
        minute <= UInt64(max(0, now.microseconds / microsecondsPerMinute))
    }

    private func place(of key: CacheKey, _ transaction: borrowing Transaction) throws -> Place? {
        guard let record = try key.withUnsafeBytes({ try transaction.get($0, in: keys) }) else { return nil }
        return Place(sequence: number(record, 0), minute: number(record, 8))
    }

    private func forget(_ key: CacheKey, sequence: UInt64, _ transaction: borrowing Transaction) throws {
        guard let place = try place(of: key, transaction), place.sequence == sequence else { return }
        _ = try key.withUnsafeBytes { try transaction.delete($0, in: keys) }
        _ = try withNumbers(place.minute, sequence) { try transaction.delete($0, in: expiry) }
    }

    private static func key(in value: UnsafeRawBufferPointer) -> CacheKey {
        guard value.count >= headerBytes else { return noKey }
        return CacheKey(bytes: UnsafeRawBufferPointer(rebasing: value[12..<headerBytes])) ?? noKey
    }

    /// Nil unless every byte is as it was written, for this key in this place.
    private static func answer(in value: UnsafeRawBufferPointer, key: CacheKey, sequence: UInt64) -> CachedAnswer? {
        guard value.count > headerBytes,
            UInt32(littleEndian: value.loadUnaligned(as: UInt32.self))
                == checksum(UnsafeRawBufferPointer(rebasing: value[4...])),
            number(value, 4) == sequence, self.key(in: value) == key
        else { return nil }
        return CachedAnswer(decoding: copy(value[headerBytes...]))
    }

    /// Unchecked: a flipped bit may hide an entry from a selector, and then keeps it from being served.
    private static func facts(in value: UnsafeRawBufferPointer) -> AnswerFacts? {
        guard value.count > headerBytes else { return nil }
        for part in [value[headerBytes...].prefix(4_096), value[headerBytes...]] {
            var buffer = copy(part)
            if let facts = CachedAnswer.decodeFacts(&buffer) { return facts }
        }
        return nil
    }

    private static func copy(_ bytes: Slice<UnsafeRawBufferPointer>) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: bytes.count)
        buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes))
        return buffer
    }
}

/// 0 where the bytes end too early: a place that leads nowhere.
private func number(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
    guard bytes.count >= offset + 8 else { return 0 }
    return UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
}

private func withNumber<R>(_ number: UInt64, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try withUnsafeBytes(of: number.bigEndian, body)
}

private func withNumbers<R>(_ a: UInt64, _ b: UInt64, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try withUnsafeBytes(of: (a.bigEndian, b.bigEndian), body)
}
