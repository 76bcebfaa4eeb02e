package import Base
import Glibc

/// What the kernel says of this process.
package enum ProcessReadings {
    /// Memory that is really there (VmRSS), in bytes; 0 when /proc is not mounted.
    package static func residentBytes() -> Int {
        guard let text = try? SmallFile.text("/proc/self/statm") else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(getpagesize())
    }

    /// Open file descriptors; 0 when /proc is not mounted.
    package static func openDescriptors() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return max(0, count - 3)
    }

    /// Registers memory and descriptors as Prometheus names them.
    package static func register(in registry: MetricRegistry, startedAt: UnixTime) {
        registry.reading("process_resident_memory_bytes", "Resident memory in bytes.") { Double(residentBytes()) }
        registry.reading("process_open_fds", "Open file descriptors.") { Double(openDescriptors()) }
        registry.reading("process_start_time_seconds", "Start of the process since the Unix epoch.") {
            Double(startedAt.seconds)
        }
    }
}
