package import SQLite

/// `weir.db`: what the operator cannot get back (keys, who owns which provider's resource). Every commit is synced; a
/// damaged file stops the start with exit code 65 and is left exactly as it is.
package enum MainDatabase {
    package static let fileName = "weir.db"

    /// The whole schema of `weir.db`, whichever module reads a table. Append; never change a shipped step.
    package static let migrations = Migrations([KeyStore.migration, ResourceOwners.migration])

    /// Opens or makes the file in the data folder. Blocks.
    /// - Throws: `SQLiteFailure` (exit code 65 when damaged), `DatabaseFailure.newer`.
    package static func open(folder: String) throws -> Database {
        try Database(
            path: folder + "/" + fileName, durability: .full, migrations: migrations, threadName: "weir-db")
    }
}
