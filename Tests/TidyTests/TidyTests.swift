import Testing

/// The house rules, held over the whole tree. RuleTests shows that each of them can fail.
@Suite("Tidy")
struct TidyTests {
    private static let files = Result { try SourceTree.files() }

    private func report(_ findings: [Finding], _ comment: String) {
        guard !findings.isEmpty else { return }
        Issue.record("\(findings.count) \(comment):\n\(findings.map(\.description).joined(separator: "\n"))")
    }

    @Test("the tree is found and read")
    func treeIsThere() throws {
        let files = try Self.files.get()
        #expect(files.contains { $0.path == "Sources/Base/Time.swift" })
        #expect(files.contains { $0.path == "Tests/TidyTests/TidyTests.swift" })
    }

    @Test("every file keeps the rule", arguments: FileRule.allCases)
    func filesKeep(rule: FileRule) throws {
        report(try Self.files.get().flatMap(rule.check), "places break the rule \(rule.rawValue)")
    }

    @Test("what other modules may use has a doc comment")
    func documentation() throws {
        report(documentationFindings(try Self.files.get()), "declarations without a doc comment")
    }

    @Test("the sources stay small as a whole, and no exception outlives its need")
    func sizes() throws {
        let files = try Self.files.get()
        report(totalFindings(files) + staleExceptions(sizeExceptions, files), "findings about sizes")
    }

    @Test("every module has its place in the ladder and in README.md")
    func modules() throws {
        let modules = try SourceTree.names(in: "Sources")
        report(moduleFindings(modules: modules, readme: try SourceTree.text("README.md")), "findings about modules")
    }

    @Test("every data file has its line in data/README.md")
    func dataFiles() throws {
        let readme = try SourceTree.text("data/README.md")
        let found = try SourceTree.names(in: "data")
        report(dataFileFindings(found: found, files: try Self.files.get(), readme: readme), "data files without a line")
    }
}
