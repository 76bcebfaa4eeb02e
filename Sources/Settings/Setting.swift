/// One setting: where it stands in the file, where it goes in `Root`, how it is written and what it is for. Its
/// default is the initial value of the field.
struct Setting<Root: Sendable>: Sendable {
    /// `server.body-limit`, `providers.*.key`; `*` stands for a name that the operator chooses.
    let path: [String]
    let typeName: String
    /// The command-line flag that sets it, without dashes.
    let flag: String?
    /// False: a change takes effect at the next start only.
    let isReloadable: Bool
    /// Its value is shown as `***`.
    let isSecret: Bool
    /// One or two sentences.
    let doc: String
    /// What the shipped file shows when the default is "none".
    let example: RawValue?
    /// Variables of the field's other tools that are asked last, by the name that `*` stands for.
    let conventionalVariables: @Sendable (String?) -> [String]
    /// Checks a raw value and stores it.
    let assign: @Sendable (RawValue, ValueContext, inout Root) throws(ValueProblem) -> Void
    /// The current value; nil where none is set.
    let raw: @Sendable (Root) -> RawValue?
    let differs: @Sendable (Root, Root) -> Bool

    init<Value>(
        _ path: String, _ field: any WritableKeyPath<Root, Value> & Sendable, _ type: ValueType<Value>,
        flag: String? = nil, reloadable: Bool = true, secret: Bool = false, example: RawValue? = nil,
        conventional: @escaping @Sendable (String?) -> [String] = { _ in [] }, _ doc: String
    ) {
        self.path = path.split(separator: ".").map(String.init)
        precondition(self.path.count >= 2, "a setting stands in a table")
        precondition(!doc.isEmpty && doc.hasSuffix("."), "every setting says what it is for")
        typeName = type.name
        self.flag = flag
        isReloadable = reloadable
        isSecret = secret
        self.doc = doc
        self.example = example
        conventionalVariables = conventional
        let (parse, show) = (type.parse, type.raw)
        assign = { value, context, root throws(ValueProblem) in root[keyPath: field] = try parse(value, context) }
        raw = { root in show(root[keyPath: field]) }
        differs = { $0[keyPath: field] != $1[keyPath: field] }
    }

    /// The last part: `body-limit`.
    var key: String { path[path.count - 1] }

    /// The path for one chosen name.
    func path(for name: String?) -> [String] { path.map { $0 == "*" ? name ?? "*" : $0 } }

    /// `WEIR_SERVER_BODY_LIMIT`, `WEIR_PROVIDERS_OPENAI_BASE_URL`; without a name, `<NAME>` stands in its place.
    func variable(for name: String?) -> String {
        "WEIR_" + path.map { $0 == "*" ? name.map(variablePart) ?? "<NAME>" : variablePart($0) }.joined(separator: "_")
    }
}

/// Upper case, with `_` for everything but letters and digits.
func variablePart(_ name: String) -> String {
    String(decoding: name.utf8.map { isAlphanumeric($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self).uppercased()
}
