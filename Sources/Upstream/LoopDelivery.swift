import NIOCore

/// The events of one turn for one event loop.
struct LoopDelivery {
    let eventLoop: any EventLoop
    var events: [(Transfer, TransferEvent)]

    mutating func send() {
        let batch = events
        events = []
        events.reserveCapacity(batch.count)
        eventLoop.execute {
            var last: (any TransferReceiver)?
            for (transfer, event) in batch {
                let receiver = transfer.deliver(event)
                if let last, last !== receiver { last.transferBatchEnded() }
                last = receiver
            }
            last?.transferBatchEnded()
        }
    }
}
