import Testing

@Suite("Tidy's rules about the tree as a whole")
struct TreeRuleTests {
    private let readme =
        "# Weir\n\nBase\n\n## Architecture\n\n### Modules\n\n- `Base/`: the ground\n\n## Later\n\nLedger\n"

    @Test("a module without a line in the section Architecture, or without a place in the ladder, is found")
    func modules() {
        #expect(moduleFindings(modules: ["Base"], readme: readme).isEmpty)
        #expect(moduleFindings(modules: ["Ledger"], readme: readme).count == 1)
        #expect(moduleFindings(modules: ["Ledger", "Unheard"], readme: readme).count == 3)
        #expect(moduleFindings(modules: ["Base"], readme: "").count == 1)
    }

    @Test("a data file is found that lies there, or is named in the sources, without a line in the README")
    func dataFiles() {
        let source = SwiftSource(path: "Sources/Ledger/A.swift", text: "let name = \"weir.db\", other = \"%.db\"")
        let test = SwiftSource(path: "Tests/LedgerTests/A.swift", text: "let name = \"test.db\"")
        #expect(dataFileFindings(found: [], files: [source, test], readme: "").count == 1)
        #expect(dataFileFindings(found: [], files: [source, test], readme: "| `weir.db` | keys |").isEmpty)
        let found = ["README.md", "weir.db", "weir.db-wal", "lock"]
        #expect(
            dataFileFindings(found: found, files: [], readme: "`weir.db`").map(\.message) == [
                "has no line about `lock`"
            ])
    }

    @Test("the sources' total has a limit, and tests do not count")
    func total() {
        let text = String(repeating: "\n", count: SizeLimits.sourceLines)
        #expect(totalFindings([SwiftSource(path: "Sources/Base/A.swift", text: text)]).count == 1)
        #expect(totalFindings([SwiftSource(path: "Sources/Base/A.swift", text: String(text.dropLast()))]).isEmpty)
        #expect(totalFindings([SwiftSource(path: "Tests/BaseTests/A.swift", text: text)]).isEmpty)
    }

    @Test("an exception that nothing needs is found")
    func exceptions() {
        let long = SwiftSource(path: "Sources/Base/A.swift", text: String(repeating: "\n", count: 301))
        #expect(staleExceptions(["Sources/Base/A.swift": "a table"], [long]).isEmpty)
        #expect(staleExceptions(["Sources/Base/A.swift:f": "a table"], [long]).count == 1)
    }

    @Test(
        "a declaration without a doc comment is found",
        arguments: [
            "package struct A {}", "package static func f() {}", "// plain\npublic func f() {}", "package func f() {}",
            "/// About a.\nlet a = 1\npackage protocol P {}", "@inlinable package func f() {}",
        ])
    func undocumented(text: String) {
        #expect(documentationFindings([SwiftSource(path: "Sources/Base/A.swift", text: text)]).count == 1)
    }

    @Test(
        "a doc comment, a requirement that has one, or a lesser declaration satisfies",
        arguments: [
            "/// What A is.\npackage struct A {}", "struct A {}\nprivate func f() {}", "package var a = 1",
            "/// What f does.\n@inlinable\n@discardableResult\npublic func f() {}", "package func encode(to: Int) {}",
            "package static func < (a: A, b: A) -> Bool {}",
            "/// Both.\npackage func f() {}\npackage func f(a: Int) {}",
            "package func required() {}",
        ])
    func documented(text: String) {
        let demand = SwiftSource(
            path: "Sources/Base/P.swift", text: "protocol P {\n    /// Does.\n    func required()\n}")
        #expect(documentationFindings([demand, SwiftSource(path: "Sources/Base/A.swift", text: text)]).isEmpty)
    }
}
