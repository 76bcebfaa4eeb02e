import Base
import Ledger
import NIOCore
import Settings
import Telemetry
package import Upstream

/// The answer on its way from the provider to the client.
extension Exchange {
    /// Takes in what the provider sends, an event at a time.
    package func transfer(_ transfer: Transfer, received event: TransferEvent) { receive(event) }

    package func transferBatchEnded() { batchEnded() }

    /// The same from a transfer of its own and from a flight.
    func receive(_ event: TransferEvent) {
        guard !isOver else { return }
        switch event {
        case .head(let head, let firstByte):
            if head.status >= 500, serveFallback() { return }
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

    func batchEnded() {
        guard !isOver else { return }
        if let action = passage?.batchEnded() { carryOut(action) }
        sink.flush()
    }

    func carryOut(_ action: AnswerPassage.Action) {
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
            answer(
                GatewayError(
                    status, "provider_error", "provider '\(provider?.name ?? "")' \(message)", retryAfter: retryAfter))
        case .replace(let status, let body):
            // The stream's first event is an error: answered as what it is, so that client libraries can retry.
            stopReceiving()
            record.status = status
            record.errorCode = RefusalCause(status: status, body: body).rawValue
            sendWhole(status, body: ByteBuffer(bytes: body), contentType: "application/json")
            finish()
        case .list(let head, let body): filterList(head, body)
        case .breakOff: breakOff(UpstreamFailure(.connectionLost, provider: provider?.name ?? ""))
        }
    }

    func sendHead(_ head: ResponseHead, wholeBytes: Int?) {
        record.status = head.status
        var headers = HeaderPolicy.response(head.headers, isDecoded: passage?.isDecoded ?? false)
        noteVerdict()
        addOwnHeaders(to: &headers)
        if let wholeBytes, request.method != "HEAD", head.status != 204, head.status != 304 {
            headers.replace("Content-Length", "\(wholeBytes)")
            settleUsage()
            if let cost = record.costNanodollars { headers.add("X-Weir-Cost", dollars(cost)) }
            if let saved = record.savedNanodollars { headers.add("X-Weir-Saved", dollars(saved)) }
        }
        if passage?.isStream == true {
            headers.replace("X-Accel-Buffering", "no")
            if !headers.contains("Cache-Control") { headers.add("Cache-Control", "no-cache") }
            scheduleKeepAlive()
        }
        sink.sendHead(status: head.status, headers: headers)
    }

    func addOwnHeaders(to headers: inout HeaderLines) {
        if !headers.contains("X-Request-Id") { headers.add("X-Request-Id", request.id) }
        // Where Anthropic's clients look for it.
        if dialect == .anthropic, !headers.contains("Request-Id") { headers.add("Request-Id", request.id) }
        headers.add("X-Weir-Request-Id", request.id)
        if !cacheStatus.isEmpty { headers.add("Cache-Status", cacheStatus) }
        if !serverTiming.isEmpty { headers.add("Server-Timing", serverTiming) }
    }

    /// What became of a document that was asked for; of a stream it is not known yet.
    private func noteVerdict() {
        guard leads, record.cacheResult == .miss, let verdict = flight?.verdict else { return }
        switch verdict {
        case .kept: cacheStatus += "; stored"
        case .discarded(let reason):
            cacheStatus += "; detail=\(reason)"
            record.cacheDetail = reason
        }
    }

    func serverTimingValue(_ firstByte: Duration) -> String {
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

    func sendWhole(_ status: Int, body: ByteBuffer, contentType: String, retryAfter: Duration? = nil) {
        pauseReading(false)
        var headers = HeaderLines([("Content-Type", contentType), ("Content-Length", "\(body.readableBytes)")])
        if let retryAfter { headers.add("Retry-After", RetryAfter.headerValue(retryAfter)) }
        addOwnHeaders(to: &headers)
        record.bytesOut = body.readableBytes
        sink.sendHead(status: status, headers: headers)
        sink.sendBody(body)
        sink.finish()
        sink.flush()
    }

    func complete() {
        pauseReading(false)
        if let passage, let id = passage.objectID { ownership.remember(id, files: passage.writtenFileIDs, for: self) }
        sink.finish()
        sink.flush()
        finish()
    }

    /// Of a provider's objects only the tenant's own leave.
    func filterList(_ head: ResponseHead, _ body: [UInt8]) {
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
}
