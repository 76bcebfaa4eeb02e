/// A JSON document to be written: members keep their order. For answers of our own, off the hot path.
package enum JSONValue: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    case string(String)
    case integer(Int64)
    case number(Double)
    case bool(Bool)
    case null
    case array([JSONValue])
    case object([(String, JSONValue)])

    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(_ value: Int) { self = .integer(Int64(value)) }
    /// `null` when there is none.
    package init(_ value: String?) { self = value.map { .string($0) } ?? .null }
    package init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }

    /// Compact text; a number that JSON cannot write (infinite, not a number) is `null`.
    package var text: String {
        switch self {
        case .string(let value): JSONText.quote(value)
        case .integer(let value): "\(value)"
        case .number(let value): value.isFinite ? "\(value)" : "null"
        case .bool(let value): value ? "true" : "false"
        case .null: "null"
        case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { "\(JSONText.quote($0.0)):\($0.1.text)" }.joined(separator: ",") + "}"
        }
    }
}
