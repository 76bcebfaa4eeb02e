package import Base

/// Where a value came from.
package enum Origin: Sendable, Equatable, CustomStringConvertible {
    /// A command-line flag, without its dashes.
    case flag(String)
    case environment(String)
    /// The settings file by the name it was given, and the line of the key (from 1).
    case file(String, line: Int)
    case `default`

    /// `--listen`, `WEIR_SERVER_LISTEN`, `appliance.conf:12` or `default`.
    package var description: String {
        switch self {
        case .flag(let name): "--\(name)"
        case .environment(let name): name
        case .file(let file, let line): "\(file):\(line)"
        case .default: "default"
        }
    }
}

/// One thing that is wrong with the settings.
package struct SettingsProblem: Sendable, Equatable, CustomStringConvertible {
    /// Nil for a problem with the file as a whole.
    package let origin: Origin?
    /// The setting as its file writes it, as in `server.body-limit`; empty for a problem with the file's text.
    package let path: String
    /// What is wrong and what to do about it. Never holds a secret.
    package let message: String

    /// `appliance.conf:14: server.body-limit: expected …`, `WEIR_SERVER_LISTEN: …`, `--listen: …`.
    package var description: String {
        let place: [String] =
            switch origin {
            case .file(let file, let line): ["\(file):\(line)"] + (path.isEmpty ? [] : [path])
            case .flag, .environment: [origin?.description ?? ""]
            case .default, nil: path.isEmpty ? [] : [path]
            }
        return (place + [message]).joined(separator: ": ")
    }

    /// File problems come first, by line.
    var sortKey: Int {
        if case .file(_, let line) = origin { return line }
        return origin == nil ? 0 : .max
    }
}

/// The settings cannot be used. Holds every problem that was found, not only the first.
package struct SettingsFailure: Failure, Equatable {
    /// Stable.
    package let code = "bad_settings"
    /// Never empty; file problems first, by line.
    package let problems: [SettingsProblem]

    /// At least one problem, in any order.
    package init(problems: [SettingsProblem]) {
        precondition(!problems.isEmpty, "a failure names what failed")
        self.problems = problems.enumerated()
            .sorted { ($0.element.sortKey, $0.offset) < ($1.element.sortKey, $1.offset) }
            .map(\.element)
    }

    /// One problem a line.
    package var message: String { problems.map(\.description).joined(separator: "\n") }
    /// 78.
    package var exitCode: ExitCode { .badSettings }
}
