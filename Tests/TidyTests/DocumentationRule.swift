let declarationModifiers: Set = [
    "package", "public", "internal", "private", "fileprivate", "static", "final", "mutating", "nonmutating",
    "nonisolated", "override", "required", "convenience", "consuming", "borrowing", "indirect", "isolated", "sending",
    "open", "lazy",
]

/// Names whose meaning is the protocol's, not ours.
private let conformances: Set = [
    "run", "validate", "encode", "hash", "next", "makeIterator", "index", "singleValueContainer",
    "handlerAdded", "handlerRemoved", "channelActive", "channelInactive", "channelRead", "channelReadComplete",
    "channelWritabilityChanged", "userInboundEventTriggered", "errorCaught", "read", "write", "flush", "close", "log",
]

private let documentedKinds: Set = ["func", "struct", "class", "enum", "protocol", "actor"]

/// What other modules may use says what it is: every `package` or `public` type and function has a `///` above it.
/// Properties, initialisers and operators may go without; so may what a documented requirement of one of our protocols
/// speaks for, and the further functions of a name that a file explains once.
func documentationFindings(_ files: [SwiftSource]) -> [Finding] {
    let declarations = files.map(declarations(in:))
    let requirements = Set(declarations.joined().filter { $0.isRequirement && $0.isDocumented }.map(\.name))
    return zip(files, declarations).flatMap { file, declarations in
        let explained = Set(declarations.filter { $0.kind == "func" && $0.isDocumented }.map(\.name))
        return declarations.filter { declaration in
            guard declaration.isExposed, !declaration.isDocumented else { return false }
            guard declaration.kind == "func" else { return true }
            let isOperator = !isIdentifierByte(declaration.name.utf8.first ?? 0)
            return !isOperator
                && ![conformances, requirements, explained].contains { $0.contains(declaration.name) }
        }.map { file.finding($0.line, "\($0.kind) \($0.name) has no doc comment") }
    }
}

private struct Declaration {
    let line: Int
    let kind: String
    let name: String
    /// `package` or `public`.
    let isExposed: Bool
    let isDocumented: Bool
    /// A function without a body: a protocol asks for it.
    let isRequirement: Bool
}

private func declarations(in file: SwiftSource) -> [Declaration] {
    guard file.isInSources, file.isSwift else { return [] }
    let bodies = Set(functions(file).map(\.line))
    return file.code.lines(of: "package", "public", "func").compactMap { line in
        guard let (modifiers, kind, name) = declaredName(file.code.line(line)) else { return nil }
        return Declaration(
            line: line, kind: kind, name: name, isExposed: !modifiers.isDisjoint(with: ["package", "public"]),
            isDocumented: isDocumented(file, line), isRequirement: kind == "func" && !bodies.contains(line))
    }
}

/// `package`, `static`; `func`; `now` for `@inlinable package static func now() {`; nil when nothing is declared.
private func declaredName(_ line: String) -> (modifiers: Set<String>, kind: String, name: String)? {
    var tokens = line.tokens[...]
    if tokens.first == "@" { tokens = tokens.drop { !declarationModifiers.contains($0) && $0 != "func" } }
    let modifiers = tokens.prefix { declarationModifiers.contains($0) }
    let rest = tokens.dropFirst(modifiers.count)
    guard let kind = rest.first, documentedKinds.contains(kind), let name = rest.dropFirst().first else { return nil }
    return (Set(modifiers), kind, name)
}

private func isDocumented(_ file: SwiftSource, _ line: Int) -> Bool {
    var above = line - 1
    while above >= 0, file.code.line(above).trimmed.hasPrefix("@") { above -= 1 }
    guard above >= 0, file.code.line(above).trimmed.isEmpty else { return false }
    let comment = file.comments.line(above).trimmed
    return comment.hasPrefix("///") || comment.hasSuffix("*/")
}
