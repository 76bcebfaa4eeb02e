internal import CLinux
import Glibc

/// errno's text.
package func errorText(_ number: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    weir_error_text(number, &buffer, buffer.count)
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Calls again while the call was interrupted by a signal.
package func retryingInterrupts<Result: FixedWidthInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result == -1 && errno == EINTR { continue }
        return result
    }
}

/// One environment variable; nil when it is not set.
package func environmentVariable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}

/// The last part of a path.
package func baseName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
}

/// Whole small files: settings, secrets, `/proc`. Never for a live database (its locks would drop).
package enum SmallFile {
    package static let sizeMax = ByteCount.mebibytes(1)

    package static func read(_ path: String, atMost limit: ByteCount = sizeMax) throws(SystemFailure) -> [UInt8] {
        let descriptor = retryingInterrupts { open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw SystemFailure("open \(path)", errorNumber: errno) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = retryingInterrupts { Glibc.read(descriptor, &chunk, chunk.count) }
            guard count >= 0 else { throw SystemFailure("read \(path)", errorNumber: errno) }
            if count == 0 { return content }
            content += chunk[..<count]
            guard content.count <= limit.bytes else { throw SystemFailure("read \(path)", errorNumber: EFBIG) }
        }
    }

    /// How large the file is; nil when there is none.
    package static func size(_ path: String) -> Int? {
        var info = stat()
        return stat(path, &info) == 0 ? Int(info.st_size) : nil
    }

    /// The file as UTF-8 text; what is not UTF-8 is replaced.
    package static func text(_ path: String) throws(SystemFailure) -> String {
        String(decoding: try read(path), as: UTF8.self)
    }
}

/// No core dump and no debugger of another user: memory holds provider keys.
package func forbidCoreDumps() { weir_forbid_core_dumps() }

/// The program's arguments without its name. Swift's own list is empty where /proc is not mounted.
package func programArguments() -> [String] {
    (1..<max(1, weir_argument_count())).compactMap { weir_argument($0).map { String(cString: $0) } }
}

/// All environment variables.
package func environmentVariables() -> [String: String] {
    var found: [String: String] = [:]
    var entry = environ
    while let pointer = entry.pointee {
        let text = String(cString: pointer)
        if let equals = text.firstIndex(of: "=") {
            found[String(text[..<equals])] = String(text[text.index(after: equals)...])
        }
        entry += 1
    }
    return found
}

/// Keeps the heap small: fewer arenas means less memory that idle threads hold on to.
package func limitHeapArenas(_ count: Int32) { weir_limit_heap_arenas(count) }

/// Writes the whole text to a descriptor, unbuffered. What cannot be written (a closed pipe) is lost: it was talk.
package func writeText(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { bytes in
            retryingInterrupts { write(descriptor, bytes.baseAddress, bytes.count) }
        }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
    }
}
