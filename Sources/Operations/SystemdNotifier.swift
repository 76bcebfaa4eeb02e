import Base
import Glibc

/// Tells systemd how the service is doing (sd_notify(3)): one datagram to `$NOTIFY_SOCKET`. Does nothing elsewhere.
package enum SystemdNotifier {
    /// What the service manager is told.
    package enum State: Sendable {
        case ready, reloading, stopping
        case status(String)
    }

    /// Best effort by its nature: a service manager that does not listen must not stop the service.
    package static func notify(_ state: State) {
        guard let path = environmentVariable("NOTIFY_SOCKET"), let first = path.first, first == "/" || first == "@"
        else {
            return
        }
        let text =
            switch state {
            case .ready: "READY=1"
            case .reloading: "RELOADING=1"
            case .stopping: "STOPPING=1"
            case .status(let text): "STATUS=\(text)"
            }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        if first == "@" { bytes[0] = 0 }  // an abstract address begins with a NUL
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count + (first == "@" ? 0 : 1))
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let message = Array(text.utf8)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(descriptor, message, message.count, 0, $0, length)
            }
        }
    }
}
