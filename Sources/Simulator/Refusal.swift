import NIOCore

/// Whose formats an answer has.
enum Dialect { case openAI, anthropic }

/// An answer other than 2xx: what both dialects' error objects are made of.
struct Refusal: Error {
    var status: Int
    var message: String
    /// OpenAI's `param`.
    var parameter: String?
    /// OpenAI's `code`.
    var code: String?

    static func missing(_ field: Field) -> Refusal {
        Refusal(
            status: 400, message: "Missing required parameter: '\(field.rawValue)'.", parameter: field.rawValue,
            code: "missing_required_parameter")
    }

    static func invalid(_ field: Field, _ message: String) -> Refusal {
        Refusal(status: 400, message: message, parameter: field.rawValue, code: "invalid_value")
    }

    static func notFound(_ what: String, id: String) -> Refusal {
        Refusal(status: 404, message: "No \(what) found with id '\(id)'.", parameter: "id", code: "not_found")
    }

    /// What a provider says with this status when nothing more is known.
    static func plain(_ status: Int) -> Refusal {
        let (message, code): (String, String?) =
            switch status {
            case 400: ("The simulated request was invalid.", "invalid_value")
            case 401: ("Incorrect API key provided.", "invalid_api_key")
            case 403: ("This key may not use the simulated model.", "permission_denied")
            case 404: ("The simulated model does not exist.", "model_not_found")
            case 413: ("The request exceeds the maximum size.", "request_too_large")
            case 429: ("Rate limit reached: try again later.", "rate_limit_exceeded")
            case 503, 529: ("Overloaded", "overloaded")
            default: ("The simulated provider had an error while processing the request.", nil)
            }
        return Refusal(status: status, message: message, code: code)
    }

    /// The error object, the whole body of an answer that is not 2xx.
    func write(to buffer: inout ByteBuffer, dialect: Dialect, requestID: String?) {
        switch dialect {
        case .openAI: writeOpenAI(to: &buffer)
        case .anthropic: writeAnthropic(to: &buffer, requestID: requestID)
        }
    }

    private func writeOpenAI(to buffer: inout ByteBuffer) {
        buffer.put("{\"error\":{\"message\":")
        buffer.putQuoted(message)
        buffer.put(",\"type\":\"\(openAIType)\",\"param\":")
        if let parameter { buffer.putQuoted(parameter) } else { buffer.put("null") }
        buffer.put(",\"code\":")
        if let code { buffer.putQuoted(code) } else { buffer.put("null") }
        buffer.put("}}")
    }

    private func writeAnthropic(to buffer: inout ByteBuffer, requestID: String?) {
        buffer.put("{\"type\":\"error\",\"error\":{\"type\":\"\(anthropicType)\",\"message\":")
        buffer.putQuoted(message)
        buffer.put("}")
        if let requestID {
            buffer.put(",\"request_id\":")
            buffer.putQuoted(requestID)
        }
        buffer.put("}")
    }

    private var openAIType: String {
        switch status {
        case 429: "requests"
        case 500...: "server_error"
        default: "invalid_request_error"
        }
    }

    private var anthropicType: String {
        switch status {
        case 401: "authentication_error"
        case 402: "billing_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 504: "timeout_error"
        case 529: "overloaded_error"
        case 500...: "api_error"
        default: "invalid_request_error"
        }
    }
}

extension Refusal {
    /// No route answers this method and path.
    static func wrongTarget(_ request: SimulatedRequest) -> Refusal {
        Refusal(status: 404, message: "Invalid URL (\(request.method) \(request.uri))")
    }
}
