/// A word that does not appear in code where the ban applies, and what to write instead.
struct Ban: Sendable {
    let word: String
    let instead: String
    var applies: @Sendable (SwiftSource) -> Bool = { _ in true }
}

private let clockFiles: Set = ["Sources/Base/Time.swift", "Sources/Base/Mailbox.swift"]
private let talkers: Set = ["weir", "Benchmark"]
private let noSleep = "wait for the event itself: a test that sleeps is slow or flaky"

let bans = [
    Ban(word: "try!", instead: "handle the error, or throw it on"),
    Ban(word: "as!", instead: "use as? and handle nil"),
    Ban(word: "fatalError(", instead: "throw a Failure; for a programmer's error use precondition"),
    Ban(word: "Date()", instead: "use UnixTime.now() for records, MonotonicInstant.now() for time spans"),
    Ban(word: "clock_gettime", instead: "use MonotonicInstant.now() or UnixTime.now()") {
        $0.isInSources && $0.isSwift && !clockFiles.contains($0.path)
    },
    Ban(word: "print(", instead: "log it, or return it to the verb: only weir and Benchmark talk on stdout") {
        $0.isInSources && !talkers.contains($0.module)
    },
    Ban(word: "sleep(", instead: noSleep) { $0.isInTests },
    Ban(word: "usleep(", instead: noSleep) { $0.isInTests },
    Ban(word: "nanosleep(", instead: noSleep) { $0.isInTests },
]

private let unfinished = ["TODO", "FIXME", "XXX"]

func bannedCallFindings(_ file: SwiftSource) -> [Finding] {
    let calls = bans.flatMap { ban -> [Finding] in
        guard ban.applies(file) else { return [] }
        return file.code.lines(of: ban.word).map { file.finding($0, "`\(ban.word)`: \(ban.instead)") }
    }
    let words = unfinished.flatMap { word in
        file.comments.lines(of: word).map { file.finding($0, "`\(word)`: finish it, or say plainly what is not there") }
    }
    return calls + words
}

/// SQL takes its values as bound parameters: text put together from values is how injections happen.
func sqlTextFindings(_ file: SwiftSource) -> [Finding] {
    guard file.isInSources else { return [] }
    let verbs: Set = ["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "ALTER", "DROP"]
    return file.strings.compactMap { literal in
        guard literal.isInterpolated, let verb = literal.text.tokens.first, verbs.contains(verb) else { return nil }
        return file.finding(literal.line, "SQL text with \\(…) in it: bind the value as a parameter")
    }
}

/// Closing any descriptor of a database file drops the locks its library holds on it.
func databaseFileFindings(_ file: SwiftSource) -> [Finding] {
    let endings = [".db", ".lmdb", ".db-wal", ".db-shm"]
    let names = file.strings.filter { literal in endings.contains { literal.text.hasSuffix($0) } }
    return names.compactMap { literal in
        guard opensDirectly(file.code.line(literal.line)) else { return nil }
        return file.finding(literal.line, "only SQLite and LMDB themselves open or close \(literal.text)")
    }
}

private func opensDirectly(_ line: String) -> Bool {
    let text = SourceText(Array(line.utf8))
    return ["open(", "openat(", "fopen(", "close("].flatMap(text.offsets(of:)).contains { offset in
        let before = String(decoding: line.utf8.prefix(offset), as: UTF8.self)
        return before.hasSuffix("Glibc.") || !(before.hasSuffix(".") || before.hasSuffix("func "))
    }
}

func unprovenSendableFindings(_ file: SwiftSource) -> [Finding] {
    ["@unchecked Sendable", "nonisolated(unsafe)"].flatMap { claim in
        file.code.lines(of: claim).filter { file.comments.line($0).trimmed.isEmpty }
            .map { file.finding($0, "`\(claim)` needs its proof as a // comment on the same line") }
    }
}

/// An `async` main function ends its thread with pthread_exit, and that aborts on a host without libgcc_s; and what
/// Swift's CommandLine knows comes from /proc, which a container may lack.
func mainFindings(_ file: SwiftSource) -> [Finding] {
    guard file.path.hasPrefix("Sources/weir/") else { return [] }
    let words = [
        "AsyncParsableCommand", "dispatchMain(", "pthread_exit(", "pthread_cancel(", "static func main() async",
    ]
    let atTop =
        file.path.hasSuffix("/main.swift")
        ? file.code.lines(of: "await").filter { line in
            let first = file.code[file.code.start(ofLine: line)]
            return first > 0x20 && first != UInt8(ascii: "}")
        } : []
    return (words.flatMap { file.code.lines(of: $0) } + atTop).map {
        file.finding($0, "main blocks on its own thread: an async main aborts where libgcc_s is missing")
    }
        + file.code.lines(of: "CommandLine").map {
            file.finding($0, "CommandLine reads /proc, which may be missing: take the arguments that glibc handed over")
        }
}
