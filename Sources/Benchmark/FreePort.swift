package import Base
internal import Glibc

/// TCP ports of 127.0.0.1 that nobody listens on. Another program may take one before it is used: start the server at
/// once and check that it is ready.
package enum FreePort {
    /// One port.
    package static func any() throws(SystemFailure) -> Int { try distinct(1)[0] }

    /// Several at once, all different.
    package static func distinct(_ count: Int) throws(SystemFailure) -> [Int] {
        precondition((1...1_000).contains(count))
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        var ports: [Int] = []
        for _ in 0..<count {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw SystemFailure("open a socket", errorNumber: errno) }
            sockets.append(descriptor)
            ports.append(try bindAnywhere(descriptor))
        }
        return ports
    }

    private static func bindAnywhere(_ descriptor: Int32) throws(SystemFailure) -> Int {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 ? getsockname(descriptor, $0, &size) : -1
            }
        }
        guard result == 0 else { throw SystemFailure("find a free port", errorNumber: errno) }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
