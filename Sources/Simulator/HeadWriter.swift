import Base
import NIOCore
import NIOHTTP1

/// What the request's head says about the connection.
struct ConnectionTerms {
    var keepAlive = true
    /// False for HTTP/1.0, which has no chunks.
    var chunks = true
}

/// How the end of a body is told.
enum Framing { case length, chunked, untilClose }

/// Writes the head of an answer as the real providers' heads look.
struct HeadWriter {
    private let answer: Answer
    private let behaviour: Behaviour
    private let request: SimulatedRequest
    private let connection: ConnectionTerms
    var requestID = ""
    var processing: Duration = .zero
    var clock: ClockTexts?

    init(_ answer: Answer, _ behaviour: Behaviour, _ request: SimulatedRequest, _ connection: ConnectionTerms) {
        self.answer = answer
        self.behaviour = behaviour
        self.request = request
        self.connection = connection
    }

    /// Whether the body is to be compressed.
    var compresses: Bool {
        if behaviour.gzipForced { return true }
        let isLong = answer.type == .json && answer.body.bytes.writerIndex > 256
        guard behaviour.gzip || isLong else { return false }
        return request.headers["accept-encoding"].contains { $0.lowercased().contains("gzip") }
    }

    func write(_ framing: Framing, length: Int, compressed: Bool, to buffer: inout ByteBuffer) {
        buffer.put("HTTP/1.1 ")
        buffer.put(answer.status)
        buffer.put(" ")
        let reason = HTTPResponseStatus(statusCode: answer.status).reasonPhrase
        buffer.put(answer.status == 529 ? "Overloaded" : reason)
        put("date", clock?.httpDate() ?? "", &buffer)
        put("content-type", answer.type.rawValue, &buffer)
        switch framing {
        case .length: put("content-length", String(length), &buffer)
        case .chunked: put("transfer-encoding", "chunked", &buffer)
        case .untilClose: break
        }
        if answer.type == .events { put("cache-control", "no-cache", &buffer) }
        if compressed {
            put("content-encoding", "gzip", &buffer)
            put("vary", "Accept-Encoding", &buffer)
        }
        if !connection.keepAlive || framing == .untilClose {
            put("connection", "close", &buffer)
        } else if !connection.chunks {
            put("connection", "keep-alive", &buffer)
        }
        switch request.dialect {
        case .openAI: putOpenAI(&buffer)
        case .anthropic: putAnthropic(&buffer)
        }
        putRetryHints(&buffer)
        buffer.put("\r\n\r\n")
    }

    private func put(_ name: String, _ value: String, _ buffer: inout ByteBuffer) {
        buffer.put("\r\n")
        buffer.put(name)
        buffer.put(": ")
        buffer.put(value)
    }

    private static let limit = 10_000
    private var remaining: String { String(Self.limit - request.number % Self.limit) }

    private func putOpenAI(_ buffer: inout ByteBuffer) {
        put("openai-version", "2020-10-01", &buffer)
        put("openai-processing-ms", String(max(1, processing.wholeMilliseconds)), &buffer)
        put("x-ratelimit-limit-requests", "10000", &buffer)
        put("x-ratelimit-remaining-requests", remaining, &buffer)
        put("x-ratelimit-reset-requests", "6ms", &buffer)
        put("x-request-id", requestID, &buffer)
    }

    private func putAnthropic(_ buffer: inout ByteBuffer) {
        put("request-id", requestID, &buffer)
        put("anthropic-ratelimit-requests-limit", "10000", &buffer)
        put("anthropic-ratelimit-requests-remaining", remaining, &buffer)
        if behaviour.resetHeader == nil {
            put("anthropic-ratelimit-requests-reset", UnixTime.now().iso8601, &buffer)
        }
    }

    private func putRetryHints(_ buffer: inout ByteBuffer) {
        let now = UnixTime.now()
        if let seconds = behaviour.retryAfter { put("retry-after", String(seconds), &buffer) }
        if let seconds = behaviour.retryAfterDate {
            put("retry-after", ClockTexts.httpDate(now.seconds + Int64(seconds)), &buffer)
        }
        if let wait = behaviour.retryAfterMilliseconds { put("retry-after-ms", String(wait), &buffer) }
        if let wait = behaviour.azureRetryAfterMilliseconds { put("x-ms-retry-after-ms", String(wait), &buffer) }
        if let seconds = behaviour.resetHeader {
            let then = UnixTime(microseconds: now.microseconds + Int64(seconds) * 1_000_000)
            put("anthropic-ratelimit-requests-reset", then.iso8601, &buffer)
        }
    }
}
