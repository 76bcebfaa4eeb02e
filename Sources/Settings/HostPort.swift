import Glibc

/// A host with an optional port, as addresses and URLs write it: `localhost:7411`, `10.0.0.1`, `[::1]:80`.
struct HostPort: Equatable, Sendable {
    /// Without the brackets of an IPv6 address.
    let host: String
    let port: Int?

    /// Nil unless the host is a name, an IPv4 address or a bracketed IPv6 address, and the port is 0 to 65535.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count <= Self.bytesMax else { return nil }
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = String(text[text.index(after: text.startIndex)..<end])
            guard Self.isIPv6(host) else { return nil }
            let rest = text[text.index(after: end)...]
            if rest.isEmpty { port = nil; return }
            guard rest.hasPrefix(":"), let number = Self.port(rest.dropFirst()) else { return nil }
            port = number
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let name = parts.first, Self.isHostName(name) else { return nil }
        host = String(name)
        if parts.count == 1 { port = nil; return }
        guard let number = Self.port(parts[1]) else { return nil }
        port = number
    }

    /// `host:port` with brackets where the host is an IPv6 address.
    static func text(host: String, port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    static func isIPv6(_ text: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, text, &address) == 1
    }

    /// 127.0.0.0/8, ::1 (also as a mapped IPv4 address) or the name `localhost`.
    static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" { return true }
        var four = in_addr()
        if inet_pton(AF_INET, host, &four) == 1 { return UInt32(bigEndian: four.s_addr) >> 24 == 127 }
        var six = in6_addr()
        guard inet_pton(AF_INET6, host, &six) == 1 else { return false }
        let bytes = withUnsafeBytes(of: six) { Array($0) }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127]
        return bytes.starts(with: mapped) || bytes == [UInt8](repeating: 0, count: 15) + [1]
    }

    private static let bytesMax = 300

    private static func port(_ text: some StringProtocol) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        guard let number = Int(text), number <= 65_535 else { return nil }
        return number
    }

    /// Letters, digits, dots, hyphens and underscores (container networks use those).
    private static func isHostName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.count <= 253
            && text.utf8.allSatisfy {
                isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
    }
}

/// An ASCII letter or digit.
func isAlphanumeric(_ byte: UInt8) -> Bool {
    (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122)
}
