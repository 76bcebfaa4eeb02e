import ArgumentParser
import Base
import Glibc
import Operations

// Synchronous to its end: an async main would need libgcc_s at exit, and the one file must not need anything.
ProcessLimits.harden()
do {
    var command = try Weir.parseAsRoot(programArguments())
    try command.run()
    exit(ExitCode.ok.rawValue)
} catch let failure as any Failure {
    talk("weir: \(failure.message)")
    exit(failure.exitCode.rawValue)
} catch {
    // Help, version and usage errors: ArgumentParser prints them and knows their status (64 for usage).
    Weir.exit(withError: error)
}
