import NIOCore

/// What kind of body an answer has.
enum ContentType: String {
    case json = "application/json"
    case events = "text/event-stream; charset=utf-8"
    case html = "text/html"
    case octets = "application/octet-stream"
}

/// An answer before it is put on the wire.
struct Answer {
    var status = 200
    var type: ContentType
    var body: EventScript

    init(_ body: ByteBuffer, type: ContentType = .json) {
        self.type = type
        self.body = EventScript(whole: body)
    }

    init(_ script: EventScript) {
        type = .events
        body = script
    }

    init(html status: Int) {
        self.init(
            ByteBuffer(
                string: "<html>\r\n<head><title>\(status) Bad Gateway</title></head>\r\n<body>\r\n"
                    + "<center><h1>\(status) Bad Gateway</h1></center>\r\n<hr><center>simulator</center>\r\n"
                    + "</body>\r\n</html>\r\n"), type: .html)
        self.status = status
    }

    init(_ refusal: Refusal, _ request: SimulatedRequest, _ requestID: String) {
        var body = ByteBuffer()
        refusal.write(to: &body, dialect: request.dialect, requestID: requestID)
        self.init(body)
        status = refusal.status
    }

    /// Spoils the body the way the request asks for; what concerns bytes on the wire comes later.
    mutating func take(_ behaviour: Behaviour, _ request: SimulatedRequest) {
        guard status == 200 else { return }
        if behaviour.errorFirst { fail(request, keeping: nil, behaviour) }
        guard type == .events else { return }
        if let count = behaviour.errorMid { fail(request, keeping: count, behaviour) }
        if let count = behaviour.stall { body.cut(afterTokens: count) }
        if behaviour.missingBlank { body.dropLastBlankLine() }
    }

    /// Replaces the body from a token on by an error; nil: all of it.
    private mutating func fail(_ request: SimulatedRequest, keeping count: Int?, _ behaviour: Behaviour) {
        let refusal = Refusal.plain(request.dialect == .anthropic ? 529 : 503)
        guard type == .events else {
            var object = ByteBuffer()
            refusal.write(to: &object, dialect: request.dialect, requestID: nil)
            body = EventScript(whole: object)
            return
        }
        if let count { body.cut(afterTokens: count) } else { body = EventScript(style: behaviour.eventStyle) }
        switch request.path {
        case .messages: body.event("error") { refusal.write(to: &$0, dialect: .anthropic, requestID: nil) }
        case .responses:
            body.event("error") { buffer in
                buffer.put("{\"type\":\"error\",\"sequence_number\":\(count.map { $0 + 4 } ?? 0),")
                buffer.put("\"code\":\"server_error\",\"message\":\"Overloaded\",\"param\":null}")
            }
        default: body.event { refusal.write(to: &$0, dialect: .openAI, requestID: nil) }
        }
        body.endStep()
    }
}
