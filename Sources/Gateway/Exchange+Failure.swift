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
        transfer?.cancel()
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
    func noteRefusal(_ head: ResponseHead) {
        guard head.status >= 400 else { return }
        record.errorCode = RefusalCause(status: head.status, body: []).rawValue
        retryAfter = RetryAfter.wait(head.headers, now: .now())
        guard let provider, let keyIndex, RefusalCause(status: head.status, body: []).restsKey else { return }
        provider.restKey(keyIndex, for: retryAfter ?? .seconds(5), now: .now())
    }
}
