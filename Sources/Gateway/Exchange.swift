import Base
import Ledger
package import NIOCore
import Settings
import Telemetry
package import Upstream

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
    private var transfer: Transfer?
    private var isOver = false
    /// Bytes received and not yet granted again, while the client is behind.
    private var ungranted = 0
    private var lastSent = MonotonicInstant.now()
    private var keepAlive: Scheduled<Void>?
    private var unsentUpload = 0
    private var readingIsPaused = false
    /// The estimate used when the provider tells no usage: four bytes are about a token.
    private var estimatedInput = 0
    var ownership: ObjectOwnership

    init(_ gateway: Gateway, _ request: InboundRequest, route: AIRoute?, sink: any ResponseSink) {
        self.gateway = gateway
        self.request = request
        self.route = route
        self.sink = sink
        configuration = gateway.configuration
        dialect = route?.dialect
            ?? Dialect.ofPath(request.path, hasAnthropicVersion: request.headers.contains("anthropic-version"))
        ownership = ObjectOwnership(method: request.method, path: request.path)
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
            var splice = BodySplice()
            if target.model != model, let range = fields.modelRange {
                splice.replace(range, with: JSONText.quote(target.model))
            }
            let strips = fields.isStream && route.streamsUsageOnRequest && splice.requestUsage(fields)
            let passage = AnswerPassage(route: route, stripsUsage: strips)
            self.passage = passage
            ownership.storesResponse = route == .responses && fields.isStored != false
            send(
                to: target.provider, path: route.path, body: .buffers(splice.apply(to: body)),
                mayBeSentTwice: !fields.isBackground || request.headers.contains("idempotency-key"), decodes: true)
        } catch {
            answer(error)
        }
    }

    func startPassThrough(bodyLength: Int?, hasBody: Bool) {
        passage = AnswerPassage(route: nil, stripsUsage: false, listsObjects: ownership.listsObjects)
        let body: UpstreamBody = hasBody ? .stream(length: bodyLength) : .none
        if let id = ownership.objectID {
            // The body must wait for the owner to be known; reading stops, so at most one read's worth is here.
            pauseReading(true)
            findOwner(of: id) { owner in
                self.pauseReading(false)
                self.submitPassThrough(to: owner.provider, body: body)
            }
        } else {
            submitPassThrough(to: configuration.passthrough, body: body)
        }
    }

    private func submitPassThrough(to name: String?, body: UpstreamBody) {
        guard !isOver else { return }
        guard let name, let provider = configuration.catalog.provider(name) else {
            answer(GatewayError(
                404, "no_passthrough", "no provider takes this path: name one in gateway.passthrough of the settings"))
            return
        }
        let safe = request.method == "GET" || request.method == "HEAD" || request.headers.contains("idempotency-key")
        send(to: provider, path: request.path, body: body, mayBeSentTwice: safe, decodes: ownership.readsAnswer)
        for piece in earlyPieces { transfer?.feed(piece) }
        earlyPieces.removeAll()
    }

    /// Pieces of an upload that came before its provider was known.
    private var earlyPieces: [ByteBuffer?] = []

    /// The next piece of a passed-through body; nil ends it.
    package func feed(_ piece: ByteBuffer?) {
        guard !isOver else { return }
        record.bytesIn += piece?.readableBytes ?? 0
        unsentUpload += piece?.readableBytes ?? 0
        if unsentUpload > Limits.uploadCreditBytes { pauseReading(true) }
        if let transfer { transfer.feed(piece) } else { earlyPieces.append(piece) }
    }

    private func pauseReading(_ pause: Bool) {
        guard pause != readingIsPaused else { return }
        readingIsPaused = pause
        sink.pauseReading(pause)
    }

    private func send(to provider: ProviderRoute, path: String, body: UpstreamBody, mayBeSentTwice: Bool, decodes: Bool) {
        let (headers, keyIndex) = provider.headers(request.headers, decodes: decodes, now: .now())
        self.provider = provider
        self.keyIndex = keyIndex
        record.provider = provider.name
        let upstream = UpstreamRequest(
            method: request.method, url: provider.dialect.url(base: provider.baseURL, path: path, query: request.query),
            headers: headers, body: body, mayBeSentTwice: mayBeSentTwice, decodesContent: decodes)
        transfer = gateway.pool.start(
            upstream, endpoint: provider.endpoint, eventLoop: sink.eventLoop, receiver: self)
    }

    // MARK: The answer

    package func transfer(_ transfer: Transfer, received event: TransferEvent) {
        guard !isOver else { return }
        switch event {
        case .head(let head, let firstByte):
            record.firstByteMicroseconds = sinceReceived()
            passage?.begin(head)
            serverTiming = serverTimingValue(firstByte)
            noteRefusal(head)
        case .body(let bytes):
            grant(bytes.readableBytes)
            guard let action = passage?.receive(bytes) else { return }
            carryOut(action)
        case .uploaded(let count):
            unsentUpload -= count
            if unsentUpload <= Limits.uploadCreditBytes / 2 { pauseReading(false) }
        case .end(let report):
            note(report)
            guard let action = passage?.end() else { return }
            carryOut(action)
        case .failed(let failure, let report):
            note(report)
            fail(failure)
        }
    }

    private var serverTiming = ""

    package func transferBatchEnded() {
        guard !isOver else { return }
        if let action = passage?.batchEnded() { carryOut(action) }
        sink.flush()
    }

    private func carryOut(_ action: AnswerPassage.Action) {
        switch action {
        case .nothing: return
        case .send(let head, let pieces, let isWhole):
            if let head { sendHead(head, wholeBytes: isWhole ? pieces.reduce(0) { $0 + $1.readableBytes } : nil) }
            for piece in pieces {
                record.bytesOut += piece.readableBytes
                sink.sendBody(piece)
            }
            if !pieces.isEmpty { lastSent = .now() }
            if isWhole { complete() }
        case .wrap(let status, let message):
            answer(GatewayError(status, "provider_error", "provider '\(provider?.name ?? "")' \(message)"))
        case .replace(let status, let body):
            // The stream's first event is an error: answered as what it is, so that client libraries can retry.
            transfer?.cancel()
            record.status = status
            record.errorCode = RefusalCause(status: status, body: body).rawValue
            sendWhole(status, body: ByteBuffer(bytes: body), contentType: "application/json")
            finish()
        case .list(let head, let body): filterList(head, body)
        case .breakOff: breakOff(UpstreamFailure(.connectionLost, provider: provider?.name ?? ""))
        }
    }

    private func sendHead(_ head: ResponseHead, wholeBytes: Int?) {
        record.status = head.status
        var headers = HeaderPolicy.response(head.headers, isDecoded: passage?.isDecoded ?? false)
        addOwnHeaders(to: &headers)
        if let wholeBytes, request.method != "HEAD", head.status != 204, head.status != 304 {
            headers.replace("Content-Length", "\(wholeBytes)")
            settleUsage()
            if let cost = record.costNanodollars { headers.add("X-Weir-Cost", dollars(cost)) }
        }
        if passage?.isStream == true {
            headers.replace("X-Accel-Buffering", "no")
            if !headers.contains("Cache-Control") { headers.add("Cache-Control", "no-cache") }
            scheduleKeepAlive()
        }
        sink.sendHead(status: head.status, headers: headers)
    }

    private func addOwnHeaders(to headers: inout HeaderFields) {
        if !headers.contains("X-Request-Id") { headers.add("X-Request-Id", request.id) }
        headers.add("X-Weir-Request-Id", request.id)
        if !serverTiming.isEmpty { headers.add("Server-Timing", serverTiming) }
    }

    private func serverTimingValue(_ firstByte: Duration) -> String {
        let upstream = firstByte.wholeNanoseconds / 1_000
        return "weir;dur=\(milliseconds(max(0, sinceReceived() - upstream))), upstream;dur=\(milliseconds(upstream))"
    }

    /// Answers with an error of our own. Only before anything was sent.
    func answer(_ error: GatewayError) {
        guard !isOver else { return }
        record.status = error.status
        record.errorCode = error.code
        sendWhole(
            error.status, body: ByteBuffer(string: error.body(dialect, requestID: request.id)),
            contentType: "application/json", retryAfter: error.retryAfter)
        finish()
    }

    private func sendWhole(_ status: Int, body: ByteBuffer, contentType: String, retryAfter: Duration? = nil) {
        var headers = HeaderFields([("Content-Type", contentType), ("Content-Length", "\(body.readableBytes)")])
        if let retryAfter { headers.add("Retry-After", RetryAfter.headerValue(retryAfter)) }
        addOwnHeaders(to: &headers)
        record.bytesOut = body.readableBytes
        sink.sendHead(status: status, headers: headers)
        if request.method != "HEAD" { sink.sendBody(body) }
        sink.finish()
        sink.flush()
    }

    private func complete() {
        if let passage, let id = passage.objectID { ownership.remember(id, for: self) }
        sink.finish()
        sink.flush()
        finish()
    }

    /// Of a provider's objects only the tenant's own leave.
    private func filterList(_ head: ResponseHead, _ body: [UInt8]) {
        let (tenant, kind, loop) = (request.principal.tenant, ownership.kind?.rawValue ?? "", sink.eventLoop)
        let accepted = gateway.workers.submit { [gateway] in
            let ids = Result { try gateway.owners.ids(tenant: tenant, kind: kind) }
            loop.execute {
                guard !self.isOver else { return }
                guard case .success(let own) = ids, let filtered = ListFilter.keep(Set(own), in: body) else {
                    return self.answer(GatewayError(502, "bad_answer", "the provider's list could not be read"))
                }
                self.carryOut(.send(head: head, pieces: [ByteBuffer(bytes: filtered)], isWhole: true))
            }
        }
        if !accepted { answer(GatewayError(503, "try_again", "too many requests wait", retryAfter: .seconds(1))) }
    }

    // MARK: Failure

    private func fail(_ failure: UpstreamFailure) {
        if passage?.headWasSent == true { return breakOff(failure) }
        let (status, retryAfter): (Int, Duration?) =
            switch failure.reason {
            case .waitingLineFull, .waitingTimeout, .shuttingDown: (503, .seconds(1))
            case .connectTimeout, .firstByteTimeout, .idleTimeout, .totalTimeout: (504, nil)
            default: (502, nil)
            }
        answer(GatewayError(status, failure.code, failure.message, retryAfter: retryAfter))
    }

    /// The answer has begun and cannot be completed: a stream says so in its own words, anything else is cut.
    private func breakOff(_ failure: UpstreamFailure) {
        record.errorCode = failure.code
        transfer?.cancel()
        if let passage, passage.isStream, passage.mayAddEvent {
            let error = GatewayError(502, failure.code, failure.message)
            sink.sendBody(ByteBuffer(string: error.event(dialect, route: route, requestID: request.id)))
            sink.finish()
        } else {
            sink.abort()
        }
        sink.flush()
        finish()
    }

    /// The client has gone: the provider's work stops at once, and what it did so far is settled.
    package func clientGone() {
        guard !isOver else { return }
        transfer?.cancel()
        record.status = 499
        record.errorCode = "client_gone"
        gateway.metrics.clientsGone.add()
        finish()
    }

    /// A provider that refuses tells why; a key that is to blame rests.
    private func noteRefusal(_ head: ResponseHead) {
        guard head.status >= 400 else { return }
        record.errorCode = RefusalCause(status: head.status, body: []).rawValue
        guard let provider, let keyIndex, RefusalCause(status: head.status, body: []).restsKey else { return }
        let wait = RetryAfter.wait(head.headers, now: .now()) ?? .seconds(5)
        provider.restKey(keyIndex, for: wait, now: .now())
    }

    // MARK: Pace

    /// More may come as soon as the client keeps up.
    private func grant(_ bytes: Int) {
        ungranted += bytes
        if sink.isWritable { clientCaughtUp() }
    }

    package func clientCaughtUp() {
        guard ungranted > 0 else { return }
        let bytes = ungranted
        ungranted = 0
        transfer?.consumed(bytes)
    }

    /// Tells a waiting client that the stream lives while the provider thinks: only between whole events, and only
    /// once the status has gone out.
    private func scheduleKeepAlive() {
        keepAlive?.cancel()
        let silence = MonotonicInstant.now().duration(since: lastSent)
        let wait = max(.milliseconds(100), Limits.streamKeepAlive - silence)
        keepAlive = sink.eventLoop.scheduleTask(in: .nanoseconds(wait.wholeNanoseconds)) { [weak self] in
            guard let self, !self.isOver else { return }
            let silent = MonotonicInstant.now().duration(since: self.lastSent)
            if silent >= Limits.streamKeepAlive, self.passage?.mayAddEvent == true, self.sink.isWritable {
                let event = self.dialect == .anthropic ? "event: ping\ndata: {\"type\": \"ping\"}\n\n" : ": keep-alive\n\n"
                self.sink.sendBody(ByteBuffer(string: event))
                self.sink.flush()
                self.lastSent = .now()
            }
            self.scheduleKeepAlive()
        }
    }

    // MARK: The ledger

    private func note(_ report: TransferReport) {
        record.sends = report.sends
        record.waitMicroseconds = report.waited.wholeNanoseconds / 1_000
        upstreamMicroseconds = (report.waited.wholeNanoseconds + report.took.wholeNanoseconds) / 1_000
    }

    private var upstreamMicroseconds: Int64 = 0

    private func sinceReceived() -> Int64 {
        Int64(MonotonicInstant.now().nanoseconds(since: request.received) / 1_000)
    }

    /// Tokens and cost, from what the provider said or, failing that, an estimate that says so.
    private func settleUsage() {
        guard let passage, route != nil, record.usage == nil else { return }
        record.modelAnswered = passage.model
        if let refusal = passage.refusalCode(status: record.status) { record.errorCode = refusal }
        if passage.endedInError { record.errorCode = "stream_error" }
        if let usage = passage.usage {
            record.usage = usage
        } else if record.status < 400 || record.status == 499, transfer != nil, route != .countTokens,
            route != .responseInputTokens {
            record.usage = TokenUsage(input: estimatedInput, output: passage.estimatedOutput)
            record.isUsageEstimated = true
        }
        let model = record.modelRequested ?? ""
        guard let usage = record.usage else { return }
        record.costNanodollars = configuration.prices.cost(model: model, usage: usage)
            ?? record.modelAnswered.flatMap { configuration.prices.cost(model: $0, usage: usage) }
    }

    private func finish() {
        guard !isOver else { return }
        settleUsage()
        isOver = true
        keepAlive?.cancel()
        gateway.metrics.active.add(-1)
        record.durationMicroseconds = sinceReceived()
        record.overheadMicroseconds = max(0, record.durationMicroseconds - upstreamMicroseconds)
        gateway.metrics.record(record)
        gateway.log.record(record)
        gateway.observe(record)
        transfer = nil
        passage = nil
    }

    /// The tenant's own object, or 404 in the route's dialect: another tenant's is as unknown as one never made.
    private func findOwner(of id: String, then go: @escaping @Sendable (ObjectOwnership.Owner) -> Void) {
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
                    self.answer(GatewayError(503, "try_again", "the ledger cannot be read now", retryAfter: .seconds(1)))
                }
            }
        }
        if !accepted { answer(GatewayError(503, "try_again", "too many requests wait", retryAfter: .seconds(1))) }
    }
}

/// Microseconds as milliseconds with three decimals.
func milliseconds(_ microseconds: Int64) -> String {
    let fraction = String(microseconds % 1_000 + 1_000).dropFirst()
    return "\(microseconds / 1_000).\(fraction)"
}

/// Nanodollars as dollars with nine decimals.
package func dollars(_ nanodollars: Int64) -> String {
    "\(nanodollars / 1_000_000_000).\(String(nanodollars % 1_000_000_000 + 1_000_000_000).dropFirst())"
}
