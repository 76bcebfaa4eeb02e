import Base
import Gateway
import Ledger
import Logging
import NIOCore
import Settings
import Telemetry

/// The deadlines of one connection, shared by the handler that sees bytes and the one that sees requests.
final class ConnectionClock: @unchecked Sendable {  // confined to the connection's event loop
    var deadlines: ConnectionDeadlines

    init(_ limits: Settings.Server, now: MonotonicInstant) { deadlines = ConnectionDeadlines(limits, now: now) }
}

/// Ends connections whose clients are too slow. One timer a connection, set again only when it fires: a busy
/// connection pays a comparison, not a timer, for each request.
final class DeadlineHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let clock: ConnectionClock
    private var timer: Scheduled<Void>?
    private var armedFor = MonotonicInstant.distantFuture

    init(_ clock: ConnectionClock) { self.clock = clock }

    func channelActive(context: ChannelHandlerContext) {
        arm(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        clock.deadlines.received(now: .now())
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if clock.deadlines.next.at < armedFor { arm(context) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        clock.deadlines.writable(context.channel.isWritable, now: .now())
        if clock.deadlines.next.at < armedFor { arm(context) }
        context.fireChannelWritabilityChanged()
    }

    private func arm(_ context: ChannelHandlerContext) {
        timer?.cancel()
        let now = MonotonicInstant.now()
        armedFor = min(clock.deadlines.next.at, now.advanced(by: clock.deadlines.lookAgain))
        let wait = armedFor.nanoseconds(since: now)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(Int64(wait))) {
            self.armedFor = .distantFuture
            let (at, expiry) = self.clock.deadlines.next
            if at <= .now() {
                context.fireUserInboundEventTriggered(expiry)
            } else {
                self.arm(context)
            }
        }
    }
}
