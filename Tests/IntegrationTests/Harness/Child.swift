import Base
import Glibc

/// A child process whose output goes to a file. Ended at the latest with this object.
final class Child {
    /// The binary under test: `WEIR_BINARY`, or the debug build of the checkout this file lies in.
    static let weir: String = {
        if let named = environmentVariable("WEIR_BINARY"), !named.isEmpty { return named }
        guard let real = realpath(#filePath, nil) else { return "weir" }
        defer { free(real) }
        let parts = String(cString: real).split(separator: "/")
        let root = parts.prefix { $0 != "Tests" }.joined(separator: "/")
        return "/\(root)/.build/debug/weir"
    }()

    let pid: pid_t
    private let outputFile: String
    private(set) var exitStatus: Int32?

    /// - Parameters:
    ///   - environment: all of it; nothing is inherited but PATH and HOME.
    ///   - folder: the working folder.
    ///   - outputFile: gets standard output and standard error.
    init(
        _ arguments: [String], executable: String = Child.weir, environment: [String: String] = [:],
        folder: String? = nil, outputFile: String
    ) throws {
        self.outputFile = outputFile
        var inherited: [String: String] = [:]
        for name in ["PATH", "HOME"] { inherited[name] = environmentVariable(name) }
        let variables = inherited.merging(environment) { $1 }.map { "\($0)=\($1)" }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputFile, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var process: pid_t = 0
        let words = (folder.map { ["/usr/bin/env", "--chdir=\($0)"] } ?? []) + [executable] + arguments
        let result = Self.withCStrings(words) { arguments in
            Self.withCStrings(variables) { posix_spawn(&process, words[0], &actions, nil, arguments, $0) }
        }
        guard result == 0 else { throw HarnessFailure("cannot run \(executable): \(errorText(result))") }
        pid = process
    }

    deinit {
        guard exitStatus == nil else { return }
        kill(pid, SIGKILL)
        var status: Int32 = 0
        _ = retryingInterrupts { waitpid(pid, &status, 0) }
    }

    /// Everything written so far.
    var output: String {
        (try? SmallFile.read(outputFile, atMost: .mebibytes(64))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    func signal(_ number: Int32) {
        if exitStatus == nil { kill(pid, number) }
    }

    /// The exit status once it has ended; 128 + N after signal N.
    func reap() -> Int32? {
        if let exitStatus { return exitStatus }
        var status: Int32 = 0
        guard retryingInterrupts({ waitpid(pid, &status, WNOHANG) }) == pid else { return nil }
        exitStatus = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
        return exitStatus
    }

    func waitForEnd(within limit: Duration = patience) throws -> Int32 {
        try awaited("the end of process \(pid)", within: limit) { reap() }
    }

    /// What stands between the marker and the next white space, once the process has said it.
    func waitForWord(after marker: String) throws -> String {
        try awaited("'\(marker)' in the output", within: .seconds(20)) {
            let text = output
            if let found = text.firstRange(of: marker) {
                let rest = text[found.upperBound...]
                if rest.contains(where: \.isWhitespace) { return String(rest.prefix { !$0.isWhitespace }) }
            }
            if let status = reap() { throw HarnessFailure("the process ended with \(status): \(output)") }
            return nil
        }
    }

    private static func withCStrings<Result>(
        _ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = texts.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("there is always the final nil") }
            return body(start)
        }
    }
}
