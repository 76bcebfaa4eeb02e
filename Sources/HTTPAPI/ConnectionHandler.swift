import Base
import Gateway
import Ledger
import Logging
import NIOCore
import NIOHTTP1
import Settings
import Telemetry

/// One client connection: guards each request before its body is read, hands it to the gateway or to a route of
/// Weir's own, and writes the answer. One request at a time: what comes of the next one waits for its turn.
final class ConnectionHandler: ChannelDuplexHandler, @unchecked Sendable {  // confined to the channel's event loop
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// What is being done with the request under way.
    enum Work {
        case none
        /// Collecting the body of an AI request.
        case ai(AIRoute)
        /// Collecting the body of a request to a route of our own.
        case api(MatchedRoute)
        case models(id: String?)
        /// The answer is being made.
        case exchange(Exchange)
        case waiting
        /// Has no body and will be refused as soon as it is whole, so that the connection can go on.
        case refusing(Rejection)
        /// Refused: what still comes of its body is dropped, and the connection closes.
        case refused
    }

    let server: ServerContext
    let clock: ConnectionClock
    private let isControl: Bool
    private let isUnix: Bool
    private var isLocal = false
    private(set) var context: ChannelHandlerContext?
    var loop: (any EventLoop)?

    var work = Work.none
    var inbound: InboundRequest?
    private var body = ByteBuffer()
    private var bodyLimit = 0
    var requestIsWhole = true
    var keepsAlive = true
    var version = HTTPVersion.http1_1
    var headWasSent = false
    var answerIsWhole = true
    /// The last answer is out or on its way out: what still comes is dropped.
    var isClosing = false
    var writer = AnswerWriter()
    /// What has come and waits: of this request while its head is looked at, or of the next one until this one is
    /// answered. Nothing more is read from a client that is ahead, so this is one read's worth at most.
    var waitingParts: CircularBuffer<HTTPServerRequestPart> = []
    /// Inside `takeParts`: an answer given at once must not begin the next request within this one.
    private var isTaking = false
    private var readIsHeld = false

    init(_ server: ServerContext, clock: ConnectionClock, isControl: Bool, isUnix: Bool) {
        self.server = server
        self.clock = clock
        self.isControl = isControl
        self.isUnix = isUnix
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        loop = context.eventLoop
    }

    func channelActive(context: ChannelHandlerContext) {
        isLocal = isUnix || isLoopbackAddress(context.remoteAddress)
        let hasRoom = server.connectionOpened(context.channel)
        if isControl && !ControlPeer.isAllowed(context.channel) { return context.close(promise: nil) }
        if !hasRoom {
            refuseConnection(
                Rejection(503, "too_many_connections", "too many connections are open; see server.max-connections"))
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .exchange(let exchange) = work { exchange.clientGone() }
        work = .none
        server.connectionClosed(context.channel)
        self.context = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        waitingParts.append(part)
        takeParts()
    }

    /// The request is whole and its answer is not: the next one waits.
    var isAnswering: Bool { requestIsWhole && !answerIsWhole }

    func takeParts() {
        guard !isTaking else { return }
        isTaking = true
        while !isAnswering, let next = waitingParts.popFirst() { take(next) }
        isTaking = false
        guard readIsHeld, waitingParts.isEmpty else { return }
        readIsHeld = false
        context?.read()
    }

    func read(context: ChannelHandlerContext) {
        readIsHeld = !waitingParts.isEmpty
        if !readIsHeld { context.read() }
    }

    private func take(_ part: HTTPServerRequestPart) {
        guard !isClosing, context != nil else { return }
        switch part {
        case .head(let head): begin(head)
        case .body(let piece): receive(piece)
        case .end: endOfRequest()
        }
    }

    // MARK: The request

    private func begin(_ head: HTTPRequestHead) {
        let now = MonotonicInstant.now()
        clock.deadlines.headComplete(now: now)
        (requestIsWhole, answerIsWhole, headWasSent) = (false, false, false)
        version = head.version
        let facts = RequestFacts(head)
        // After CONNECT or an upgrade the parser reads no further request.
        keepsAlive = head.isKeepAlive && !server.isDraining && !facts.wantsUpgrade && head.method != .CONNECT
        let (path, query) = splitTarget(head.uri)
        var request = InboundRequest(
            id: server.requestIDs.next(), principal: .anonymous, method: head.method.rawValue, path: path, query: query,
            headers: HeaderFields(), received: now, time: .now())
        inbound = request
        do throws(Rejection) {
            request = try admit(request, head, facts)
            inbound = request
            try plan(request, facts)
            if facts.expectsContinue && version == .http1_1 { sendContinue() }
        } catch {
            if facts.hasBody { refuse(error) } else { work = .refusing(error) }
        }
    }

    /// The guards, cheapest and strictest first; nothing of the body has been read.
    private func admit(_ request: InboundRequest, _ head: HTTPRequestHead, _ facts: RequestFacts) throws(Rejection)
        -> InboundRequest
    {
        guard facts.headerBytes <= HTTPLimits.headBytesMax else {
            throw Rejection(431, "headers_too_large", "the header fields exceed \(HTTPLimits.headBytesMax >> 10) KiB")
        }
        let current = server.current
        bodyLimit = current.bodyBytesMax
        var request = request
        if isControl {
            request.principal = .localAdmin
        } else {
            try current.hostGuard.check(facts)
            if !RouteTable.isOpen(request.path) {
                request.principal = try current.authenticator.identify(facts, isLocal: isLocal)
            }
        }
        if server.isDraining && !RouteTable.isOpen(request.path) {
            throw Rejection(503, "shutting_down", "this Weir is shutting down; try again")
        }
        request.headers = HeaderFields(head.headers.map { ($0.name, $0.value) })
        return request
    }

    /// Finds what will answer, and whether the caller may ask for it.
    private func plan(_ request: InboundRequest, _ facts: RequestFacts) throws(Rejection) {
        let planned = try server.routes.plan(request, server: server)
        if case .api(let matched) = planned { bodyLimit = min(bodyLimit, matched.route.bodyBytesMax) }
        if let length = facts.contentLength, length > bodyLimit, !planned.streamsBody { throw bodyTooLarge }
        switch planned {
        case .ai(let route): work = .ai(route)
        case .models(let id): work = .models(id: id)
        case .api(let matched):
            if facts.hasBody, request.headers["content-type"]?.lowercased().hasPrefix("application/json") != true {
                throw Rejection(415, "unsupported_media_type", "send the body as Content-Type: application/json")
            }
            work = .api(matched)
        case .passThrough:
            clock.deadlines.bodyResumed(now: request.received)
            work = .waiting
            let exchange = server.gateway.passThrough(
                request, bodyLength: facts.contentLength, hasBody: facts.hasBody, sink: self)
            if !answerIsWhole { work = .exchange(exchange) }
        }
        reserveBody(facts.contentLength)
    }

    private var bodyTooLarge: Rejection {
        Rejection(413, "body_too_large", "the body exceeds the limit of this route, \(ByteCount(bytes: bodyLimit))")
    }

    private func reserveBody(_ length: Int?) {
        body.clear()
        // The length is the client's word: a small request must not reserve much.
        if let length, length > 4_096 { body.reserveCapacity(min(length, bodyLimit, 1 << 20)) }
    }

    private func receive(_ piece: ByteBuffer) {
        clock.deadlines.bodyPiece(piece.readableBytes, now: .now())
        switch work {
        case .exchange(let exchange): exchange.feed(piece)
        case .ai, .api, .models:
            guard body.readableBytes + piece.readableBytes <= bodyLimit else {
                return refuse(bodyTooLarge)
            }
            if body.readableBytes == 0 && body.capacity == 0 { body = piece } else { body.writeImmutableBuffer(piece) }
        case .none, .waiting, .refusing, .refused: break
        }
    }

    private func endOfRequest() {
        requestIsWhole = true
        clock.deadlines.answering()
        let complete = body
        body = ByteBuffer()
        guard let request = inbound else { return }
        switch work {
        case .exchange(let exchange): exchange.feed(nil)
        case .ai(let route):
            work = .waiting
            let exchange = server.gateway.answer(request, route: route, body: complete, sink: self)
            if !answerIsWhole { work = .exchange(exchange) }
        case .models(let id):
            work = .waiting
            answerModels(request, id: id)
        case .api(let matched):
            work = .waiting
            matched.run(request, body: Array(complete.readableBytesView), on: self)
        case .refusing(let rejection): refuse(rejection)
        case .none, .waiting, .refused: settle()
        }
    }

    private func answerModels(_ request: InboundRequest, id: String?) {
        let dialect = Dialect.ofPath(request.path, hasAnthropicVersion: request.headers.contains("anthropic-version"))
        server.gateway.listModels(on: eventLoop) { models in
            if let id {
                guard let model = models.first(where: { $0.id == id }) else {
                    return self.refuse(Rejection(404, "model_not_found", "there is no model '\(id)'"))
                }
                self.send(.json(200, Gateway.renderModel(model, dialect)))
            } else {
                self.send(.json(200, Gateway.renderModels(models, dialect)))
            }
        }
    }

    private func sendContinue() {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
    }
}

/// `/path?query` -> its two parts.
private func splitTarget(_ target: String) -> (path: String, query: String?) {
    guard let mark = target.firstIndex(of: "?") else { return (target, nil) }
    return (String(target[..<mark]), String(target[target.index(after: mark)...]))
}

private func isLoopbackAddress(_ address: SocketAddress?) -> Bool {
    guard let text = address?.ipAddress else { return false }
    return text == "::1" || text.hasPrefix("127.") || text.hasPrefix("::ffff:127.")
}
