/// HTTP header fields in the order they came, duplicates kept, names as written. Lookup ignores case (RFC 9110, 5.1).
package struct HeaderFields: Sendable {
    package var fields: [(name: String, value: String)]

    package init(_ fields: [(name: String, value: String)] = []) { self.fields = fields }

    /// The first value of that name. O(n): heads are short.
    package subscript(_ name: String) -> String? {
        fields.first { equalIgnoringCase($0.name, name) }?.value
    }

    /// Whether a field of that name is there.
    package func contains(_ name: String) -> Bool { fields.contains { equalIgnoringCase($0.name, name) } }

    /// Puts a field at the end; others of that name stay.
    package mutating func add(_ name: String, _ value: String) { fields.append((name, value)) }

    /// Takes all fields of that name out.
    package mutating func remove(_ name: String) { fields.removeAll { equalIgnoringCase($0.name, name) } }

    /// Leaves one field of that name, at the end.
    package mutating func replace(_ name: String, _ value: String) {
        remove(name)
        add(name, value)
    }
}

/// A value that may stand in a header: no control character but a tab (RFC 9110, 5.5). What a client or a provider
/// sends is checked with this before it is reflected.
package func isHeaderValue(_ text: String) -> Bool {
    for byte in text.utf8 where isControl(byte) { return false }
    return true
}

/// The same for bytes of a message head.
package func isHeaderValue(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
    for byte in bytes where isControl(byte) { return false }
    return true
}

private func isControl(_ byte: UInt8) -> Bool { (byte < 0x20 && byte != 0x09) || byte == 0x7F }
