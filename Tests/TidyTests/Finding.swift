/// A place that breaks a house rule, and what to do about it.
struct Finding: CustomStringConvertible {
    let path: String
    /// Counted from 0; nil when the finding is about the file as a whole.
    let line: Int?
    let message: String

    var description: String { line.map { "\(path):\($0 + 1): \(message)" } ?? "\(path): \(message)" }
}

/// Looks at one file. Pure: the same file gives the same findings.
typealias Rule = (SwiftSource) -> [Finding]

extension SwiftSource {
    func finding(_ line: Int?, _ message: String) -> Finding { Finding(path: path, line: line, message: message) }
}

/// Every rule that looks at one file at a time. A new rule goes here and gets a bad and a good snippet in RuleTests.
enum FileRule: String, CaseIterable, Sendable {
    case imports, bannedCalls, sqlText, databaseFiles, unprovenSendable, main, size, layout

    var check: Rule {
        switch self {
        case .imports: importFindings
        case .bannedCalls: bannedCallFindings
        case .sqlText: sqlTextFindings
        case .databaseFiles: databaseFileFindings
        case .unprovenSendable: unprovenSendableFindings
        case .main: mainFindings
        case .size: sizeFindings
        case .layout: layoutFindings
        }
    }
}
