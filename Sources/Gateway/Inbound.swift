package import Base
package import Ledger
package import NIOCore

/// A request that has passed the guards, with the caller known. Its body comes separately.
package struct InboundRequest: Sendable {
    /// Weir's own id of the request.
    package var id: String
    package var principal: Principal
    package var method: String
    /// Without the query.
    package var path: String
    package var query: String?
    package var headers: HeaderFields
    /// When its head was read.
    package var received: MonotonicInstant
    package var time: UnixTime

    package init(
        id: String, principal: Principal, method: String, path: String, query: String?, headers: HeaderFields,
        received: MonotonicInstant, time: UnixTime
    ) {
        self.id = id
        self.principal = principal
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.received = received
        self.time = time
    }
}

/// Where an answer goes: the client's connection. Everything is called on `eventLoop`.
package protocol ResponseSink: AnyObject, Sendable {
    var eventLoop: any EventLoop { get }
    /// False: the client is behind; hold back until `Exchange.clientCaughtUp`.
    var isWritable: Bool { get }
    func sendHead(status: Int, headers: HeaderLines)
    func sendBody(_ bytes: ByteBuffer)
    /// The answer is whole.
    func finish()
    /// The answer cannot be completed truthfully: the connection is cut, so that the client knows.
    func abort()
    func flush()
    /// The request's body should come more slowly, or may go on.
    func pauseReading(_ pause: Bool)
}
