/// One source file, cut into what the rules look at. Code, comments and strings are told apart by a small lexer, so
/// that a word in a comment is no call and a brace in a string opens no block. Lines are counted from 0 in here.
struct SwiftSource: Sendable {
    /// From the top of the repository: `Sources/Base/Time.swift`.
    let path: String
    let text: SourceText
    /// The text with comments and the insides of strings blanked; code in `\(…)` stays. Same offsets as in `text`.
    let code: SourceText
    /// The text with everything but comments blanked.
    let comments: SourceText
    let strings: [StringLiteral]

    struct StringLiteral: Sendable {
        /// Of its opening quote.
        var line: Int
        var text: String
        var isInterpolated: Bool
    }

    init(path: String, text: String) {
        self.path = path
        self.text = SourceText(Array(text.utf8))
        var lexer = SwiftLexer(self.text)
        lexer.run()
        code = SourceText(lexer.code)
        comments = SourceText(lexer.comments)
        strings = lexer.strings
    }

    /// `Base` for `Sources/Base/Time.swift`, `BaseTests` for `Tests/BaseTests/X.swift`.
    var module: String {
        let parts = path.split(separator: "/")
        return parts.count > 2 ? String(parts[1]) : ""
    }
    var isInSources: Bool { path.hasPrefix("Sources/") }
    var isInTests: Bool { path.hasPrefix("Tests/") }
    var isSwift: Bool { path.hasSuffix(".swift") }
}
