internal import CLinux
import Glibc

/// The file `crashed` in the data folder: the last process died of a memory fault. A damaged map of the cache can cause
/// that, so the next start begins the cache anew; nothing else may be concluded from it.
package enum CrashMarker {
    private static func path(_ folder: String) -> String { folder + "/crashed" }

    /// Whether the last process left its mark, which is then taken away.
    package static func take(_ folder: String) -> Bool { unlink(path(folder)) == 0 }

    /// From here on a memory fault leaves the mark. Once a process.
    package static func watch(_ folder: String) { weir_mark_crashes(path(folder)) }
}
