/// What every error of ours says: a stable code for programs and a sentence for people that tells them what to do.
/// Neither ever holds a secret or a prompt.
package protocol Failure: Error, CustomStringConvertible {
    /// `snake_case`, stable across releases.
    var code: String { get }
    var message: String { get }
    /// The status a verb ends with when this error reaches `main`.
    var exitCode: ExitCode { get }
}

extension Failure {
    package var description: String { message }
    package var exitCode: ExitCode { .failure }
}

/// The process's exit codes (sysexits.h where it has one). An unknown code means failure.
package enum ExitCode: Int32, Sendable, CaseIterable {
    case ok = 0
    case failure = 1
    case forcedQuit = 2
    case usage = 64
    case dataCorrupt = 65
    case providerUnavailable = 69
    case internalError = 70
    case dataFolderLocked = 73
    case inputOutput = 74
    case tryAgain = 75
    case permission = 77
    case badSettings = 78
}

/// A failure of the operating system: the call, what it was for, and errno's text.
package struct SystemFailure: Failure {
    package let code = "system_error"
    package let message: String
    package let errorNumber: Int32
    package let exitCode: ExitCode

    /// - Parameter doing: what was being done, as in "open /var/lib/weir/lock".
    package init(_ doing: String, errorNumber: Int32, exitCode: ExitCode = .inputOutput) {
        self.message = "cannot \(doing): \(errorText(errorNumber))"
        self.errorNumber = errorNumber
        self.exitCode = exitCode
    }
}
