import Base
import SQLite

/// What the archive holds, and has done since it was opened.
package struct ArchiveStatistics: Hashable, Sendable {
    package var entries = 0
    /// The sum of the entries' weights, against the budget.
    package var bytes = 0
    /// The database file without its WAL.
    package var fileBytes = 0
    package var hits = 0
    package var misses = 0
    /// Entries that gave way to others.
    package var evictions = 0
    /// Entries deleted because their life was over.
    package var expirations = 0
    /// Answers whose bytes were not as written: deleted, never served.
    package var corrupt = 0
    /// Answers that were offered and are in no file: too many waited, or writing failed.
    package var dropped = 0
    /// Answers refused because one may take no more than a quarter of the layer.
    package var tooLarge = 0
    /// Times a damaged, vanished or full file was put out of the way and begun anew.
    package var recreated = 0
    /// Answers that wait for the writer.
    package var waiting = 0
    /// Switched on.
    package var isOn = true
    /// No file can be used: nothing is served or kept. Tried again every `DatabaseLayer.retryDelay`.
    package var isLost = false
    /// What last went wrong in writing or opening.
    package var failure: String?
}

/// What the archive's threads share.
struct ArchiveState: Sendable {
    var database: Database?
    /// A reader found damage in the file.
    var isDamaged = false
    var budget: Int
    var waitingBytes = 0
    /// Rows served since they last escaped eviction; at most `DatabaseLayer.usedMax`.
    var used: Set<Int64> = []
    var statistics = ArchiveStatistics()
}

/// What travels to the archive's thread.
enum ArchiveWork: Sendable {
    case admit(CacheKey, CachedAnswer)
    case remove(CacheSelector, @Sendable (Result<Int, any Error>) -> Void)
    case flush(Handover<Void>)
}
