/// The candidate that a mistyped name most likely meant: the one with the fewest single-letter edits, if those are no
/// more than half of its letters and no more than `limit`. Ties go to the first. O(letters squared) a candidate.
func nearestName(to name: String, among candidates: [String], atMost limit: Int = .max) -> String? {
    guard name.utf8.count <= nearestNameBytesMax else { return nil }
    let wanted = normalized(name)
    let scored = candidates.map { (name: $0, edits: editDistance(wanted, normalized($0))) }
    guard let best = scored.min(by: { $0.edits < $1.edits }) else { return nil }
    return best.edits <= min(limit, max(1, wanted.count / 2)) ? best.name : nil
}

/// Longer names are no typing mistakes, and the work would grow with their square.
private let nearestNameBytesMax = 80

/// `bodyLimit`, `body_limit` and `BODY-LIMIT` are all one edit or none away from `body-limit`.
private func normalized(_ name: String) -> [UInt8] {
    name.lowercased().utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
}

/// Levenshtein's distance: insertions, deletions and replacements that turn `a` into `b`.
func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var previous = Array(0...b.count)
    for (row, left) in a.enumerated() {
        var current = [row + 1]
        current.reserveCapacity(b.count + 1)
        for (column, right) in b.enumerated() {
            let replaced = previous[column] + (left == right ? 0 : 1)
            current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
        }
        previous = current
    }
    return previous[b.count]
}
