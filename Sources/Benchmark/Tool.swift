package import Base
internal import Glibc

/// A program the benchmark needs beside Weir itself, by the Debian package that brings it.
package enum Tool: String, Sendable, CaseIterable {
    case nginx, openssl, wrk

    /// Where it is; nil when it is not installed. Looks in PATH, then where Debian keeps servers.
    package var path: String? { Self.find(rawValue) }

    /// The first executable of that name; nil when there is none.
    package static func find(_ name: String) -> String? {
        let folders = (environmentVariable("PATH") ?? "").split(separator: ":").map(String.init)
        return (folders + ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"])
            .map { "\($0)/\(name)" }
            .first { access($0, X_OK) == 0 }
    }

    /// Runs it to its end and returns what it wrote.
    /// - Parameters:
    ///   - folder: where its output is kept for a moment.
    ///   - limit: after that it is killed.
    /// - Throws: `BenchmarkFailure` when it is missing, fails or takes too long.
    package func run(_ arguments: [String], folder: String, atMost limit: Duration) throws -> String {
        guard let path else { throw BenchmarkFailure.missingTool(self) }
        let file = "\(folder)/\(rawValue)-\(hexadecimal(secureRandomBytes(6))).out"
        defer { unlink(file) }
        let child = try ChildProcess(path, arguments, output: .file(file))
        let status = child.wait(atMost: limit)
        let output = try SmallFile.text(file)
        guard let status else { throw BenchmarkFailure.toolFailed(self, "it still ran after \(limit.text)") }
        guard status == 0 else { throw BenchmarkFailure.toolFailed(self, "status \(status): \(output.suffix(300))") }
        return output
    }
}

/// Why a measure gave no figure.
package enum BenchmarkFailure: Failure {
    case missingTool(Tool)
    case toolFailed(Tool, String)
    /// A server did not get ready; the text holds the end of what it wrote.
    case notReady(String)
    /// The answers were not what they had to be, so that their speed means nothing.
    case wrongAnswers(String)
    case unknownMeasure(String, known: [String])

    package var code: String {
        switch self {
        case .missingTool: "benchmark_missing_tool"
        case .toolFailed: "benchmark_tool_failed"
        case .notReady: "benchmark_not_ready"
        case .wrongAnswers: "benchmark_wrong_answers"
        case .unknownMeasure: "benchmark_unknown_measure"
        }
    }

    package var message: String {
        switch self {
        case .missingTool(let tool): "install \(tool.rawValue)"
        case .toolFailed(let tool, let what): "\(tool.rawValue) failed: \(what)"
        case .notReady(let what): "a server did not get ready: \(what)"
        case .wrongAnswers(let what): "the answers were wrong: \(what)"
        case .unknownMeasure(let name, let known):
            "there is no measure \(name); choose from \(known.joined(separator: ", "))"
        }
    }

    package var exitCode: ExitCode {
        switch self {
        case .unknownMeasure: .usage
        default: .failure
        }
    }
}
