/// How values of one type are written: reads a raw value into `Value` and shows it again.
struct ValueType<Value: Equatable & Sendable>: Sendable {
    /// In the help: `size`, `duration`, `"loopback" or "none"`.
    let name: String
    /// Reads a value; the error says what was expected.
    let parse: @Sendable (RawValue, ValueContext) throws(ValueProblem) -> Value
    /// Shows a value; secrets as `***`. Nil where nothing is set.
    let raw: @Sendable (Value) -> RawValue?

    init(
        _ name: String,
        parse: @escaping @Sendable (RawValue, ValueContext) throws(ValueProblem) -> Value,
        raw: @escaping @Sendable (Value) -> RawValue?
    ) {
        self.name = name
        self.parse = parse
        self.raw = raw
    }

    /// A type whose every error is `expected …, got …`.
    init(
        _ name: String, expected: String,
        read: @escaping @Sendable (RawValue) -> Value?,
        raw: @escaping @Sendable (Value) -> RawValue?
    ) {
        self.init(
            name,
            parse: { value, _ throws(ValueProblem) in
                guard let result = read(value) else { throw .expected(expected, got: value) }
                return result
            }, raw: raw)
    }

    /// The same type for a setting that may be absent.
    var optional: ValueType<Value?> {
        let (parse, raw) = (parse, raw)
        return ValueType<Value?>(
            name,
            parse: { value, context throws(ValueProblem) in try parse(value, context) },
            raw: { value in value.flatMap(raw) })
    }

    /// The same type where an empty text means "none".
    var orEmpty: ValueType<Value?> {
        let (parse, raw) = (parse, raw)
        return ValueType<Value?>(
            name,
            parse: { value, context throws(ValueProblem) in
                if value.text == "" { return nil }
                return try parse(value, context)
            },
            raw: { value in value.flatMap(raw) })
    }

    /// The same type where `auto`, shown as such, means that Weir decides.
    var orAuto: ValueType<Value?> {
        let (parse, raw) = (parse, raw)
        return ValueType<Value?>(
            "\(name) or \"auto\"",
            parse: { value, context throws(ValueProblem) in
                if value.text == "auto" { return nil }
                do throws(ValueProblem) {
                    return try parse(value, context)
                } catch {
                    throw .problem("\(error.message); \"auto\" is possible too")
                }
            },
            raw: { value in value.map(raw) ?? .string("auto") })
    }

    /// The same type with one more rule. `reject` gives what is wrong, or nil.
    func checked(_ reject: @escaping @Sendable (Value) -> String?) -> ValueType<Value> {
        let parse = parse
        return ValueType(
            name,
            parse: { raw, context throws(ValueProblem) in
                let value = try parse(raw, context)
                if let message = reject(value) { throw ValueProblem(message: message) }
                return value
            }, raw: raw)
    }
}

/// What reading a value may need to know beside the value.
struct ValueContext: Sendable {
    let environment: [String: String]
    /// Nil: a secret may be written out. Otherwise why not, and what to do.
    let literalSecretsRefused: String?
}

/// Why a value was refused, without its place.
struct ValueProblem: Error, Equatable {
    let message: String

    static func expected(_ expected: String, got value: RawValue) -> ValueProblem {
        ValueProblem(message: "expected \(expected), got \(value.shown)")
    }

    static func problem(_ message: String) -> ValueProblem { ValueProblem(message: message) }
}
