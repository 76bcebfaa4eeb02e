internal import Base

/// A value before it is checked, and again when it is shown: what TOML can hold, less dates and times.
indirect enum RawValue: Sendable, Equatable {
    case string(String)
    /// Text from a flag or the environment, whose type the setting decides.
    case word(String)
    case integer(Int)
    case number(Double)
    case bool(Bool)
    case array([RawValue])
    case table([String: RawValue])
    /// A TOML date or time: no setting takes one.
    case time

    /// Text from any source.
    var text: String? {
        switch self {
        case .string(let text), .word(let text): text
        default: nil
        }
    }

    /// How an error shows it after "got". Long text is cut; only for settings that are no secrets.
    var shown: String {
        switch self {
        case .string(let text), .word(let text):
            text.count > 60 ? JSONText.quote(String(text.prefix(60))) + "…" : JSONText.quote(text)
        case .integer(let number): String(number)
        case .number(let number): String(number)
        case .bool(let value): String(value)
        case .array: "an array"
        case .table: "a table"
        case .time: "a date or time"
        }
    }

    /// As TOML on one line.
    var toml: String {
        switch self {
        case .string(let text), .word(let text): tomlString(text)
        case .array(let elements): "[" + elements.map(\.toml).joined(separator: ", ") + "]"
        case .table(let members):
            members.isEmpty
                ? "{}"
                : "{ "
                    + members.sorted { $0.key < $1.key }
                    .map { "\(tomlKey($0.key)) = \($0.value.toml)" }.joined(separator: ", ") + " }"
        default: shown
        }
    }

    /// As JSON on one line.
    var json: String {
        switch self {
        case .string(let text), .word(let text): JSONText.quote(text)
        case .array(let elements): "[" + elements.map(\.json).joined(separator: ",") + "]"
        case .table(let members):
            "{"
                + members.sorted { $0.key < $1.key }
                .map { "\(JSONText.quote($0.key)):\($0.value.json)" }.joined(separator: ",") + "}"
        default: shown
        }
    }
}

/// A TOML basic string. The escapes are JSON's, and TOML also wants DEL escaped.
func tomlString(_ text: String) -> String {
    JSONText.quote(text).split(separator: "\u{7F}", omittingEmptySubsequences: false).joined(separator: "\\u007F")
}

/// A key as TOML writes it: bare where it may be.
func tomlKey(_ name: String) -> String {
    let bare =
        !name.isEmpty
        && name.utf8.allSatisfy {
            isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
    return bare ? name : tomlString(name)
}

/// `["models", "gpt-4.1", "targets"]` -> `models."gpt-4.1".targets`
func tomlPath(_ components: [String]) -> String { components.map(tomlKey).joined(separator: ".") }
