import Base
import Gateway
import Ledger
import Logging
import NIOCore
import Settings
import Telemetry

/// A refusal before anything of the request's body is read.
struct Rejection: Error {
    var status: Int
    var code: String
    var message: String
    /// Of a 405: the methods that the path does take.
    var allowed: [String]

    init(_ status: Int, _ code: String, _ message: String, allowed: [String] = []) {
        self.status = status
        self.code = code
        self.message = message
        self.allowed = allowed
    }
}

/// Which hosts and origins a request may name. Exact names only: a pattern is how DNS rebinding gets in.
struct HostGuard: Sendable {
    private let hosts: Set<String>
    private let origins: Set<String>

    /// The loopback names and the listener's own address are always allowed, with its port.
    init(_ settings: Settings.Server, bound: ListenAddress) {
        var hosts = Set(settings.allowedHosts.map { $0.lowercased() })
        if case .tcp(let host, let port) = bound {
            for name in ["localhost", "127.0.0.1", "[::1]", host.contains(":") ? "[\(host)]" : host.lowercased()] {
                hosts.insert("\(name):\(port)")
                if port == 80 { hosts.insert(name) }
            }
        } else {
            hosts.insert("localhost")
        }
        self.hosts = hosts
        origins = Set(settings.allowedOrigins.map { $0.lowercased() })
    }

    func check(_ facts: RequestFacts) throws(Rejection) {
        guard facts.hostCount == 1, let host = facts.host else {
            throw Rejection(400, "bad_host", "a request names exactly one Host")
        }
        // Nearly every client writes the name in lower case: only others pay for the conversion.
        guard hosts.contains(host) || hosts.contains(host.lowercased()) else {
            throw Rejection(403, "host_not_allowed", "this Host is not served here; add it to server.allowed-hosts")
        }
        if let origin = facts.origin { try check(origin: origin, host: host) }
        if let site = facts.fetchSite, site != "same-origin", site != "none",
            facts.origin.map({ !origins.contains($0.lowercased()) }) ?? true
        {
            throw Rejection(403, "cross_site", "requests from other sites are refused; see server.allowed-origins")
        }
        if facts.wantsUpgrade { throw Rejection(400, "no_upgrade", "connection upgrades are not offered") }
    }

    private func check(origin: String, host: String) throws(Rejection) {
        if origin == "null" { throw Rejection(400, "bad_origin", "an opaque origin is refused") }
        let lower = origin.lowercased()
        guard lower == "http://\(host.lowercased())" || origins.contains(lower) else {
            throw Rejection(403, "origin_not_allowed", "this Origin is not allowed; see server.allowed-origins")
        }
    }
}

/// Who is calling. No file is touched: the key ring is in memory.
struct Authenticator: Sendable {
    let ring: KeyRing
    let allowsAnonymous: Bool

    /// One wording for every cause: a caller who has no key learns nothing of those who have.
    static let unauthorized = Rejection(
        401, "unauthorized", "send a key of this Weir as 'Authorization: Bearer KEY' or 'x-api-key: KEY'")

    /// - Parameter isLocal: the connection comes from loopback or a unix socket.
    func identify(_ facts: RequestFacts, isLocal: Bool) throws(Rejection) -> Principal {
        if let key = facts.presentedKey {
            switch ring.identify(key) {
            case .known(let principal): return principal
            case .revoked: throw Self.unauthorized
            case .unknown: break
            }
        }
        guard allowsAnonymous, isLocal, !facts.isForwarded else { throw Self.unauthorized }
        return .anonymous
    }
}
