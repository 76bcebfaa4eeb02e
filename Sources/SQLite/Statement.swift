internal import CSQLite

/// One prepared statement, lent for the length of a closure by `Connection.withStatement`. It cannot be copied or
/// kept, so it never outlives its connection and is always reset: a forgotten cursor would pin the WAL.
package struct Statement: ~Copyable {
    let handle: OpaquePointer
    private let connection: Connection

    init(handle: OpaquePointer, connection: Connection) {
        self.handle = handle
        self.connection = connection
    }

    /// Sets the placeholder at `index`, counted from 1 as in `?1`.
    package func bind(_ value: some Bindable, at index: Int) throws(SQLiteFailure) {
        precondition(index >= 1, "placeholders count from 1")
        let result = value.bind(to: handle, at: Int32(index))
        guard result == SQLITE_OK else { throw failure(result) }
    }

    /// Sets the placeholders 1, 2, 3 … in order. Every one of the statement's must be given.
    package func bind(_ values: [any Bindable]) throws(SQLiteFailure) {
        precondition(values.count == Int(sqlite3_bind_parameter_count(handle)), "one value for each placeholder")
        for (offset, value) in values.enumerated() {
            let result = value.bind(to: handle, at: Int32(offset + 1))
            guard result == SQLITE_OK else { throw failure(result) }
        }
    }

    /// Runs to the next row. False when there is none left.
    package func step() throws(SQLiteFailure) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let result: throw failure(result)
        }
    }

    /// Ready to run again, with every placeholder NULL.
    package func reset() {
        sqlite3_reset(handle)  // repeats the code `step` has already thrown
        sqlite3_clear_bindings(handle)
    }

    // Columns count from 0. Reading one that is not there is a programmer's error.

    /// Whether the column holds NULL.
    package func isNull(_ column: Int) -> Bool { sqlite3_column_type(handle, checked(column)) == SQLITE_NULL }

    /// NULL reads as 0; see `optionalInteger`.
    package func integer(_ column: Int) -> Int64 { sqlite3_column_int64(handle, checked(column)) }

    /// NULL reads as nil.
    package func optionalInteger(_ column: Int) -> Int64? { isNull(column) ? nil : integer(column) }

    /// NULL reads as 0.
    package func real(_ column: Int) -> Double { sqlite3_column_double(handle, checked(column)) }

    /// NULL reads as the empty text; see `optionalText`.
    package func text(_ column: Int) -> String {
        guard let start = sqlite3_column_text(handle, checked(column)) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, Int32(column)))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// NULL reads as nil.
    package func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }

    /// NULL reads as no bytes.
    package func bytes(_ column: Int) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, checked(column)) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, Int32(column)))))
    }

    private func checked(_ column: Int) -> Int32 {
        precondition(column >= 0 && column < Int(sqlite3_column_count(handle)), "no such column")
        return Int32(column)
    }

    private func failure(_ result: Int32) -> SQLiteFailure {
        connection.failure(result, sql: sqlite3_sql(handle).map { String(cString: $0) })
    }
}
