import Base
import Ledger
package import NIOCore
import ResponseCache
import Settings
import Telemetry
import Upstream

/// The story of one AI request, from its body to its line in the ledger. Lives on the client's event loop; the answer
/// itself is read by `AnswerPassage`.
package final class Exchange: TransferReceiver, @unchecked Sendable {  // confined to `sink.eventLoop`
    let gateway: Gateway
    let configuration: Gateway.Configuration
    let request: InboundRequest
    let route: AIRoute?
    let dialect: Dialect
    let sink: any ResponseSink
    var record: RequestRecord
    var provider: ProviderRoute?
    var keyIndex: Int?
    var passage: AnswerPassage?
    var transfer: Transfer?
    var isOver = false
    /// Bytes received and not yet granted again, while the client is behind.
    var ungranted = 0
    var lastSent = MonotonicInstant.now()
    var keepAlive: Scheduled<Void>?
    var unsentUpload = 0
    var readingIsPaused = false
    /// The estimate used when the provider tells no usage: four bytes are about a token.
    var estimatedInput = 0
    /// When the provider that refused wants to be asked again.
    var retryAfter: Duration?
    /// Text of the Server-Timing header.
    var serverTiming = ""
    /// The provider's share of the time, waiting for a connection included.
    var upstreamMicroseconds: Int64 = 0
    var ownership: ObjectOwnership
    /// Nil when the cache has no say.
    var part: CachePart?
    /// The shared call that the answer comes from, when it is one.
    var flight: Flight?
    /// What this request asks if the flight it waits for cannot serve it.
    var waitingCall: ProviderCall?
    /// It began the flight, on its own event loop.
    var leads = false
    /// The provider's call is billed to it, and its client's pace is the flight's.
    var setsPace = false
    /// It led the flight and left, and another one pays now.
    var paysNothing = false
    /// Text of the Cache-Status header.
    var cacheStatus = ""
    /// The provider was asked for this request.
    var wasAsked = false

    init(_ gateway: Gateway, _ request: InboundRequest, route: AIRoute?, sink: any ResponseSink) {
        self.gateway = gateway
        self.request = request
        self.route = route
        self.sink = sink
        configuration = gateway.configuration
        dialect =
            route?.dialect
            ?? Dialect.ofPath(request.path, hasAnthropicVersion: request.headers.contains("anthropic-version"))
        ownership = route == nil ? ObjectOwnership(method: request.method, path: request.path) : .none
        record = RequestRecord(
            id: request.id, time: request.time, tenant: request.principal.tenant, keyID: request.principal.keyID,
            route: route?.path ?? ownership.routeTemplate, status: 0, isStream: false)
        gateway.metrics.active.add(1)
    }

    // MARK: The request

    func start(body: ByteBuffer) {
        record.bytesIn = body.readableBytes
        estimatedInput = body.readableBytes / 4
        do throws(GatewayError) {
            let fields = try RequestFields(scanning: body)
            guard let model = fields.model else {
                throw GatewayError(400, "missing_model", "the body must name a model", parameter: "model")
            }
            record.modelRequested = model
            record.isStream = fields.isStream
            if let previous = fields.previousResponseID {
                findOwner(of: previous) { owner in
                    self.submit(body, fields, model, pinnedTo: owner.provider)
                }
            } else {
                submit(body, fields, model, pinnedTo: nil)
            }
        } catch {
            answer(error)
        }
    }

    /// - Parameter pinnedTo: the provider that holds the conversation this request goes on with.
    private func submit(_ body: ByteBuffer, _ fields: RequestFields, _ model: String, pinnedTo pinned: String?) {
        guard !isOver, let route else { return }
        do throws(GatewayError) {
            var target = try configuration.catalog.resolve(model, dialect)
            if let pinned, pinned != target.provider.name, let holder = configuration.catalog.provider(pinned) {
                target.provider = holder
            }
            ownership.storesResponse = route == .responses && fields.isStored != false
            try consultCache(ProviderCall(target: target, body: body, fields: fields))
        } catch {
            answer(error)
        }
    }

    /// Sends the request to its provider, who answers to `receiver`: this exchange, or a flight that others follow.
    @discardableResult
    func askProvider(_ call: ProviderCall, receiver: any TransferReceiver) -> Transfer? {
        guard !isOver, let route else { return nil }
        let splice = makePassage(call)
        let transfer = send(
            to: call.target.provider, path: route.path, body: .buffers(splice.apply(to: call.body)),
            mayBeSentTwice: !call.fields.isBackground || request.headers.contains("idempotency-key"), decodes: true,
            receiver: receiver)
        if receiver === self { self.transfer = transfer }
        return transfer
    }

    /// Prepares for the answer to the call, and tells how its body must be changed.
    @discardableResult
    func makePassage(_ call: ProviderCall) -> BodySplice {
        guard let route else { preconditionFailure("only an AI route asks a provider so") }
        var splice = BodySplice()
        if call.target.model != record.modelRequested, let range = call.fields.modelRange {
            splice.replace(range, with: JSONText.quote(call.target.model))
        }
        let strips = call.fields.isStream && route.streamsUsageOnRequest && splice.requestUsage(call.fields)
        passage = AnswerPassage(route: route, stripsUsage: strips)
        return splice
    }

    func startPassThrough(bodyLength: Int?, hasBody: Bool) {
        hasUpload = hasBody
        passage = AnswerPassage(
            route: nil, stripsUsage: false, listsObjects: ownership.listsObjects, readsAnswer: ownership.readsAnswer)
        let body: UpstreamBody = hasBody ? .stream(length: bodyLength) : .none
        if let id = ownership.objectID {
            // The body must wait for the owner to be known; reading stops, so at most one read's worth is here.
            pauseReading(true)
            findOwner(of: id) { owner in
                self.pauseReading(false)
                self.submitPassThrough(to: owner.provider, body: body)
            }
        } else if hasBody && ownership.makesBatch {
            holdsUpload = true
        } else {
            submitPassThrough(to: configuration.passthrough, body: body)
        }
    }

    func submitPassThrough(to name: String?, body: UpstreamBody) {
        guard !isOver else { return }
        guard let name, let provider = configuration.catalog.provider(name) else {
            answer(
                GatewayError(
                    404, "no_passthrough",
                    "no provider takes this path: name one in gateway.passthrough of the settings"))
            return
        }
        let safe = request.method == "GET" || request.method == "HEAD" || request.headers.contains("idempotency-key")
        transfer = send(
            to: provider, path: request.path, body: body, mayBeSentTwice: safe, decodes: ownership.readsAnswer,
            receiver: self)
        for piece in earlyPieces { transfer?.feed(piece) }
        earlyPieces.removeAll()
    }

    /// Pieces of an upload that came before its provider was known.
    var earlyPieces: [ByteBuffer?] = []
    /// A body is passed through; without one there is nothing to feed, not even its end.
    var hasUpload = false
    /// The body is kept back until all of it is here and has been looked at.
    var holdsUpload = false

    /// The next piece of a passed-through body; nil ends it.
    package func feed(_ piece: ByteBuffer?) {
        guard !isOver, hasUpload else { return }
        if holdsUpload { return hold(piece) }
        record.bytesIn += piece?.readableBytes ?? 0
        unsentUpload += piece?.readableBytes ?? 0
        if unsentUpload > Limits.uploadCreditBytes { pauseReading(true) }
        if let transfer { transfer.feed(piece) } else { earlyPieces.append(piece) }
    }

    /// Reading goes on at the latest before the answer's end: the connection's next request must find it so.
    func pauseReading(_ pause: Bool) {
        guard pause != readingIsPaused else { return }
        readingIsPaused = pause
        sink.pauseReading(pause)
    }

    private func send(
        to provider: ProviderRoute, path: String, body: UpstreamBody, mayBeSentTwice: Bool, decodes: Bool,
        receiver: any TransferReceiver
    ) -> Transfer {
        wasAsked = true
        let (headers, keyIndex) = provider.headers(request.headers, decodes: decodes, now: .now())
        self.provider = provider
        self.keyIndex = keyIndex
        record.provider = provider.name
        let upstream = UpstreamRequest(
            method: request.method, url: provider.dialect.url(base: provider.baseURL, path: path, query: request.query),
            headers: headers, body: body, mayBeSentTwice: mayBeSentTwice, decodesContent: decodes)
        return gateway.pool.start(
            upstream, endpoint: provider.endpoint, eventLoop: sink.eventLoop, receiver: receiver)
    }

    /// The tenant's own object, or 404 in the route's dialect: another tenant's is as unknown as one never made.
    func findOwner(of id: String, then go: @escaping @Sendable (ObjectOwnership.Owner) -> Void) {
        let (tenant, loop) = (request.principal.tenant, sink.eventLoop)
        let accepted = gateway.workers.submit { [gateway] in
            let found = Result { try gateway.owners.owner(of: id) }
            loop.execute {
                switch found {
                case .success(let owner?) where owner.tenant == tenant:
                    go(ObjectOwnership.Owner(provider: owner.provider))
                case .success:
                    self.answer(GatewayError(404, "not_found", "there is no object with the id '\(id)'"))
                case .failure:
                    self.answer(
                        GatewayError(503, "try_again", "the ledger cannot be read now", retryAfter: .seconds(1)))
                }
            }
        }
        if !accepted { answer(GatewayError(503, "try_again", "too many requests wait", retryAfter: .seconds(1))) }
    }
}
