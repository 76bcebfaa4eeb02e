import Base
import SQLite

/// The file opened, given up and begun anew.
extension ArchiveWriter {
    /// Notices damage that readers met, a file that was deleted or replaced, and that a lost one is due for a try.
    mutating func inspect() {
        if state.withLock({ $0.isDamaged }) || (identity != nil && file.identity != identity) {
            recreate { try $0.moveAside(time: UnixTime.now()) }
        } else if identity == nil, MonotonicInstant.now() >= retryAt {
            open()
        }
    }

    /// As `reopen`, after trouble: counted.
    mutating func recreate(_ putAway: (ArchiveFile) throws -> Void) {
        state.withLock { $0.statistics.recreated += 1 }
        reopen(putAway)
    }

    /// Closes the file, puts it away and opens what is then there; a new one, when nothing is.
    mutating func reopen(_ putAway: (ArchiveFile) throws -> Void) {
        close()
        forget()
        do { try putAway(file) } catch { return lose(error) }
        open()
    }

    /// What cannot be used is moved aside, once. A lock or a permission says nothing against the file.
    mutating func open() {
        do {
            do {
                try load()
            } catch let failure as SQLiteFailure where failure.mayPass {
                throw failure
            } catch {
                state.withLock { $0.statistics.recreated += 1 }
                try file.moveAside(time: UnixTime.now())
                try load()
            }
        } catch {
            lose(error)
        }
    }

    func close() {
        let database = state.withLock { state in
            defer { state.database = nil }
            return state.database
        }
        database?.close()
    }

    private mutating func load() throws {
        let database = try file.open()
        do {
            table = try database.read { try AnswerTable(reading: $0) }
            var keys: [CacheKey] = []
            repeat {
                let last = keys.last
                keys = try database.read { try AnswerTable.keys(after: last, $0) }
                for key in keys { index.insert(key, .l3) }
            } while !keys.isEmpty
        } catch {
            database.close()
            forget()
            throw error
        }
        identity = file.identity
        state.withLock {
            $0.database = database
            $0.statistics.isLost = false
        }
        publish()
    }

    private mutating func forget() {
        identity = nil
        table = AnswerTable()
        index.removeAll(.l3)
        state.withLock {
            $0.used.removeAll()
            $0.isDamaged = false
        }
        publish()
    }

    private mutating func lose(_ error: any Error) {
        forget()
        retryAt = MonotonicInstant.now().advanced(by: DatabaseLayer.retryDelay)
        state.withLock {
            $0.statistics.isLost = true
            $0.statistics.failure = "\(error)"
        }
    }
}
