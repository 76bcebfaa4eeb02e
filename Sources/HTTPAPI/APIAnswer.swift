import Base
import Gateway
import Ledger
import Logging
import NIOCore
import Settings
import Telemetry

/// A whole answer of one of Weir's own routes.
struct APIAnswer: Sendable {
    var status: Int
    var contentType: String
    var body: String
    var headers: [(name: String, value: String)] = []

    static func json(_ status: Int, _ text: String) -> APIAnswer {
        APIAnswer(status: status, contentType: "application/json", body: text)
    }

    static func json(_ status: Int, _ value: JSONValue) -> APIAnswer { json(status, value.text) }

    static func text(_ body: String, type: String = "text/plain; charset=utf-8") -> APIAnswer {
        APIAnswer(status: 200, contentType: type, body: body)
    }

    /// An error in the shape its route's callers expect: the provider's dialect under `/v1/`, RFC 9457 elsewhere.
    static func failure(_ rejection: Rejection, for request: InboundRequest?) -> APIAnswer {
        let id = request?.id ?? ""
        let retryAfter: Duration? = [429, 503].contains(rejection.status) ? .seconds(1) : nil
        var answer: APIAnswer
        if let request, request.path.hasPrefix("/v1/") {
            let dialect = Dialect.ofPath(
                request.path, hasAnthropicVersion: request.headers.contains("anthropic-version"))
            let error = GatewayError(rejection.status, rejection.code, rejection.message, retryAfter: retryAfter)
            answer = .json(rejection.status, error.body(dialect, requestID: id))
            if dialect == .anthropic { answer.headers.append(("Request-Id", id)) }
        } else {
            let problem = JSONValue.object([
                ("type", .string("urn:weir:problem:\(rejection.code)")), ("title", .string(rejection.code)),
                ("status", .integer(Int64(rejection.status))), ("detail", .string(rejection.message)),
                ("requestId", .string(id)),
            ])
            answer = APIAnswer(status: rejection.status, contentType: "application/problem+json", body: problem.text)
        }
        if let retryAfter { answer.headers.append(("Retry-After", RetryAfter.headerValue(retryAfter))) }
        if !rejection.allowed.isEmpty { answer.headers.append(("Allow", rejection.allowed.joined(separator: ", "))) }
        if rejection.status == 401 { answer.headers.append(("WWW-Authenticate", "Bearer")) }
        return answer
    }
}
