import Base
import Glibc
import Synchronization

/// Something that the harness itself could not do, or that did not come in time.
struct HarnessFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// How long a test waits for anything before it gives up.
let patience = Duration.seconds(10)

/// Asks again and again until the condition holds. Returns whether it did in time.
func eventually(within limit: Duration = patience, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = MonotonicInstant.now().advanced(by: limit)
    while true {
        if try condition() { return true }
        if MonotonicInstant.now() > deadline { return false }
        pauseThread(.milliseconds(5))
    }
}

/// The first value that is not nil, or a failure that names what was waited for.
func awaited<Value>(_ what: String, within limit: Duration = patience, _ value: () throws -> Value?) throws -> Value {
    var found: Value?
    let came = try eventually(within: limit) {
        found = try value()
        return found != nil
    }
    guard came, let found else { throw HarnessFailure("waited \(limit) in vain for \(what)") }
    return found
}

/// Opened once by one thread, waited for by others.
final class Gate: Sendable {
    private let isOpen = Atomic<Bool>(false)
    func open() { isOpen.store(true, ordering: .releasing) }
    /// False when it stayed shut.
    @discardableResult
    func wait(within limit: Duration = patience) -> Bool {
        eventually(within: limit) { isOpen.load(ordering: .acquiring) }
    }
}

/// Runs the body on that many threads at the same time and waits for all. The first error is thrown.
func concurrently(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    let failures = Mutex<[String]>([])
    let shared = Shared(failures)
    let threads = (0..<count).map { index in
        OSThread.start("test-\(index)") {
            do { try body(index) } catch { shared.value.withLock { $0.append("\(error)") } }
        }
    }
    threads.forEach { $0.join() }
    if let first = shared.value.withLock({ $0.first }) { throw HarnessFailure(first) }
}

/// Runs a body that waits long on a thread of its own, so that other tests go on meanwhile. Expectations belong
/// after it: on that thread nobody knows which test they are of.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        _ = OSThread.start("test-waits") { continuation.resume(with: Swift.Result { try body() }) }
    }
}

/// A lock that several closures hold.
final class Shared<Value: Sendable>: Sendable {
    let value: Mutex<Value>
    init(_ value: consuming sending Mutex<Value>) { self.value = value }
    convenience init(_ value: Value) { self.init(Mutex(value)) }
    var now: Value { value.withLock { $0 } }
}

/// A folder of this test's own under /tmp, removed with everything in it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/weir-integration-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw HarnessFailure("mkdtemp: \(errorText(errno))") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { removeTree(path) }

    /// Writes a file in the folder and returns its path. The mode is 0600 unless told.
    @discardableResult
    func write(_ name: String, _ text: String, mode: mode_t = 0o600) throws -> String {
        let file = "\(path)/\(name)"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw HarnessFailure("open \(file): \(errorText(errno))") }
        defer { close(descriptor) }
        writeText(text, to: descriptor)
        return file
    }
}

/// Removes a file, or a folder with everything in it. Links are removed, not followed.
private func removeTree(_ path: String) {
    guard unlink(path) != 0, let folder = opendir(path) else { return }
    var names: [String] = []
    while let entry = readdir(folder) {
        names.append(
            withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            })
    }
    closedir(folder)
    for name in names where name != "." && name != ".." { removeTree("\(path)/\(name)") }
    rmdir(path)
}
