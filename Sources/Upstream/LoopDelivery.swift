import Base
internal import CCurl
import NIOCore
import Telemetry

/// The events of one turn for one event loop.
struct LoopDelivery {
    let eventLoop: any EventLoop
    var events: [(Transfer, TransferEvent)]

    mutating func send() {
        let batch = events
        events = []
        events.reserveCapacity(batch.count)
        eventLoop.execute {
            // All events first: a head and the body that came with it may stand apart here, and leave together.
            var receivers: [any TransferReceiver] = []
            receivers.reserveCapacity(batch.count)
            for (transfer, event) in batch {
                guard let receiver = transfer.deliver(event), receivers.last !== receiver else { continue }
                receivers.append(receiver)
            }
            for receiver in receivers { receiver.transferBatchEnded() }
        }
    }
}

/// What the upstream thread hands to the event loops.
extension CurlLoop {
    func noteUnflushed(_ active: ActiveTransfer) { unflushed.append(active) }

    func emit(_ event: TransferEvent, to transfer: Transfer) {
        let index = deliveries.firstIndex { $0.eventLoop === transfer.eventLoop }
        if let index {
            deliveries[index].events.append((transfer, event))
        } else {
            deliveries.append(LoopDelivery(eventLoop: transfer.eventLoop, events: [(transfer, event)]))
        }
    }

    func deliver() {
        for active in unflushed { active.flushBody() }
        unflushed.removeAll(keepingCapacity: true)
        for index in deliveries.indices where !deliveries[index].events.isEmpty {
            deliveries[index].send()
        }
    }
}
