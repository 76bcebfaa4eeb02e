import Base
import Glibc

/// A verb of the binary, run to its end.
struct Verb {
    let status: Int32
    /// Standard output and standard error.
    let output: String

    /// - Parameter folder: the working folder; a new one that is removed again unless given.
    @discardableResult
    static func run(
        _ arguments: [String], environment: [String: String] = [:], folder: String? = nil,
        within limit: Duration = .seconds(20)
    ) throws -> Verb {
        let temporary = try TemporaryFolder()
        let child = try Child(
            arguments, environment: environment, folder: folder ?? temporary.path,
            outputFile: "\(temporary.path)/verb.log")
        let status = try child.waitForEnd(within: limit)
        return Verb(status: status, output: child.output)
    }

    /// The first new key in the output.
    var secret: String? { newKeys(in: output).first }
}

/// Every `weir-` and 43 characters in the text: what a new key looks like.
func newKeys(in text: String) -> [String] {
    text.split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_")) }
        .filter { $0.hasPrefix("weir-") && $0.utf8.count == 48 }.map(String.init)
}

/// `weir serve` with any arguments, for starts that `WeirServer` does not make.
final class Serving {
    let child: Child
    let folder: TemporaryFolder
    var dataFolder: String { "\(folder.path)/data" }

    /// - Parameter settings: nil: no `--config`.
    init(
        _ arguments: [String], settings: String? = nil, environment: [String: String] = [:],
        folder: TemporaryFolder? = nil
    ) throws {
        let folder = try folder ?? TemporaryFolder()
        self.folder = folder
        let config = try settings.map { ["--config", try folder.write("appliance.conf", $0)] } ?? []
        child = try Child(
            ["serve", "--data", "\(folder.path)/data"] + config + arguments, environment: environment,
            folder: folder.path, outputFile: "\(folder.path)/serve-\(hexadecimal(secureRandomBytes(4))).log")
    }

    /// The port, once it listens.
    func port() throws -> Int {
        let text = try child.waitForWord(after: " on http://127.0.0.1:")
        guard let port = Int(text) else { throw HarnessFailure("no port: \(child.output)") }
        return port
    }
}

/// The permission bits of a file; nil when there is none.
func mode(_ path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
}

/// The names in a folder, sorted.
func names(in path: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}
