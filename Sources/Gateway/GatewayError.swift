import Base
import Settings

/// An error that Weir itself answers on a provider's route, in the shape the caller's client library knows. A
/// provider's own error never becomes one of these: it passes as it came.
package struct GatewayError: Failure {
    package let status: Int
    package let code: String
    package let message: String
    /// The request field the error is about (OpenAI's `param`).
    package let parameter: String?
    package let retryAfter: Duration?

    package init(
        _ status: Int, _ code: String, _ message: String, parameter: String? = nil, retryAfter: Duration? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.parameter = parameter
        self.retryAfter = retryAfter
    }

    /// The body of the answer.
    package func body(_ dialect: Dialect, requestID: String) -> String {
        let text = JSONText.quote(message)
        switch dialect {
        case .openai:
            let parameter = parameter.map(JSONText.quote) ?? "null"
            return #"{"error":{"message":\#(text),"type":"\#(openAIType)","param":\#(parameter),"#
                + #""code":\#(JSONText.quote(code))}}"#
        case .anthropic:
            return #"{"type":"error","error":{"type":"\#(anthropicType)","message":\#(text)},"#
                + #""request_id":\#(JSONText.quote(requestID))}"#
        }
    }

    /// The event that ends a stream which cannot be completed. After it comes no `[DONE]` and no `message_stop`.
    /// - Parameter number: its `sequence_number` where the format has one (`/v1/responses`).
    package func event(_ dialect: Dialect, route: AIRoute?, requestID: String, number: Int = 0) -> String {
        switch dialect {
        case .openai where route == .responses:
            let text = JSONText.quote(message)
            return
                "event: error\ndata: {\"type\":\"error\",\"sequence_number\":\(number),"
                + "\"code\":\(JSONText.quote(code)),\"message\":\(text),"
                + "\"param\":null}\n\n"
        case .openai: return "data: \(body(dialect, requestID: requestID))\n\n"
        case .anthropic: return "event: error\ndata: \(body(dialect, requestID: requestID))\n\n"
        }
    }

    private var openAIType: String {
        switch status {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 404, 400, 408, 413, 415, 422, 431: "invalid_request_error"
        case 429: "rate_limit_error"
        default: "server_error"
        }
    }

    private var anthropicType: String {
        switch status {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 504, 408: "timeout_error"
        case 503, 529: "overloaded_error"
        case 400..<500: "invalid_request_error"
        default: "api_error"
        }
    }
}
