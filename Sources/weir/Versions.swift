import Base
import SQLite
import Upstream

/// What this binary is made of.
enum Versions {
    static var all: [(String, String)] {
        [
            ("weir", Weir.release), ("sqlite", SQLiteLibrary.version), ("libcurl", UpstreamPool.libraryVersion),
            ("swift", swiftVersion),
        ]
    }

    private static var swiftVersion: String {
        #if swift(>=6.4)
            "6.4 or later"
        #elseif swift(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }
}
