/// Tells code, comments and strings of Swift (and C) apart. It knows nested block comments, raw and multi-line strings
/// and interpolation; it does not know regex literals, which the house does not use.
struct SwiftLexer {
    private let text: SourceText
    private var position = 0
    /// As long as the text, with the same line ends and everything else blanked.
    private(set) var code: [UInt8]
    private(set) var comments: [UInt8]
    private(set) var strings: [SwiftSource.StringLiteral] = []

    private static let newline = UInt8(ascii: "\n")
    private static let quote = UInt8(ascii: "\"")
    private static let apostrophe = UInt8(ascii: "'")
    private static let slash = UInt8(ascii: "/")
    private static let star = UInt8(ascii: "*")
    private static let hash = UInt8(ascii: "#")
    private static let backslash = UInt8(ascii: "\\")
    private static let open = UInt8(ascii: "(")
    private static let close = UInt8(ascii: ")")

    init(_ text: SourceText) {
        self.text = text
        code = [UInt8](repeating: UInt8(ascii: " "), count: text.count)
        for line in 0..<text.lineCount where line > 0 { code[text.start(ofLine: line) - 1] = Self.newline }
        if text.count > 0, text[text.count - 1] == Self.newline { code[text.count - 1] = Self.newline }
        comments = code
    }

    mutating func run() { lexCode(isInterpolation: false) }

    private enum Kind { case code, comment, blank }

    private func peek(_ ahead: Int = 0) -> UInt8 { position + ahead < text.count ? text[position + ahead] : 0 }

    private func repeats(_ byte: UInt8, _ count: Int, after start: Int = 0) -> Bool {
        for index in 0..<count where peek(start + index) != byte { return false }
        return true
    }

    private mutating func take(_ count: Int = 1, as kind: Kind) {
        let end = min(position + count, text.count)
        switch kind {
        case .code: for offset in position..<end { code[offset] = text[offset] }
        case .comment: for offset in position..<end { comments[offset] = text[offset] }
        case .blank: break
        }
        position = end
    }

    /// Code up to the end of the text or, in an interpolation, up to the parenthesis that closes it.
    private mutating func lexCode(isInterpolation: Bool) {
        var depth = 0
        while position < text.count {
            take(text.run(from: position, until: "/\"#'()"), as: .code)
            switch peek() {
            case Self.slash where peek(1) == Self.slash:
                take(text.run(from: position, until: "\n"), as: .comment)
            case Self.slash where peek(1) == Self.star: lexBlockComment()
            case Self.quote: lexString(hashes: 0)
            case Self.hash: lexHashes()
            case Self.apostrophe: lexCharacter()
            case Self.close where isInterpolation && depth == 0: return
            case let byte:
                if byte == Self.open { depth += 1 }
                if byte == Self.close { depth -= 1 }
                take(as: .code)
            }
        }
    }

    private mutating func lexHashes() {
        var count = 0
        while peek(count) == Self.hash { count += 1 }
        let opensString = peek(count) == Self.quote
        take(count, as: .code)
        if opensString { lexString(hashes: count) }
    }

    /// C's 'x' and '\''; Swift has none.
    private mutating func lexCharacter() {
        take(as: .code)
        while position < text.count, peek() != Self.apostrophe, peek() != Self.newline {
            take(peek() == Self.backslash ? 2 : 1, as: .blank)
        }
        if peek() == Self.apostrophe { take(as: .code) }
    }

    private mutating func lexBlockComment() {
        var depth = 0
        repeat {
            if peek() == Self.slash, peek(1) == Self.star {
                depth += 1
                take(2, as: .comment)
            } else if peek() == Self.star, peek(1) == Self.slash {
                depth -= 1
                take(2, as: .comment)
            } else {
                take(as: .comment)
            }
        } while depth > 0 && position < text.count
    }

    private mutating func lexString(hashes: Int) {
        let isLong = peek(1) == Self.quote && peek(2) == Self.quote
        let quotes = isLong ? 3 : 1
        var literal = SwiftSource.StringLiteral(line: text.line(at: position), text: "", isInterpolated: false)
        var content: [UInt8] = []
        take(quotes, as: .code)
        while position < text.count, isLong || peek() != Self.newline {
            if repeats(Self.quote, quotes), repeats(Self.hash, hashes, after: quotes) {
                take(quotes + hashes, as: .code)
                break
            }
            if peek() == Self.backslash, repeats(Self.hash, hashes, after: 1) {
                if peek(1 + hashes) == Self.open {
                    literal.isInterpolated = true
                    take(2 + hashes, as: .code)
                    lexCode(isInterpolation: true)
                    take(as: .code)
                    continue
                }
                content.append(peek())
                take(1 + hashes, as: .blank)
            }
            content.append(peek())
            take(as: .blank)
        }
        literal.text = String(decoding: content, as: UTF8.self)
        strings.append(literal)
    }
}
