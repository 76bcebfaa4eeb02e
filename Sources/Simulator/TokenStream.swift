import Base
import NIOCore

/// Sends one answer in time: it tells what to write now and how long to wait. A pure state machine, driven by the
/// channel's handler. Late steps catch up in one write.
struct TokenStream {
    enum Action: Equatable {
        case send(ByteBuffer)
        case wait(until: MonotonicInstant)
        case end(Ending)
    }

    /// Between bytes that are to be seen one by one.
    static let byteInterval = Duration.microseconds(50)
    /// Between the last byte and a reset, so that the reader has the byte before the reset overtakes it.
    static let resetDelay = Duration.milliseconds(2)
    private static let writeBytesMax = 64 << 10

    private var transfer: Transfer
    private let start: MonotonicInstant
    private var head: ByteBuffer
    private var headAt: MonotonicInstant
    private var step = 0
    private var frames = 0
    private var tailIsSent = false
    private var endsAt: MonotonicInstant?

    init(_ transfer: Transfer, now: MonotonicInstant) {
        self.transfer = transfer
        head = transfer.head
        start = now.advanced(by: transfer.latency)
        headAt = start
    }

    /// What to do at this moment. After `end` it is not asked again.
    mutating func next(now: MonotonicInstant) -> Action {
        if now < start { return .wait(until: start) }
        if transfer.dripsHead, head.readableBytes > 0 { return dripHead(now) }
        var wire = head
        head.clear()
        addDueSteps(now, to: &wire)
        if step == transfer.body.stepEnds.count, !tailIsSent {
            wire.writeImmutableBuffer(transfer.tail)
            tailIsSent = true
        }
        if wire.readableBytes > 0 { return .send(wire) }
        if step < transfer.body.stepEnds.count { return .wait(until: time(of: step)) }
        return end(now)
    }

    private mutating func dripHead(_ now: MonotonicInstant) -> Action {
        guard now >= headAt else { return .wait(until: headAt) }
        headAt = now.advanced(by: Self.byteInterval)
        return head.readSlice(length: 1).map { .send($0) } ?? .end(.close)
    }

    private mutating func addDueSteps(_ now: MonotonicInstant, to wire: inout ByteBuffer) {
        let ends = transfer.body.stepEnds
        while step < ends.count, time(of: step) <= now, wire.readableBytes < Self.writeBytesMax {
            transfer.stamp(frames: ends[step], now: now)
            transfer.addFrames(frames..<ends[step], to: &wire)
            frames = ends[step]
            step += 1
            if transfer.separatesSteps { return }
        }
    }

    /// The opening leaves with the head, the first token after its wait, the close with the last token.
    private func time(of step: Int) -> MonotonicInstant {
        guard step > 0 else { return start }
        let isClosing = step > 1 && step == transfer.body.stepEnds.count - 1
        let tokens = step - (isClosing ? 2 : 1)
        return start.advanced(by: transfer.firstToken + transfer.interval * tokens)
    }

    private mutating func end(_ now: MonotonicInstant) -> Action {
        guard transfer.ending == .reset, transfer.head.readableBytes > 0 else { return .end(transfer.ending) }
        let moment = endsAt ?? now.advanced(by: Self.resetDelay)
        endsAt = moment
        return now < moment ? .wait(until: moment) : .end(.reset)
    }
}
