/// The header fields of an answer as they stand on the wire, `Name: value` and CR LF each, in one piece of memory: an
/// answer passes through without a string being made of any field. Order, duplicates and spelling stay; lookup ignores
/// case (RFC 9110, 5.1) and is O(bytes).
package struct HeaderLines: Sendable, Equatable {
    /// The lines, without the empty one that ends a head.
    package private(set) var bytes: [UInt8]

    package init() { bytes = [] }

    package init(_ fields: [(name: String, value: String)]) {
        bytes = []
        bytes.reserveCapacity(256)
        for (name, value) in fields { add(name, value) }
    }

    /// Room for that many bytes in all, so that adding need not move what is there.
    package mutating func reserveCapacity(_ count: Int) { bytes.reserveCapacity(count) }

    /// Puts a field at the end; others of that name stay. The caller vouches for the value (`isHeaderValue`).
    package mutating func add(_ name: String, _ value: String) {
        bytes.append(contentsOf: name.utf8)
        bytes.append(0x3A)
        bytes.append(0x20)
        bytes.append(contentsOf: value.utf8)
        endLine()
    }

    package mutating func add(_ name: String, _ value: Int) { add(name, String(value)) }

    /// Puts a line at the end as it came, without its line end.
    package mutating func add(line: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: line)
        endLine()
    }

    /// Puts whole lines at the end as they came.
    package mutating func add(lines: UnsafeRawBufferPointer) { bytes.append(contentsOf: lines) }

    /// Puts lines at the end that were made by another of these.
    package mutating func add(_ others: HeaderLines) { bytes.append(contentsOf: others.bytes) }

    private mutating func endLine() {
        bytes.append(0x0D)
        bytes.append(0x0A)
    }

    /// One field of a walk: ranges into `bytes`.
    package struct Line {
        package var whole: Range<Int>
        package var name: Range<Int>
        /// Without the blanks around it.
        package var value: Range<Int>
    }

    /// Visits each line, with all bytes; nothing is allocated. The visitor returns false to stop.
    package func walk(_ visit: (Line, UnsafeRawBufferPointer) -> Bool) {
        bytes.withUnsafeBytes { all in
            var start = 0
            while start < all.count {
                let end = all[start...].firstIndex(of: 0x0A) ?? all.count
                let line = Self.parse(start..<end, all)
                start = end + 1
                guard let line else { continue }
                if !visit(line, all) { return }
            }
        }
    }

    /// A line without a colon is none.
    private static func parse(_ range: Range<Int>, _ all: UnsafeRawBufferPointer) -> Line? {
        guard let colon = all[range].firstIndex(of: 0x3A), colon > range.lowerBound else { return nil }
        var (first, last) = (colon + 1, range.upperBound)
        while last > first, isBlank(all[last - 1]) { last -= 1 }
        while first < last, isBlank(all[first]) { first += 1 }
        let whole = range.lowerBound..<max(last, colon + 1)
        return Line(whole: whole, name: range.lowerBound..<colon, value: first..<last)
    }

    /// The first value of that name.
    package subscript(_ name: String) -> String? {
        var found: String?
        walk { line, all in
            guard equalIgnoringCase(all[line.name], name) else { return true }
            found = String(decoding: all[line.value], as: UTF8.self)
            return false
        }
        return found
    }

    /// Whether a field of that name is there.
    package func contains(_ name: String) -> Bool {
        var found = false
        walk { line, all in
            found = equalIgnoringCase(all[line.name], name)
            return !found
        }
        return found
    }

    /// Takes all fields of that name out.
    package mutating func remove(_ name: String) {
        guard contains(name) else { return }
        var kept = HeaderLines()
        kept.reserveCapacity(bytes.count)
        walk { line, all in
            if !equalIgnoringCase(all[line.name], name) {
                kept.add(line: UnsafeRawBufferPointer(rebasing: all[line.whole]))
            }
            return true
        }
        self = kept
    }

    /// Leaves one field of that name, at the end.
    package mutating func replace(_ name: String, _ value: String) {
        remove(name)
        add(name, value)
    }

    /// The fields as strings: for tests and slow paths.
    package var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        walk { line, all in
            fields.append(
                (
                    String(decoding: all[line.name], as: UTF8.self),
                    String(decoding: all[line.value], as: UTF8.self)
                ))
            return true
        }
        return fields
    }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
