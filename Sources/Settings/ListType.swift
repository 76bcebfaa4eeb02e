extension ValueType {
    /// A list of such values; from the environment also written `a, b, c`.
    func list(atMost limit: Int = 1_000) -> ValueType<[Value]> {
        let (parse, raw) = (parse, raw)
        return ValueType<[Value]>(
            "list of \(name)",
            parse: { value, context throws(ValueProblem) in
                // What stands there instead is not shown: it may be a key.
                guard let elements = value.elements else { throw .problem(#"expected a list such as ["…", "…"]"#) }
                guard elements.count <= limit else { throw .problem("expected at most \(limit) entries") }
                var list: [Value] = []
                for element in elements { list.append(try parse(element, context)) }
                return list
            }, raw: { list in .array(list.compactMap(raw)) })
    }
}

extension RawValue {
    /// The elements of an array, or of `a, b, c` from a flag or the environment.
    fileprivate var elements: [RawValue]? {
        switch structured {
        case .array(let elements): elements
        case .word(let text): text.split(separator: ",").map { .word(trimmed($0)) }
        default: nil
        }
    }
}

/// Without spaces and tabs at both ends.
func trimmed(_ text: some StringProtocol) -> String {
    let start = text.drop { $0 == " " || $0 == "\t" }
    return String(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
}
