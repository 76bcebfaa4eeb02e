/// The house from the ground up: a module imports only modules that stand before it.
let ladder = [
    "CCurl", "CLMDB", "CSQLite", "CLinux",
    "Base", "Settings", "Telemetry", "LMDB", "SQLite", "Upstream", "ResponseCache", "Ledger", "Gateway", "Operations",
    "HTTPAPI", "Simulator", "Benchmark", "weir",
]

/// What holds data or connections never knows its siblings: Gateway, Operations and HTTPAPI join them.
let stores: Set = ["Upstream", "ResponseCache", "Ledger"]

/// Modules that only a few may import. One C library has one wrapper; the server's own parts stay in the servers.
let reserved: [String: Set<String>] = [
    "CCurl": ["Upstream"],
    "CLMDB": ["LMDB"],
    "CSQLite": ["SQLite"],
    "CLinux": ["Base", "Upstream", "Operations", "HTTPAPI"],
    "LMDB": ["ResponseCache"],
    "NIOCore": Set(ladder.drop { $0 != "Upstream" }),
    "NIOPosix": ["HTTPAPI", "Simulator", "Benchmark", "weir"],
    "NIOHTTP1": ["HTTPAPI", "Simulator", "Benchmark"],
    "Benchmark": ["weir"],
]

func importFindings(_ file: SwiftSource) -> [Finding] {
    guard file.isSwift else { return [] }
    return file.code.lines(of: "import").compactMap { line in
        guard let imported = importedModule(file.code.line(line)) else { return nil }
        return complaint(file, imported).map { file.finding(line, $0) }
    }
}

private func complaint(_ file: SwiftSource, _ imported: String) -> String? {
    if imported == "Foundation" {
        return "Foundation brings 40 MB of ICU: import Glibc, or FoundationEssentials off the hot path"
    }
    if imported == "XCTest" { return "tests use swift-testing alone" }
    guard file.isInSources else { return nil }
    guard let place = ladder.firstIndex(of: file.module) else {
        return "\(file.module) has no place in the ladder: give it one in Tests/TidyTests/ImportRule.swift"
    }
    if let allowed = reserved[imported], !allowed.contains(file.module) {
        return "\(imported) is for \(allowed.sorted().joined(separator: ", ")) only"
    }
    if stores.contains(file.module), stores.contains(imported) {
        return "the stores \(file.module) and \(imported) never import each other: join them in Gateway or above"
    }
    if let other = ladder.firstIndex(of: imported), other >= place {
        return "\(file.module) stands below \(imported) and cannot import it: move the shared part down"
    }
    return nil
}

/// `NIOCore` for `package import struct NIOCore.ByteBuffer`; nil when the line imports nothing.
func importedModule(_ line: String) -> String? {
    let tokens = line.tokens
    guard let keyword = tokens.firstIndex(of: "import"), keyword + 1 < tokens.count else { return nil }
    let modifiers: Set = ["package", "public", "internal", "private", "fileprivate", "@", "testable", "preconcurrency"]
    guard tokens[..<keyword].allSatisfy(modifiers.contains) else { return nil }
    let kinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
    let name = kinds.contains(tokens[keyword + 1]) ? keyword + 2 : keyword + 1
    return name < tokens.count ? tokens[name] : nil
}
