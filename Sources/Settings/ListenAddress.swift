/// Where the server accepts connections. Written `127.0.0.1:7411`, `[::1]:7411` or `unix:/run/weir.sock`.
package enum ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// `host` is a name or an address without brackets; port 0 lets the kernel choose.
    case tcp(host: String, port: Int)
    case unix(path: String)

    /// A unix socket's path fits into `sockaddr_un` with its final zero.
    package static let unixPathBytesMax = 107

    /// Nil when the text is neither `host:port` nor `unix:PATH`.
    package init?(text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard !path.isEmpty, path.utf8.count <= Self.unixPathBytesMax else { return nil }
            guard path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
            self = .unix(path: path)
            return
        }
        guard let address = HostPort(text), let port = address.port else { return nil }
        self = .tcp(host: address.host, port: port)
    }

    /// The text it is read from.
    package var description: String {
        switch self {
        case .tcp(let host, let port): HostPort.text(host: host, port: port)
        case .unix(let path): "unix:\(path)"
        }
    }

    /// Only this machine reaches it: 127.0.0.0/8, ::1, `localhost` or a unix socket.
    package var isLoopback: Bool {
        switch self {
        case .tcp(let host, _): HostPort.isLoopback(host)
        case .unix: true
        }
    }
}
