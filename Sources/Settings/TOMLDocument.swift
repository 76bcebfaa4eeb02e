internal import Base
import Glibc
internal import TOMLKit

/// A settings file: its values, the line of every key, and who may read it.
struct TOMLDocument {
    static let bytesMax = ByteCount.kibibytes(256)

    /// As the operator named it.
    let file: String
    let root: [String: RawValue]
    /// The file's permission bits.
    let mode: mode_t
    private let lines: [[String]: Int]

    static func read(_ file: String) throws(SettingsFailure) -> TOMLDocument {
        let bytes: [UInt8]
        do {
            bytes = try SmallFile.read(file, atMost: bytesMax)
        } catch {
            let tooLarge = error.errorNumber == EFBIG
            throw whole(tooLarge ? "\(file) is larger than \(bytesMax): it cannot be a settings file" : error.message)
        }
        return try TOMLDocument(bytes, file: file, mode: fileStatus(file)?.mode ?? 0o777)
    }

    init(_ bytes: [UInt8], file: String, mode: mode_t) throws(SettingsFailure) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Self.failure(file, Self.firstBrokenLine(bytes), "not UTF-8 text")
        }
        // The parser takes a C string and gives C strings back: a NUL would cut them short without a word.
        if bytes.contains(0) || text.contains("\\u0000") || text.contains("\\U00000000") {
            throw Self.whole("\(file) holds a NUL character: no setting has one")
        }
        if let line = Self.firstOddHeader(bytes) {
            throw Self.failure(file, line, "a table's name begins with a letter, a digit, _, - or a quote")
        }
        let scanner = TOMLLineScanner(bytes)
        do {
            root = Self.members(try TOMLTable(string: text))
        } catch let error as TOMLParseError {
            throw Self.failure(file, scanner, error)
        } catch {
            throw Self.whole("\(file): \(error)")
        }
        self.file = file
        self.mode = mode
        lines = scanner.lines
    }

    /// The number of the first line such as `[.a]` or `[+a]`: the parser (toml++ 3) stops the process there instead of
    /// saying so. A line that begins with a bracket is a table's header or goes on with an array of texts or tables.
    private static func firstOddHeader(_ bytes: [UInt8]) -> Int? {
        let blanks = Array(" \t".utf8)
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let brackets = line.drop { blanks.contains($0) }
            let name = brackets.drop { $0 == UInt8(ascii: "[") || blanks.contains($0) }
            guard brackets.first == UInt8(ascii: "[") else { continue }
            let first = name.first ?? 0
            let isLetterOrDigit = (0x61...0x7A).contains(first | 0x20) || (0x30...0x39).contains(first)
            if !isLetterOrDigit && !"_-\"']".utf8.contains(first) { return index + 1 }
        }
        return nil
    }

    /// The value at a path, if there is one.
    func value(at path: [String]) -> RawValue? {
        guard let last = path.last else { return .table(root) }
        var members = root
        for name in path.dropLast() {
            guard case .table(let inner) = members[name] else { return nil }
            members = inner
        }
        return members[last]
    }

    /// The line of a key, or of the nearest thing around it.
    func origin(of path: [String]) -> Origin {
        var path = path
        while !path.isEmpty {
            if let line = lines[path] { return .file(file, line: line) }
            path.removeLast()
        }
        return .file(file, line: 1)
    }

    private static func members(_ table: TOMLTable) -> [String: RawValue] {
        var members: [String: RawValue] = [:]
        for name in table.keys { members[name] = table[name].map(value) }
        return members
    }

    /// Depth is bounded by the parser (256).
    private static func value(_ node: any TOMLValueConvertible) -> RawValue {
        switch node.type {
        case .string: node.string.map { .string($0) } ?? .time
        case .int: node.int.map { .integer($0) } ?? .time
        case .double: node.double.map { .number($0) } ?? .time
        case .bool: node.bool.map { .bool($0) } ?? .time
        case .array: .array(node.array.map { $0.map(value) } ?? [])
        case .table: .table(node.table.map(members) ?? [:])
        case .date, .time, .dateTime: .time
        }
    }
}

extension RawValue {
    /// A flag's or variable's text that holds a TOML array or table, read as one; anything else unchanged.
    var structured: RawValue {
        guard case .word(let text) = self, text.hasPrefix("[") || text.hasPrefix("{") else { return self }
        let document = try? TOMLDocument(Array("value = \(text)".utf8), file: "", mode: 0)
        return document?.root["value"] ?? self
    }
}

// What is wrong with a file's text.
extension TOMLDocument {
    private static func whole(_ message: String) -> SettingsFailure {
        SettingsFailure(problems: [SettingsProblem(origin: nil, path: "", message: message)])
    }

    private static func failure(_ file: String, _ line: Int, _ message: String) -> SettingsFailure {
        SettingsFailure(problems: [SettingsProblem(origin: .file(file, line: line), path: "", message: message)])
    }

    private static func failure(
        _ file: String, _ scanner: TOMLLineScanner, _ error: TOMLParseError
    ) -> SettingsFailure {
        let line = error.source.begin.line
        if let path = scanner.repeats[line], let first = scanner.lines[path] {
            return failure(file, line, "\(tomlPath(path)) is set twice; it also stands in line \(first)")
        }
        return failure(file, line, "column \(error.source.begin.column): \(withoutContent(error.description))")
    }

    /// The parser quotes what it could not read, which may be a key that lacks its quotation marks.
    static func withoutContent(_ description: String) -> String {
        if let seen = description.firstRange(of: ", saw '"), description[seen.upperBound...].count > 2 {
            return String(description[..<seen.lowerBound])
        }
        if let quoted = description.firstRange(of: ": '") {
            return description[..<quoted.lowerBound] + ": not a value that TOML can hold"
        }
        return description
    }

    private static func firstBrokenLine(_ bytes: [UInt8]) -> Int {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let index = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil }
        return (index ?? 0) + 1
    }
}

/// What `stat` says of a file: its permission bits, and whether it is a regular file. Nil when there is none.
func fileStatus(_ path: String) -> (mode: mode_t, isRegular: Bool)? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return (status.st_mode & 0o7777, status.st_mode & S_IFMT == S_IFREG)
}

/// `0644`
func modeText(_ mode: mode_t) -> String { "0" + String(mode & 0o7777, radix: 8) }
