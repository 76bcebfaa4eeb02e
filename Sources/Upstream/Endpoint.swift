/// What the pool knows of one provider: where it is and how long to wait for it. Immutable; a reload makes new ones.
package final class Endpoint: Sendable {
    /// What is spoken to the provider. HTTP/2 needs TLS.
    package enum HTTPVersion: Sendable { case http1_1, http2 }

    /// The provider's name: pools, metrics and errors carry it.
    package let name: String
    /// Connections at most; further requests wait in line.
    package let connectionsMax: Int
    /// Requests that may wait for a connection; further ones are refused at once.
    package let waitingMax: Int
    /// How long one may wait.
    package let waitingTimeout: Duration
    package let connectTimeout: Duration
    /// From the start of the request to the first byte of the answer.
    package let firstByteTimeout: Duration
    /// The longest pause inside an answer.
    package let idleTimeout: Duration
    package let totalTimeout: Duration
    package let httpVersion: HTTPVersion
    /// `http://host:port` of a forward proxy, for https providers.
    package let proxy: String?
    /// A file of certificate authorities in place of the system's.
    package let caFile: String?
    /// The settings name an http address, so plain text is allowed for this provider and no other.
    package let allowsPlainHTTP: Bool
    /// False: each request opens and closes its own connection (the flag `pool-reuse`).
    package let reusesConnections: Bool

    package init(
        name: String, connectionsMax: Int = 100, waitingMax: Int = 1_000, waitingTimeout: Duration = .seconds(10),
        connectTimeout: Duration = .seconds(5), firstByteTimeout: Duration = .seconds(600),
        idleTimeout: Duration = .seconds(120), totalTimeout: Duration = .seconds(3_600),
        httpVersion: HTTPVersion = .http1_1, proxy: String? = nil, caFile: String? = nil,
        allowsPlainHTTP: Bool, reusesConnections: Bool = true
    ) {
        precondition(connectionsMax > 0 && waitingMax >= 0)
        self.name = name
        self.connectionsMax = connectionsMax
        self.waitingMax = waitingMax
        self.waitingTimeout = waitingTimeout
        self.connectTimeout = connectTimeout
        self.firstByteTimeout = firstByteTimeout
        self.idleTimeout = idleTimeout
        self.totalTimeout = totalTimeout
        self.httpVersion = httpVersion
        self.proxy = proxy
        self.caFile = caFile
        self.allowsPlainHTTP = allowsPlainHTTP
        self.reusesConnections = reusesConnections
    }
}
