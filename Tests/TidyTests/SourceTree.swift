import FoundationEssentials
import Glibc

/// The checkout these tests were built from.
enum SourceTree {
    /// The repository's top folder, symbolic links resolved.
    static let root: String = {
        let resolved = realpath(#filePath, nil)
        defer { free(resolved) }
        let file = resolved.map { String(cString: $0) } ?? #filePath
        return "/" + file.split(separator: "/").dropLast(3).joined(separator: "/")
    }()

    /// Every Swift and C file under Sources and Tests, by path.
    static func files() throws -> [SwiftSource] {
        var files: [SwiftSource] = []
        for folder in ["Sources", "Tests"] {
            for path in try FileManager.default.subpathsOfDirectory(atPath: "\(root)/\(folder)").sorted()
            where [".swift", ".c", ".h"].contains(where: path.hasSuffix) {
                files.append(SwiftSource(path: "\(folder)/\(path)", text: try text("\(folder)/\(path)")))
            }
        }
        return files
    }

    static func text(_ path: String) throws -> String { try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8) }

    static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)").filter { !$0.hasPrefix(".") }
    }
}
