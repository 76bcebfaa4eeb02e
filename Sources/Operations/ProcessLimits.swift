import Base
import Glibc

/// What the process asks of the kernel at its start.
package enum ProcessLimits {
    /// As many open files as the hard limit allows: each client and each provider connection is one.
    package static func raiseOpenFiles() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Files for this user only, no core dumps, a small heap.
    package static func harden() {
        umask(0o077)
        forbidCoreDumps()
        limitHeapArenas(4)
    }
}
