import Base
import NIOCore
import SQLite

/// One kept answer, for people: everything but its bytes.
package struct ArchivedAnswer: Hashable, Sendable {
    package var key: CacheKey
    /// What it counts against the budget.
    package var bytes: Int
    package var facts: AnswerFacts
}

/// What the archive holds of one model.
package struct ArchivedModel: Hashable, Sendable {
    package var model: String
    package var entries: Int
    package var bytes: Int
    package var inputTokens: Int
    package var outputTokens: Int
    package var costNanodollars: Int64
}

extension CacheKey {
    var blob: [UInt8] { withUnsafeBytes { Array($0) } }

    init?(blob: [UInt8]) {
        guard let key = blob.withUnsafeBytes({ CacheKey(bytes: $0) }) else { return nil }
        self = key
    }
}

extension AnswerTable {
    /// Of key and answer, so that an answer under a wrong key is found out too.
    static func checksum(_ key: CacheKey, _ answer: [UInt8]) -> UInt32 {
        let seed = key.withUnsafeBytes { Base.checksum($0) }
        return answer.withUnsafeBytes { Base.checksum($0, seed: seed) }
    }

    /// The row of a key; its answer is nil when one bit is not as it was written.
    static func find(_ key: CacheKey, _ connection: Connection) throws -> (id: Int64, answer: CachedAnswer?)? {
        try connection.first(
            """
            SELECT a.id, b.checksum, b.answer FROM answers a LEFT JOIN answer_bytes b ON b.id = a.id WHERE a.key = ?1
            """, key.blob
        ) { row in
            let bytes = row.bytes(2)
            guard row.integer(1) == Int64(checksum(key, bytes)) else { return (row.integer(0), nil) }
            return (row.integer(0), CachedAnswer(decoding: ByteBuffer(bytes: bytes)))
        }
    }

    /// A page of the keys after `key`, in their own order; from the first for nil.
    static func keys(after key: CacheKey?, _ connection: Connection) throws -> [CacheKey] {
        try connection.rows(
            "SELECT key FROM answers WHERE key > ?1 ORDER BY key LIMIT 65536", key?.blob ?? []
        ) { CacheKey(blob: $0.bytes(0)) }.compactMap { $0 }
    }

    static func recent(limit: Int, tenant: String?, _ connection: Connection) throws -> [ArchivedAnswer] {
        try connection.rows(
            """
            SELECT a.key, a.bytes, substr(b.answer, 1, 65536) FROM answers a JOIN answer_bytes b ON b.id = a.id
            WHERE ?1 IS NULL OR a.tenant = ?1 ORDER BY a.id DESC LIMIT ?2
            """, tenant, limit
        ) { row -> ArchivedAnswer? in
            var head = ByteBuffer(bytes: row.bytes(2))
            guard let key = CacheKey(blob: row.bytes(0)), let facts = CachedAnswer.decodeFacts(&head)
            else { return nil }
            return ArchivedAnswer(key: key, bytes: Int(row.integer(1)), facts: facts)
        }.compactMap { $0 }
    }

    static func totals(tenant: String?, _ connection: Connection) throws -> [ArchivedModel] {
        try connection.rows(
            """
            SELECT model, count(*), sum(bytes), sum(input_tokens), sum(output_tokens), sum(cost_nanodollars)
            FROM answers WHERE ?1 IS NULL OR tenant = ?1 GROUP BY model ORDER BY count(*) DESC, model LIMIT ?2
            """, tenant, Limits.requestLogPageMax
        ) { row in
            ArchivedModel(
                model: row.text(0), entries: Int(row.integer(1)), bytes: Int(row.integer(2)),
                inputTokens: Int(row.integer(3)), outputTokens: Int(row.integer(4)), costNanodollars: row.integer(5))
        }
    }
}
