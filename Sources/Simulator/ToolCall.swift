import Base
import NIOCore

/// One call of a tool that the simulated model makes.
struct ToolCall {
    /// The tool's name as a JSON string.
    let name: ByteBuffer
    /// The arguments as JSON text.
    let arguments: String
    let identity: UInt64

    /// The arguments in pieces as they are streamed, each the inside of a JSON string.
    var fragments: [ArraySlice<UInt8>] {
        let characters = Array(arguments)
        return stride(from: 0, to: characters.count, by: 6).map { start in
            let piece = String(characters[start..<min(start + 6, characters.count)])
            return Array(JSONText.quote(piece).utf8).dropFirst().dropLast()
        }
    }

    /// The calls that this request asks for: none, one, or two when its last message says "both".
    static func plan(_ fields: RequestFields, seed: UInt64, wide: Bool) -> [ToolCall] {
        guard let tools = fields[.tools] else { return [] }
        let document = fields.document
        let known = document.elements(tools).compactMap { Tool($0, in: document) }
        let choice = ToolChoice(fields)
        guard !known.isEmpty, choice != .none else { return [] }
        let prompt = lastUserMessage(fields)
        var first = known[0]
        switch choice {
        case .none: return []
        case .auto: guard let prompt, document.contains("weather", in: prompt) else { return [] }
        case .any: break
        case .named(let name): first = known.first { document.string($0.name) == name } ?? first
        }
        var random = SeededRandom(seed: seed)
        let isParallel = fields[.parallelToolCalls] == nil || fields.isTrue(.parallelToolCalls)
        guard isParallel, let prompt, document.contains("both", in: prompt) else {
            return [first.call(document, &random, wide)]
        }
        return [
            first.call(document, &random, wide), (known.count > 1 ? known[1] : first).call(document, &random, wide),
        ]
    }

    /// The last message when the user wrote it; what tools answered is no question.
    private static func lastUserMessage(_ fields: RequestFields) -> JSONValue? {
        let document = fields.document
        if let input = fields[.input], input.kind == .string { return input }
        guard let last = document.elements(fields[.messages] ?? fields[.input]).last,
            document.string(document.member("role", of: last)) == "user",
            !document.contains("\"tool_result\"", in: last)
        else { return nil }
        return last
    }
}

/// What `tool_choice` says, in any of the three request formats.
private enum ToolChoice: Equatable {
    case none, auto, any
    case named(String)

    init(_ fields: RequestFields) {
        let document = fields.document
        let choice = fields[.toolChoice]
        let type = document.member("type", of: choice)
        let word = document.string(choice) ?? document.string(type)
        let name =
            document.member("name", of: choice)
            ?? document.member("name", of: document.member("function", of: choice))
        if let name = document.string(name) {
            self = .named(name)
        } else {
            switch word {
            case "none": self = .none
            case "required", "any": self = .any
            default: self = .auto
            }
        }
    }
}

/// A tool as the request describes it: its name and the properties of its schema.
private struct Tool {
    let name: JSONValue
    let properties: [(name: String, value: JSONValue)]

    /// Nil for what is no function, such as a provider's own tools.
    init?(_ value: JSONValue, in document: JSONDocument) {
        let function = document.member("function", of: value) ?? value
        guard let name = document.member("name", of: function), name.kind == .string else { return nil }
        let schema = document.member("parameters", of: function) ?? document.member("input_schema", of: function)
        self.name = name
        properties = document.members(document.member("properties", of: schema))
    }

    func call(_ document: JSONDocument, _ random: inout SeededRandom, _ wide: Bool) -> ToolCall {
        let members = properties.map { property in
            let value = argument(property.value, document, &random, wide)
            return "\(JSONText.quote(property.name)):\(value)"
        }
        return ToolCall(
            name: document.raw(name), arguments: "{\(members.joined(separator: ","))}", identity: random.next())
    }

    /// A value that fits a property's schema.
    private func argument(
        _ schema: JSONValue, _ document: JSONDocument, _ random: inout SeededRandom, _ wide: Bool
    ) -> String {
        if let first = document.elements(document.member("enum", of: schema)).first {
            return String(buffer: document.raw(first))
        }
        let type = document.member("type", of: schema)
        switch document.string(type) ?? document.string(document.elements(type).first) {
        case "number", "integer": return String(1 + random.next() % 40)
        case "boolean": return "true"
        case "array": return "[]"
        case "object": return "{}"
        case "null": return "null"
        default:
            let cities = wide ? ["Zürich", "東京", "São Paulo 🙂"] : ["Oslo", "Lisbon", "Nairobi", "Osaka"]
            return JSONText.quote(cities[Int(random.next() % UInt64(cities.count))])
        }
    }
}
