extension ValueType where Value == Settings.Target {
    /// A provider's name, or `{ provider = "…", model = "…", weight = 1, priority = 2 }`.
    static var target: ValueType {
        ValueType(
            "target",
            parse: { raw, context throws(ValueProblem) in
                if let provider = raw.text { return Settings.Target(provider: provider) }
                guard case .table(let members) = raw else {
                    throw .expected(#"a provider's name or { provider = "…", model = "…" }"#, got: raw)
                }
                guard let provider = members["provider"]?.text else {
                    throw .problem(#"a target needs provider = "…""#)
                }
                var target = Settings.Target(provider: provider)
                for (name, value) in members.sorted(by: { $0.key < $1.key }) where name != "provider" {
                    do throws(ValueProblem) {
                        try assign(name, value, context, to: &target)
                    } catch {
                        throw .problem("\(name) of a target: \(error.message)")
                    }
                }
                return target
            }, raw: raw)
    }

    private static func assign(
        _ name: String, _ value: RawValue, _ context: ValueContext, to target: inout Settings.Target
    ) throws(ValueProblem) {
        switch name {
        case "model": target.model = try ValueType<String>.modelName.parse(value, context)
        case "weight": target.weight = try ValueType<Int>.integer(1...1_000).parse(value, context)
        case "priority": target.priority = try ValueType<Int>.integer(1...100).parse(value, context)
        default:
            let known = ["provider", "model", "weight", "priority"]
            throw .problem("no such name; it takes \(known.joined(separator: ", "))")
        }
    }

    /// As short as it can be written.
    @Sendable private static func raw(_ target: Settings.Target) -> RawValue? {
        if target == Settings.Target(provider: target.provider) { return .string(target.provider) }
        var members: [String: RawValue] = [
            "provider": .string(target.provider), "weight": .integer(target.weight),
            "priority": .integer(target.priority),
        ]
        members["model"] = target.model.map { .string($0) }
        return .table(members)
    }
}
