import Base
import Glibc

/// Requests of a real system, to be replayed: keys renumbered 0 ..< `keyCount` in the order of appearance.
struct Trace {
    var requests: [Int] = []
    /// Bytes by key. An object keeps the size it was first seen with (so do libCacheSim's published figures).
    var sizes: [Int] = []
    private var numbers: [Int: Int] = [:]

    var keyCount: Int { sizes.count }

    mutating func append(_ id: Int, size: Int = 1) {
        let number = numbers[id] ?? sizes.count
        if number == sizes.count {
            numbers[id] = number
            sizes.append(size)
        }
        requests.append(number)
    }

    func prefix(_ count: Int) -> Trace {
        var trace = Trace()
        for key in requests.prefix(count) { trace.append(key, size: sizes[key]) }
        return trace
    }
}

/// The traces handed to this project, which are not in its repository.
enum TraceFolder {
    /// Nil when there is none: the tests that need it are skipped.
    static let path: String? = {
        let resolved = realpath(#filePath, nil)
        defer { free(resolved) }
        let file = resolved.map { String(cString: $0) } ?? #filePath
        let root = "/" + file.split(separator: "/").dropLast(4).joined(separator: "/")
        let folder = (environmentVariable("WEIR_DATA") ?? "\(root)/../shared/data") + "/traces"
        return access(folder, R_OK) == 0 ? folder : nil
    }()

    static var isThere: Bool { path != nil }

    /// `lirs-cs` from `lirs-cs.trace.gz`; `cloudPhysicsIO` with sizes; `cache2k-web07`.
    static func trace(_ name: String) throws -> Trace {
        var trace = Trace()
        if name.hasPrefix("lirs-") {
            for line in try unpacked("\(name).trace.gz").split(whereSeparator: { $0 == 10 || $0 == 13 }) {
                if let id = number(line) { trace.append(id) }
            }
        } else if name.hasPrefix("cache2k-") {
            let bytes = try unpacked("\(name).trace.xz")
            for start in stride(from: 0, to: bytes.count - 3, by: 4) {
                trace.append(bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) })
            }
        } else {
            for line in try unpacked("\(name).csv.xz").split(separator: 10).dropFirst() {
                let fields = line.split(separator: UInt8(ascii: ","))
                if fields.count == 5, let size = number(fields[3]), let id = number(fields[4]) {
                    trace.append(id, size: size)
                }
            }
        }
        return trace
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard digit >= 48, digit <= 57 else { return nil }
            value = value * 10 + Int(digit) - 48
        }
        return digits.isEmpty ? nil : value
    }

    private static func unpacked(_ name: String) throws -> [UInt8] {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SystemFailure("make a pipe", errorNumber: errno) }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let words = [name.hasSuffix(".gz") ? "gzip" : "xz", "-dc", "\(path ?? "")/\(name)"]
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0, noEnvironment: [UnsafeMutablePointer<CChar>?] = [nil]
        let error = posix_spawnp(&child, words[0], &actions, nil, &arguments, &noEnvironment)
        close(ends[1])
        guard error == 0 else { throw SystemFailure("start \(words[0])", errorNumber: error) }
        var bytes: [UInt8] = [], chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(ends[0], &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        var status: Int32 = 0
        guard waitpid(child, &status, 0) == child, status == 0 else {
            throw SystemFailure("unpack \(name)", errorNumber: EIO)
        }
        return bytes
    }
}
