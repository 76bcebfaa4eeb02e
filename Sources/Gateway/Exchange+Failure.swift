import Base
import Ledger
import NIOCore
import Settings
import Telemetry
import Upstream

/// What happens when there is no whole answer.
extension Exchange {
    func fail(_ failure: UpstreamFailure) {
        if passage?.headWasSent == true { return breakOff(failure) }
        if serveFallback() { return }
        let (status, retryAfter): (Int, Duration?) =
            switch failure.reason {
            case .waitingLineFull, .waitingTimeout, .shuttingDown: (503, .seconds(1))
            case .connectTimeout, .firstByteTimeout, .idleTimeout, .totalTimeout: (504, nil)
            default: (502, nil)
            }
        answer(GatewayError(status, failure.code, failure.message, retryAfter: retryAfter))
    }

    /// The answer has begun and cannot be completed: a stream says so in its own words, anything else is cut.
    func breakOff(_ failure: UpstreamFailure) {
        record.errorCode = failure.code
        stopReceiving()
        if let passage, passage.isStream, passage.mayAddEvent {
            let error = GatewayError(502, failure.code, failure.message)
            let event = error.event(dialect, route: route, requestID: request.id, number: passage.nextSequenceNumber)
            sink.sendBody(ByteBuffer(string: event))
            sink.finish()
            sink.flush()
            finish()
        } else {
            // Over before the connection closes: it was not the client that went.
            finish()
            sink.abort()
        }
    }

    /// Whatever the provider still sends is not for this exchange. A call of its own ends with it; a shared one does
    /// when nobody is left.
    func stopReceiving() {
        transfer?.cancel()
        if let flight {
            paysNothing = true  // unless it turns out to be the last
            flight.leave(self)
        }
        flight = nil
    }

    /// The one who paid has left: the answer is billed to this request. False when it has left too.
    func becomePayer() -> Bool {
        guard !isOver else { return false }
        setsPace = true
        if passage != nil { record.cacheResult = .miss }
        return true
    }

    /// The client has gone: the provider's work stops at once, and what it did so far is settled.
    package func clientGone() {
        guard !isOver else { return }
        stopReceiving()
        record.status = 499
        record.errorCode = "client_gone"
        gateway.metrics.clientsGone.add()
        finish()
    }

    /// A provider that refuses tells why; a key that is to blame rests.
    func noteRefusal(_ head: ResponseHead) {
        guard head.status >= 400 else { return }
        record.errorCode = RefusalCause(status: head.status, body: []).rawValue
        retryAfter = RetryAfter.wait(head.headers, now: .now())
        guard let provider, let keyIndex, RefusalCause(status: head.status, body: []).restsKey else { return }
        provider.restKey(keyIndex, for: retryAfter ?? .seconds(5), now: .now())
    }
}
