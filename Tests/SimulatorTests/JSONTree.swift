import FoundationEssentials
import NIOCore

/// JSON read by a parser that is not ours, for looking at what the simulator wrote.
indirect enum JSONTree: Decodable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONTree])
    case object([String: JSONTree])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let array = try? value.decode([JSONTree].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSONTree].self))
        }
    }

    static func parse(_ bytes: some Collection<UInt8>) throws -> JSONTree {
        try JSONDecoder().decode(JSONTree.self, from: Data(bytes))
    }

    /// A member; `.null` when there is none, so that paths can be written plainly. `has` tells the difference.
    subscript(_ name: String) -> JSONTree {
        if case .object(let members) = self { return members[name] ?? .null }
        return .null
    }

    subscript(_ index: Int) -> JSONTree {
        if case .array(let items) = self, items.indices.contains(index) { return items[index] }
        return .null
    }

    func has(_ name: String) -> Bool {
        if case .object(let members) = self { return members[name] != nil }
        return false
    }

    var string: String? { if case .string(let text) = self { text } else { nil } }
    var integer: Int? { if case .number(let number) = self { Int(exactly: number) } else { nil } }
    var items: [JSONTree] { if case .array(let items) = self { items } else { [] } }
    var keys: Set<String> { if case .object(let members) = self { Set(members.keys) } else { [] } }
}
