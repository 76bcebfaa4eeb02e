package import Base

/// A complete answer.
package struct PlainResponse: Sendable {
    package var status: Int
    package var headers: HeaderFields
    /// Without the framing of the transfer; otherwise as it came.
    package var body: [UInt8]

    package init(status: Int, headers: HeaderFields, body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The body as text; what is not UTF-8 is replaced.
    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// One server-sent event.
package struct PlainEvent: Sendable, Equatable {
    /// The value of `event:`; empty when it has none.
    package var name: String
    /// The `data:` lines, joined with a line feed.
    package var data: String
    /// When the bytes that completed it were read.
    package var received: MonotonicInstant

    package init(name: String, data: String, received: MonotonicInstant) {
        self.name = name
        self.data = data
        self.received = received
    }
}

/// Why a request had no answer.
package enum PlainClientFailure: Failure {
    case cannotConnect(String)
    case brokenConnection(String)
    /// The server said nothing for longer than the client's timeout.
    case silence(Duration)
    /// The connection ended before the answer did.
    case cutShort
    case invalidAnswer(String)

    package var code: String {
        switch self {
        case .cannotConnect: "cannot_connect"
        case .brokenConnection: "broken_connection"
        case .silence: "silence"
        case .cutShort: "cut_short"
        case .invalidAnswer: "invalid_answer"
        }
    }

    package var message: String {
        switch self {
        case .cannotConnect(let what): "\(what); is the server running there?"
        case .brokenConnection(let what): "the connection broke: \(what)"
        case .silence(let limit): "the server said nothing for \(limit.text)"
        case .cutShort: "the connection ended before the answer did"
        case .invalidAnswer(let what): "the server's answer is not HTTP/1.1: \(what)"
        }
    }
}
