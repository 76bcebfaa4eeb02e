import Base

/// A list of objects from one of our JSON answers, as columns for people.
struct TextTable {
    let text: String

    /// - Parameters:
    ///   - list: the member of the answer that holds the list.
    ///   - columns: members to show, in this order.
    init(_ answer: String, list: String, columns: [String]) throws(JSONError) {
        var rows = [columns.map { $0.uppercased() }]
        let bytes = Array(answer.utf8)
        var failure: JSONError?
        bytes.withUnsafeBytes { buffer in
            do throws(JSONError) {
                var scanner = JSONScanner(buffer)
                var range: Range<Int>?
                try scanner.scanObject { if buffer[$0.key].elementsEqual(list.utf8) { range = $0.value } }
                guard let range else { return }
                var items: [Range<Int>] = []
                try scanner.scanArray(in: range) { item, _ in items.append(item) }
                for item in items { rows.append(try Self.row(buffer, item, columns)) }
            } catch { failure = error }
        }
        if let failure { throw failure }
        let widths = columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        text = rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: max(0, $1 - $0.count)) }
            return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }

    private static func row(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ columns: [String]
    ) throws(JSONError) -> [String] {
        var cells = columns.map { _ in "-" }
        var scanner = JSONScanner(bytes)
        try scanner.scanObject(in: range) { member in
            guard let column = columns.firstIndex(of: String(decoding: bytes[member.key], as: UTF8.self)),
                member.kind != .null
            else { return }
            let raw = String(decoding: bytes[member.value], as: UTF8.self)
            let plain = JSONText.decodeString(bytes[member.value])
            cells[column] = plain ?? raw.filter { !"[]\"".contains($0) }
        }
        return cells
    }
}
