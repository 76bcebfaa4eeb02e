internal import CSQLite

/// One step of a schema: SQL that makes it and SQL that unmakes it. Scripts are part of the program.
package struct Migration: Sendable {
    package let name: String
    package let up: String
    package let down: String

    package init(_ name: String, up: String, down: String) {
        precondition(!name.isEmpty && !up.isEmpty && !down.isEmpty, "a migration has a name and both ways")
        self.name = name
        self.up = up
        self.down = down
    }
}

/// A database's schema as the ordered list of its steps; version n is the state after n of them. The version lies in
/// the file (`PRAGMA user_version`). A shipped step never changes: a correction is a step of its own.
package struct Migrations: Sendable {
    package let steps: [Migration]

    package init(_ steps: [Migration]) {
        precondition(Set(steps.map(\.name)).count == steps.count, "names of migrations are unique")
        self.steps = steps
    }

    /// The version this binary works with.
    package var newest: Int { steps.count }

    /// The version the file has. 0: new and empty.
    package func version(of connection: Connection) throws -> Int {
        let version = try connection.first("PRAGMA user_version") { $0.integer(0) }
        return Int(version ?? 0)
    }

    /// Refuses a file of a newer binary before anything in it is touched.
    /// - Throws: `DatabaseFailure.newer`, naming both versions.
    func checkNotNewer(_ connection: Connection) throws {
        let found = try version(of: connection)
        guard found <= newest else {
            throw DatabaseFailure.newer(path: connection.path, found: found, known: newest)
        }
        guard found >= 0 else {
            throw SQLiteFailure(
                extended: SQLITE_CORRUPT, detail: "schema version \(found) is impossible", path: connection.path)
        }
    }

    /// Brings the schema up or down to `target`, each step with its version in one transaction: a kill between two
    /// steps leaves a whole version.
    package func migrate(_ connection: Connection, to target: Int) throws {
        precondition(target >= 0 && target <= newest, "no such version")
        try checkNotNewer(connection)
        var current = try version(of: connection)
        while current != target {
            let isUp = current < target
            let step = steps[isUp ? current : current - 1]
            let next = isUp ? current + 1 : current - 1
            try connection.transaction {
                try connection.execute(isUp ? step.up : step.down)
                try connection.execute("PRAGMA user_version = \(next)")
            }
            current = next
        }
    }
}
