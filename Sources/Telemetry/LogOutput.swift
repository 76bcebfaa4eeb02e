import Base
import Glibc
package import Logging

/// Where log lines go: standard error, one `write` a line, as text for people or as JSON lines for machines.
package struct LogOutput: LogHandler {
    /// How a record is written: for people, or a JSON object a line.
    package enum Format: Sendable { case text, json }

    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let label: String
    private let format: Format

    package init(label: String, level: Logger.Level, format: Format) {
        self.label = label
        self.logLevel = level
        self.format = format
    }

    /// Text on a terminal, JSON lines elsewhere.
    package static var formatForStandardError: Format { isatty(STDERR_FILENO) == 1 ? .text : .json }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let line = Self.line(
            format, time: .now(), level: event.level, label: label, message: "\(event.message)",
            fields: fields.map { ($0.key, "\($0.value)") })
        Array(line.utf8).withUnsafeBytes { bytes in
            _ = retryingInterrupts { write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
        }
    }

    /// One line with its line feed. Control characters are escaped, so that one record is always one line.
    static func line(
        _ format: Format, time: UnixTime, level: Logger.Level, label: String, message: String,
        fields: [(String, String)]
    ) -> String {
        switch format {
        case .text:
            let suffix = fields.map { " \($0.0)=\(needsQuotes($0.1) ? JSONText.quote($0.1) : $0.1)" }.joined()
            let text = needsQuotes(message, spaces: true) ? JSONText.quote(message) : message
            return "\(time.iso8601) \(level.rawValue) \(text)\(suffix)\n"
        case .json:
            let members = [("time", time.iso8601), ("level", level.rawValue), ("logger", label), ("message", message)]
            let all = (members + fields).map { "\(JSONText.quote($0.0)):\(JSONText.quote($0.1))" }
            return "{\(all.joined(separator: ","))}\n"
        }
    }

    private static func needsQuotes(_ text: String, spaces: Bool = false) -> Bool {
        text.isEmpty
            || text.unicodeScalars.contains {
                $0 == "\"" || ($0 == " " && !spaces) || JSONText.isControl($0)
            }
    }
}
