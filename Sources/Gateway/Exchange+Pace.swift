import Base
import Ledger
import NIOCore
import Settings
import Telemetry
import Upstream

/// Neither side is ever sent more than it takes, and a silent stream shows that it lives.
extension Exchange {
    /// More may come as soon as the client keeps up.
    func grant(_ bytes: Int) {
        ungranted += bytes
        if sink.isWritable { return clientCaughtUp() }
        // The others of a flight do not wait for the slowest.
        guard flight != nil, !setsPace, ungranted > Limits.sharedStreamCreditBytes else { return }
        breakOff(UpstreamFailure(.clientTooSlow, provider: provider?.name ?? ""))
    }

    /// The client takes bytes again: what was held back is granted.
    package func clientCaughtUp() {
        guard ungranted > 0 else { return }
        let bytes = ungranted
        ungranted = 0
        transfer?.consumed(bytes)
        flight?.consumed(bytes, by: self)
    }

    /// Tells a waiting client that the stream lives while the provider thinks: only between whole events, and only
    /// once the status has gone out.
    func scheduleKeepAlive() {
        keepAlive?.cancel()
        let silence = MonotonicInstant.now().duration(since: lastSent)
        let wait = max(.milliseconds(100), Limits.streamKeepAlive - silence)
        keepAlive = sink.eventLoop.scheduleTask(in: .nanoseconds(wait.wholeNanoseconds)) { [weak self] in
            guard let self, !self.isOver else { return }
            let silent = MonotonicInstant.now().duration(since: self.lastSent)
            if silent >= Limits.streamKeepAlive, self.passage?.mayAddEvent == true, self.sink.isWritable {
                let event =
                    self.dialect == .anthropic ? "event: ping\ndata: {\"type\": \"ping\"}\n\n" : ": keep-alive\n\n"
                self.sink.sendBody(ByteBuffer(string: event))
                self.sink.flush()
                self.lastSent = .now()
            }
            self.scheduleKeepAlive()
        }
    }
}
