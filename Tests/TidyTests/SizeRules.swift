/// Larger than these is a smell: several ideas in one place. Files aim at about 150 lines.
enum SizeLimits {
    static let fileLines = 300
    static let functionLines = 60
    static let columns = 120
    /// Tests hold bytes as they stand on the wire, which must not be broken up to fit.
    static let testColumns = 160
    /// The aim for all of Weir is 25,000 (of code alone, comments and blank lines aside, it is kept: 24,000). What comes
    /// next must make room.
    static let sourceLines = 30_500
}

/// What may be larger, by name and with its reason: a file's path, or `path:function`. An entry that is no longer
/// needed is itself a finding.
let sizeExceptions: [String: String] = [:]

func sizeFindings(_ file: SwiftSource) -> [Finding] {
    oversized(file).filter { sizeExceptions[$0.name] == nil }.map(\.finding)
}

/// Exceptions that nothing needs any more.
func staleExceptions(_ exceptions: [String: String], _ files: [SwiftSource]) -> [Finding] {
    let needed = Set(files.flatMap(oversized).map(\.name))
    return exceptions.keys.filter { !needed.contains($0) }.sorted().map {
        Finding(path: $0, line: nil, message: "needs no exception any more: take it out of sizeExceptions")
    }
}

private func oversized(_ file: SwiftSource) -> [(name: String, finding: Finding)] {
    var found: [(String, Finding)] = []
    if file.text.lineCount > SizeLimits.fileLines {
        let message = "\(file.text.lineCount) lines, at most \(SizeLimits.fileLines): one idea a file"
        found.append((file.path, file.finding(nil, message)))
    }
    for function in functions(file) where function.length > SizeLimits.functionLines {
        let message = "\(function.name) has \(function.length) lines, at most \(SizeLimits.functionLines)"
        found.append(("\(file.path):\(function.name)", file.finding(function.line, message)))
    }
    return found
}

struct FunctionExtent: Equatable {
    var name: String
    var line: Int
    /// From the line of its name to that of its closing brace.
    var length: Int
}

/// Every function, initialiser and subscript with a body, nested ones too.
func functions(_ file: SwiftSource) -> [FunctionExtent] {
    guard file.isSwift else { return [] }
    let starts = file.code.lines(of: "func", "init", "deinit", "subscript").compactMap { line in
        functionName(file.code.line(line)).map { (name: $0, line: line) }
    }
    return starts.compactMap { name, line in
        guard let end = endOfBody(file.code, from: file.code.start(ofLine: line)) else { return nil }
        return FunctionExtent(name: name, line: line, length: file.code.line(at: end) - line + 1)
    }
}

private func functionName(_ line: String) -> String? {
    let tokens = line.tokens
    if let keyword = tokens.firstIndex(of: "func"), keyword + 1 < tokens.count { return tokens[keyword + 1] }
    let first = tokens.first { !declarationModifiers.contains($0) }
    return first.flatMap { ["init", "deinit", "subscript"].contains($0) ? $0 : nil }
}

/// The brace that closes the body; nil when the declaration ends without one (a protocol's requirement).
private func endOfBody(_ code: SourceText, from start: Int) -> Int? {
    var position = start, parentheses = 0, braces = 0
    while position < code.count {
        position += code.run(from: position, until: braces > 0 ? "{}" : "()[]{}\n")
        guard position < code.count else { return nil }
        switch code[position] {
        case UInt8(ascii: "("), UInt8(ascii: "["): parentheses += 1
        case UInt8(ascii: ")"), UInt8(ascii: "]"): parentheses -= 1
        case UInt8(ascii: "\n") where parentheses == 0:
            guard position + 1 < code.count, continuesSignature(code.line(code.line(at: position + 1))) else {
                return nil
            }
        case UInt8(ascii: "{") where braces > 0 || parentheses == 0: braces += 1
        case UInt8(ascii: "}") where braces > 0 || parentheses == 0:
            braces -= 1
            if braces <= 0 { return braces == 0 ? position : nil }
        default: break  // a closure among the default arguments
        }
        position += 1
    }
    return nil
}

private func continuesSignature(_ line: String) -> Bool {
    line.tokens.first.map { ["{", "-", "where", "throws", "async", "rethrows"].contains($0) } ?? false
}

func layoutFindings(_ file: SwiftSource) -> [Finding] {
    (0..<file.text.lineCount).flatMap { index -> [Finding] in
        let line = file.text.line(index)
        var findings: [Finding] = []
        let limit = file.path.hasPrefix("Tests/") ? SizeLimits.testColumns : SizeLimits.columns
        if line.utf8.count > limit, line.count > limit {
            findings.append(file.finding(index, "\(line.count) columns, at most \(limit)"))
        }
        if let last = line.utf8.last, last <= 0x20 {
            findings.append(file.finding(index, "white space at the end of the line"))
        }
        if line.utf8.first == 0x09 { findings.append(file.finding(index, "indent with 4 spaces, not with tabs")) }
        return findings
    }
}
