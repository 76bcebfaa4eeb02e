internal import CSQLite

/// The SQLite this binary is linked with.
package enum SQLiteLibrary {
    package static var version: String { String(cString: sqlite3_libversion()) }
}
