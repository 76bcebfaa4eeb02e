/// Every module has a place in the ladder and a line in README.md's architecture section.
func moduleFindings(modules: [String], readme: String) -> [Finding] {
    let architecture = Set(section("Architecture", of: readme).tokens)
    let placeless = modules.filter { !ladder.contains($0) }.sorted().map {
        Finding(path: "Sources/\($0)", line: nil, message: "has no place in ImportRule.swift's ladder")
    }
    let unnamed = modules.filter { !architecture.contains($0) }.sorted().map {
        Finding(path: "README.md", line: nil, message: "its section Architecture does not name \($0)")
    }
    return placeless + unnamed
}

/// The lines from a heading that holds `title` to the next heading of the same or a higher level.
func section(_ title: String, of markdown: String) -> String {
    var level: Int?
    var section: [Substring] = []
    for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
        let hashes = line.prefix { $0 == "#" }.count
        if let open = level, hashes > 0, hashes <= open { break }
        if level == nil, hashes > 0, line.lowercased().contains(title.lowercased()) { level = hashes }
        if level != nil { section.append(line) }
    }
    return section.joined(separator: "\n")
}

/// Every file of the data folder has a line in data/README.md: those that lie there and those the code names. A name in
/// back quotes also stands for what begins with it (`weir.db` for `weir.db-wal`).
func dataFileFindings(found: [String], files: [SwiftSource], readme: String) -> [Finding] {
    let quoted = readme.split(separator: "`", omittingEmptySubsequences: false).enumerated()
        .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    let named = files.filter(\.isInSources).flatMap(\.strings).map(\.text).filter(isDataFileName)
    return Set(found + named).subtracting(["README.md"]).sorted().filter { name in
        !quoted.contains { name == $0 || name.hasPrefix($0 + "-") || name.hasPrefix($0 + ".") }
    }.map { Finding(path: "data/README.md", line: nil, message: "has no line about `\($0)`") }
}

private func isDataFileName(_ text: String) -> Bool {
    [".db", ".lmdb", ".sock"].contains { text.hasSuffix($0) && text.utf8.count > $0.utf8.count } && !text.contains("/")
        && text.utf8.allSatisfy { isIdentifierByte($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
}

/// Small enough for one person to know.
func totalFindings(_ files: [SwiftSource]) -> [Finding] {
    let total = files.filter(\.isInSources).reduce(0) { $0 + $1.text.lineCount }
    guard total >= SizeLimits.sourceLines else { return [] }
    return [Finding(path: "Sources", line: nil, message: "\(total) lines, fewer than \(SizeLimits.sourceLines) wanted")]
}
