import Testing

/// A check that cannot fail is a defect: every rule sees a bad and a good snippet.
@Suite("Tidy's own rules")
struct RuleTests {
    /// The snippet as a file of the module Ledger, unless another path is named.
    struct Sample: Sendable, CustomTestStringConvertible {
        let rule: FileRule
        let bad: String
        let good: String
        var path = "Sources/Ledger/Sample.swift"
        var testDescription: String {
            "\(rule.rawValue): \(bad.prefix(40).split(separator: "\n").joined(separator: " "))"
        }
    }

    private static let longSQL = "let s = \"\"\"\n    DELETE FROM a\n    WHERE b = \\(c)\n    \"\"\""
    private static let inTests = "Tests/LedgerTests/Sample.swift"
    private static let inMain = "Sources/weir/main.swift"

    static let samples: [Sample] = [
        Sample(rule: .imports, bad: "import Foundation", good: "import FoundationEssentials"),
        Sample(rule: .imports, bad: "package import struct Foundation.Date", good: "// import Foundation"),
        Sample(rule: .imports, bad: "import Foundation", good: "import Glibc", path: inTests),
        Sample(rule: .imports, bad: "import XCTest", good: "import Testing", path: inTests),
        Sample(rule: .imports, bad: "import Gateway", good: "import SQLite"),
        Sample(rule: .imports, bad: "package import Upstream", good: "package import Base"),
        Sample(rule: .imports, bad: "internal import CSQLite", good: "let importer = \"import CSQLite\""),
        Sample(rule: .imports, bad: "import CLinux", good: "import Crypto"),
        Sample(rule: .imports, bad: "import NIOPosix", good: "import NIOCore", path: "Sources/Gateway/Sample.swift"),
        Sample(rule: .imports, bad: "import NIOCore", good: "import Base", path: "Sources/Telemetry/Sample.swift"),
        Sample(rule: .imports, bad: "import NIOHTTP1", good: "import NIOPosix", path: inMain),
        Sample(rule: .imports, bad: "import Base", good: "let a = 1", path: "Sources/Unheard/Sample.swift"),
        Sample(rule: .bannedCalls, bad: "let a = try! f()", good: "let a = try f() // not try! f()"),
        Sample(rule: .bannedCalls, bad: "let a = b as! Int", good: "let a = b as? Int"),
        Sample(rule: .bannedCalls, bad: "fatalError(\"no\")", good: "let text = \"fatalError(\""),
        Sample(rule: .bannedCalls, bad: "let text = \"\\(fatalError(1))\"", good: "let text = \"\\\\(fatalError(1))\""),
        Sample(rule: .bannedCalls, bad: "print(1)", good: "debugPrint(1); blueprint(2)"),
        Sample(rule: .bannedCalls, bad: "try! f()", good: "print(1)", path: inMain),
        Sample(rule: .bannedCalls, bad: "let now = Date()", good: "let now = UpDate()"),
        Sample(rule: .bannedCalls, bad: "clock_gettime(clock, &time)", good: "let now = MonotonicInstant.now()"),
        Sample(rule: .bannedCalls, bad: "as! Int", good: "clock_gettime(a, &b)", path: "Sources/Base/Time.swift"),
        Sample(rule: .bannedCalls, bad: "// TODO: later", good: "let template = \"weir-XXXXXX\""),
        Sample(rule: .bannedCalls, bad: "/* FIXME */ let a = 1", good: "let a = \"FIXME\""),
        Sample(rule: .bannedCalls, bad: "try await Task.sleep(for: .seconds(1))", good: "print(seed)", path: inTests),
        Sample(rule: .bannedCalls, bad: "usleep(5)", good: "sleepers.count", path: inTests),
        Sample(rule: .bannedCalls, bad: "nanosleep(&time, nil)", good: "asleep(1)", path: inTests),
        Sample(
            rule: .sqlText, bad: "let sql = \"SELECT a FROM b WHERE c = \\(d)\"",
            good: "let s = \"SELECT a WHERE b = ?\""),
        Sample(
            rule: .sqlText, bad: longSQL,
            good: "let s = \"Select \\(a)\""),
        Sample(
            rule: .databaseFiles, bad: "let f = open(\"weir.db\", O_RDONLY)", good: "let f = open(\"lock\", O_RDONLY)"),
        Sample(
            rule: .databaseFiles, bad: "Glibc.open(folder + \"/queue.lmdb\", 0)", good: "try Database.open(\"weir.db\")"
        ),
        Sample(
            rule: .unprovenSendable, bad: "final class A: @unchecked Sendable {}",
            good: "final class A: @unchecked Sendable {}  // one thread alone touches it"),
        Sample(rule: .unprovenSendable, bad: "nonisolated(unsafe) var a = 1", good: "var a = \"nonisolated(unsafe)\""),
        Sample(rule: .main, bad: "await serve()", good: "Task {\n    await serve()\n}", path: inMain),
        Sample(
            rule: .main, bad: "struct Serve: AsyncParsableCommand {}", good: "struct Serve: ParsableCommand {}",
            path: "Sources/weir/Serve.swift"),
        Sample(rule: .main, bad: "let all = CommandLine.arguments", good: "let all = processArguments()", path: inMain),
        Sample(rule: .layout, bad: "let a = 1 ", good: "let a = 1"),
        Sample(rule: .layout, bad: "\tlet a = 1", good: "    let a = 1"),
        Sample(
            rule: .layout, bad: "//" + String(repeating: "x", count: 119),
            good: "//" + String(repeating: "é", count: 118)),
        Sample(rule: .size, bad: lines(301), good: lines(300)),
        Sample(rule: .size, bad: "func long() {\n\(lines(59))}", good: "func fits() {\n\(lines(58))}"),
        Sample(
            rule: .size, bad: "init(\n    a: () -> Void = {}\n) {\n\(lines(58))}",
            good: "func a()\nvar b: Int { get }"),
    ]

    private static func lines(_ count: Int) -> String { String(repeating: "let a = 1\n", count: count) }

    @Test("a bad snippet is found and a good one is not", arguments: samples)
    func judges(sample: Sample) {
        let bad = sample.rule.check(SwiftSource(path: sample.path, text: sample.bad))
        #expect(!bad.isEmpty, "not found")
        let good = sample.rule.check(SwiftSource(path: sample.path, text: sample.good))
        #expect(good.isEmpty, "\(good)")
    }

    @Test("every rule and every ban has a snippet that breaks it")
    func nothingIsUntested() {
        #expect(Set(Self.samples.map(\.rule)) == Set(FileRule.allCases))
        let messages = Self.samples.flatMap { bannedCallFindings(SwiftSource(path: $0.path, text: $0.bad)) }.map(
            \.message)
        let untested = bans.filter { ban in !messages.contains("`\(ban.word)`: \(ban.instead)") }
        #expect(untested.isEmpty)
    }

    @Test("a finding names the file, the line and the way out")
    func findingText() {
        let file = SwiftSource(path: "Sources/Base/A.swift", text: "let a = 1\nlet b = c as! Int\n")
        #expect(
            bannedCallFindings(file).map(\.description) == ["Sources/Base/A.swift:2: `as!`: use as? and handle nil"])
    }
}
