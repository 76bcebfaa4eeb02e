import Base
import Gateway
import Ledger
import Logging
import NIOCore
import NIOHTTP1
import Settings
import Telemetry

/// What happens to a connection beside its requests: backpressure, deadlines, draining, broken HTTP.
extension ConnectionHandler {
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, case .exchange(let exchange) = work { exchange.clientCaughtUp() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is DrainingBegan {
            if inbound == nil && answerIsWhole && !isClosing { context.close(promise: nil) }
            return
        }
        guard let expiry = event as? ConnectionDeadlines.Expiry else {
            return context.fireUserInboundEventTriggered(event)
        }
        switch expiry {
        case _ where isClosing: context.close(promise: nil)
        case .idle, .writeStalled: context.close(promise: nil)
        case .headTooSlow, .bodyTooSlow:
            keepsAlive = false
            if case .exchange = work { return context.close(promise: nil) }
            let late = Rejection(408, "request_timeout", "the request did not come in time")
            if inbound == nil { refuseConnection(late) } else { refuse(late) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        keepsAlive = false
        // What follows a whole request is broken: that request still gets its answer, as the connection's last.
        if isClosing || isAnswering { return }
        guard error is HTTPParserError, !headWasSent else { return context.close(promise: nil) }
        let tooLarge = (error as? HTTPParserError) == .headerOverflow
        refuseConnection(
            tooLarge
                ? Rejection(431, "headers_too_large", "the header fields are too large")
                : Rejection(400, "bad_request", "this is not valid HTTP/1.1"))
    }
}
