import Base
import Glibc
import Testing

@testable import Operations

/// One after the other: they share the process's environment.
@Suite(.serialized)
struct SystemdNotifierTests {
    /// A datagram socket as systemd would hold it.
    private final class Receiver {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        let name: String

        /// - Parameter name: a path, or an abstract name after `@`.
        init(_ name: String) throws {
            self.name = name
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            var bytes = Array(name.utf8)
            if name.hasPrefix("@") { bytes[0] = 0 } else { bytes.append(0) }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
            let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
            }
            try #require(result == 0, "a bound socket")
        }

        deinit {
            close(descriptor)
            if !name.hasPrefix("@") { unlink(name) }
        }

        /// The datagram that has come; nil when none has.
        func next() -> String? {
            var bytes = [UInt8](repeating: 0, count: 4_096)
            let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
        }
    }

    @Test(
        "Each state is one datagram, at a path and at an abstract name", arguments: ["/tmp/weir-test-", "@weir-test-"])
    func states(_ prefix: String) throws {
        let receiver = try Receiver(prefix + hexadecimal(secureRandomBytes(8)))
        setenv("NOTIFY_SOCKET", receiver.name, 1)
        defer { unsetenv("NOTIFY_SOCKET") }
        SystemdNotifier.notify(.ready)
        #expect(receiver.next() == "READY=1")
        SystemdNotifier.notify(.stopping)
        #expect(receiver.next() == "STOPPING=1")
        SystemdNotifier.notify(.status("serving é"))
        #expect(receiver.next() == "STATUS=serving é")
        SystemdNotifier.notify(.reloading)
        let reloading = receiver.next()
        #expect(reloading?.hasPrefix("RELOADING=1") == true)
        #expect(receiver.next() == nil)
    }

    @Test("Without a socket, or with one that is not there or cannot be, nothing happens")
    func elsewhere() throws {
        let receiver = try Receiver("/tmp/weir-test-" + hexadecimal(secureRandomBytes(8)))
        unsetenv("NOTIFY_SOCKET")
        SystemdNotifier.notify(.ready)
        for value in ["", "relative", "vsock:2:1", "/tmp/weir-test-nobody", "/" + String(repeating: "x", count: 200)] {
            setenv("NOTIFY_SOCKET", value, 1)
            SystemdNotifier.notify(.ready)
        }
        unsetenv("NOTIFY_SOCKET")
        #expect(receiver.next() == nil)
    }
}
