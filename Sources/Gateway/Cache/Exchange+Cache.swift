import Base
import Ledger
import NIOCore
import ResponseCache
import Settings
import Upstream

/// The cache's part of the story: an answer that is there already, one that is under way, or a new one to keep.
extension Exchange {
    /// Answers from the cache, joins a flight, or asks the provider.
    func consultCache(_ call: ProviderCall) throws(GatewayError) {
        guard let route, let cache = gateway.cache else {
            askProvider(call, receiver: self)
            return
        }
        let inquiry: CacheInquiry
        let directives: CacheDirectives
        do throws(CacheHeaderError) {
            directives = try CacheDirectives(request.headers)
        } catch {
            throw GatewayError(400, error.code, error.message)
        }
        let scope = CacheScope(
            tenant: request.principal.tenant, namespace: directives.namespace, route: route, target: call.target,
            query: request.query, headers: request.headers)
        let policy = configuration.cachePolicy(of: record.modelRequested ?? call.target.model)
        inquiry = CacheInquiry(call.body, scope, policy, directives)
        switch inquiry.cacheability {
        case .bypass(let reason):
            note(.bypass, reason.rawValue)
            cacheStatus = CacheStatus.bypass(reason.rawValue)
            gateway.cacheMetrics.bypassed(reason)
            if directives.onlyIfCached { throw Self.notCached }
            askProvider(call, receiver: self)
        case .cacheable(let life):
            guard let identity = inquiry.identity else { preconditionFailure("a cacheable request has an identity") }
            part = CachePart(
                identity: identity, family: route.answerFamily, directives: directives, life: life,
                form: call.fields.form(route))
            look(call, cache, directives)
        }
    }

    private func look(_ call: ProviderCall, _ cache: ResponseCache, _ directives: CacheDirectives) {
        guard let identity = part?.identity else { return }
        switch cache.look(identity, directives) {
        case .below(let layers):
            let loop = sink.eventLoop
            let accepted = cache.lookBelow(identity, layers, directives) { finding in
                loop.execute { self.take(finding, call) }
            }
            if !accepted { take(.absent, call) }
        case let finding: take(finding, call)
        }
    }

    private func take(_ finding: CacheFinding, _ call: ProviderCall) {
        guard !isOver else { return }
        let (metrics, part) = (gateway.cacheMetrics, part)  // serving ends this exchange, and its part with it
        guard case .found(let kept, let layer, let usability) = finding else {
            metrics.missed(.absent)
            return miss(call)
        }
        switch usability {
        case .fresh:
            guard serve(kept, CacheResult(layer)) else { break }
            metrics.hit(layer)
            if gateway.cache?.shouldRenew(kept) == true { renew(kept, call, part) }
            return
        case .stale(let refresh):
            guard serve(kept, .stale) else { break }
            metrics.hit(layer)
            if refresh { renew(kept, call, part) }
            return
        case .ifError: self.part?.fallback = kept
        case .unusable: break
        }
        metrics.missed(part?.directives.noCache == true ? .refused : .expired)
        miss(call)
    }

    private static var notCached: GatewayError {
        GatewayError(504, "not_cached", "there is no kept answer, and the request says only-if-cached")
    }

    /// Nothing usable is kept. Whoever asks for a new answer gets one of its own; others share one.
    private func miss(_ call: ProviderCall) {
        guard let part else { return }
        if part.directives.onlyIfCached && part.renews == nil { return answer(Self.notCached) }
        note(part.renews == nil ? .miss : .refresh, nil)
        cacheStatus = part.directives.noCache ? CacheStatus.renewal : CacheStatus.miss
        record.provider = call.target.provider.name  // the flight's recorder asks for it
        let sharesFlights = configuration.sharesFlights && !part.directives.noCache
        let (flight, isNew) = gateway.flights.flight(
            for: part, isStream: call.fields.isStream, exchange: self, isShared: sharesFlights)
        self.flight = flight
        if isNew {
            (leads, setsPace) = (true, true)
            flight.start { self.askProvider(call, receiver: flight) }
        } else {
            // Another one's call renews it: the mark would stay for ever.
            if let old = part.renews { gateway.cache?.endRenewal(old.key) }
            waitingCall = call
            note(.collapsed, nil)
            cacheStatus = CacheStatus.collapsed
            makePassage(call)
            flight.add(self)
        }
    }

    /// The flight cannot serve this caller: its answer comes in another form, or has grown beyond what is recorded.
    func goOn() {
        guard !isOver, let call = waitingCall else { return }
        flight = nil
        waitingCall = nil
        miss(call)
    }

    // MARK: Serving

    /// Sends a kept answer. False when it cannot be put into the caller's form.
    func serve(_ kept: KeptAnswer, _ result: CacheResult) -> Bool {
        guard let part, let cache = gateway.cache, let ready = kept.ready(part.form) else { return false }
        let (facts, now) = (kept.facts, cache.clock.now())
        record.status = 200
        if !wasAsked { record.sends = 0 }
        note(result, nil)
        record.modelAnswered = facts.model
        record.provider = facts.provider
        record.usage = TokenUsage(input: facts.inputTokens, output: facts.outputTokens)
        if result == .collapsed && setsPace {
            note(.miss, nil)  // who began the call has left: it is billed here
            record.costNanodollars = facts.costNanodollars
        } else {
            record.costNanodollars = 0
            record.savedNanodollars = facts.costNanodollars
        }
        record.bytesOut = ready.body.readableBytes
        passage = nil
        var headers = ready.headers
        headers.reserveCapacity(headers.bytes.count + 384)
        let left = (facts.freshUntil.microseconds - now.microseconds) / 1_000_000
        headers.add("Cache-Status", CacheStatus.hit(result, secondsLeft: left))
        headers.add("Age", Int(clamping: max(0, now.microseconds - facts.created.microseconds) / 1_000_000))
        headers.add("X-Weir-Saved", dollars(facts.costNanodollars))
        if part.form != .document {
            headers.add("Cache-Control", "no-cache")
            headers.add("X-Accel-Buffering", "no")
        }
        cacheStatus = ""
        serverTiming = "weir;dur=\(milliseconds(sinceReceived()))"
        addOwnHeaders(to: &headers)
        pauseReading(false)
        sink.sendHead(status: 200, headers: headers)
        sink.sendBody(ready.body)
        sink.finish()
        sink.flush()
        finish()
        return true
    }

    /// A provider that fails is no reason to fail, when there is an answer of yesterday.
    func serveFallback() -> Bool {
        guard passage?.headWasSent != true, let kept = part?.fallback else { return false }
        stopReceiving()
        return serve(kept, .stale)
    }

    /// Fetches a new answer behind one that was just served, unless that is under way.
    private func renew(_ kept: KeptAnswer, _ call: ProviderCall, _ part: CachePart?) {
        guard let part, gateway.cache?.beginRenewal(kept.key) == true else { return }
        var request = request
        request.id += "-renewal"
        request.received = .now()
        request.time = .now()
        let renewal = Exchange(gateway, request, route: route, sink: BackgroundSink(sink.eventLoop))
        renewal.record.modelRequested = record.modelRequested
        renewal.record.isStream = call.fields.isStream
        renewal.part = CachePart(
            identity: part.identity, family: part.family, directives: part.directives, life: part.life,
            form: part.form, renews: kept)
        // Own turn: the answer just served has not left this one yet.
        sink.eventLoop.execute { renewal.miss(call) }
    }

    private func note(_ result: CacheResult, _ detail: String?) {
        record.cacheResult = result
        record.cacheDetail = detail
    }
}

extension CacheResult {
    init(_ layer: CacheLayer) {
        self =
            switch layer {
            case .l1: .l1
            case .l2: .l2
            case .l3: .l3
            }
    }
}
