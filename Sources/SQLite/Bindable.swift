internal import CSQLite

/// A value that can stand for a `?` of a statement. Nil is NULL.
package protocol Bindable {
    /// SQLite's result code.
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32
}

extension Int64: Bindable {
    package func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        sqlite3_bind_int64(statement, index, self)
    }
}

extension Int: Bindable {
    package func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        sqlite3_bind_int64(statement, index, Int64(self))
    }
}

extension Bool: Bindable {
    package func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        sqlite3_bind_int64(statement, index, self ? 1 : 0)
    }
}

extension Double: Bindable {
    package func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        sqlite3_bind_double(statement, index, self)
    }
}

extension String: Bindable {
    package func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        guard utf8.count <= Int(Int32.max) else { return SQLITE_TOOBIG }
        var text = self
        return text.withUTF8 { utf8 in
            // A nil pointer would bind NULL, so the empty text needs one of its own.
            guard let start = utf8.baseAddress else { return weir_sqlite_bind_text(statement, index, "", 0) }
            let count = Int32(utf8.count)
            return start.withMemoryRebound(to: CChar.self, capacity: utf8.count) {
                weir_sqlite_bind_text(statement, index, $0, count)
            }
        }
    }
}

extension [UInt8]: Bindable {
    package func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        guard count <= Int(Int32.max) else { return SQLITE_TOOBIG }
        guard !isEmpty else { return sqlite3_bind_zeroblob(statement, index, 0) }
        return withUnsafeBytes { weir_sqlite_bind_blob(statement, index, $0.baseAddress, Int32($0.count)) }
    }
}

extension Optional: Bindable where Wrapped: Bindable {
    package func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        switch self {
        case .some(let value): value.bind(to: statement, at: index)
        case .none: sqlite3_bind_null(statement, index)
        }
    }
}
