import Base
import Ledger
import NIOCore
import ResponseCache
import Settings
package import Upstream

/// One call of a provider, recorded, and all who wait for its answer. Whoever joins gets what has come so far and then
/// follows; whoever leaves does not end it unless it is the last. Lives on its leader's event loop; followers on other
/// loops get their events in batches there.
package final class Flight: TransferReceiver, @unchecked Sendable {  // confined to `loop`; what is `let` may be read
    let identity: CacheIdentity
    private let isStream: Bool
    private let loop: any EventLoop
    private let gateway: Gateway
    private let recorder: FlightRecorder

    private var transfer: Transfer?
    /// Those who take the events as they come.
    private var followers: [Exchange]
    /// The provider's call is billed to this one, and its client's pace counts.
    private var payer: Exchange?
    /// Those who need another form of the answer than the one that comes, and wait for the whole.
    private var waiters: [Exchange] = []
    /// What has happened, for those who join later; empty once it is too much to record.
    private var log: [TransferEvent] = []
    /// What the followers on other loops have not got yet.
    private var unsent: [TransferEvent] = []
    /// The last event has come: nobody's leaving stops anything now.
    private var hasEnded = false
    private var isOver = false
    /// The answer as it was kept, or why it was not. Known before the end of a document is passed on.
    private(set) var verdict: FlightRecorder.Verdict?

    init(_ part: CachePart, isStream: Bool, leader: Exchange) {
        identity = part.identity
        self.isStream = isStream
        loop = leader.sink.eventLoop
        gateway = leader.gateway
        followers = [leader]
        payer = leader
        recorder = FlightRecorder(part, leader)
    }

    /// - Parameter begin: starts the transfer with this as its receiver.
    func start(_ begin: () -> Transfer?) {
        transfer = begin()
        if transfer == nil { conclude() }
    }

    // MARK: Joining and leaving

    /// Called on the exchange's loop.
    func add(_ exchange: Exchange) {
        let wantsStream = exchange.record.isStream
        if loop.inEventLoop { admit(exchange, wantsStream) } else { loop.execute { self.admit(exchange, wantsStream) } }
    }

    private func admit(_ exchange: Exchange, _ wantsStream: Bool) {
        if wantsStream == isStream, recorder.isRecording {
            // One who joins after the end gets all of it, the end included.
            if !isOver { followers.append(exchange) }
            deliver(log, to: exchange)
        } else if isOver || !recorder.isRecording {
            tell(exchange) { $0.goOn() }
        } else {
            waiters.append(exchange)
        }
    }

    /// Called on the exchange's loop. The last one out ends the provider's work.
    func leave(_ exchange: Exchange) {
        if loop.inEventLoop { dismiss(exchange) } else { loop.execute { self.dismiss(exchange) } }
    }

    private func dismiss(_ exchange: Exchange) {
        followers.removeAll { $0 === exchange }
        waiters.removeAll { $0 === exchange }
        // Whoever leaves others behind pays nothing; one on another loop cannot wait to be told and never does.
        let pays = payer === exchange && exchange.sink.eventLoop === loop
        if hasEnded || isOver || (followers.isEmpty && waiters.isEmpty) {
            if pays { exchange.paysNothing = false }
            guard !hasEnded, !isOver else { return }
            transfer?.cancel()
            return conclude()
        }
        if payer === exchange { passBill() }
    }

    /// The next one pays, unless it has left too: then the one after it.
    private func passBill() {
        payer = followers.first ?? waiters.first
        guard let next = payer else { return }
        tell(next) { next in
            if next.becomePayer() { return }
            self.loop.execute { if self.payer === next { self.refuseBill(next) } }
        }
    }

    private func refuseBill(_ exchange: Exchange) {
        followers.removeAll { $0 === exchange }
        waiters.removeAll { $0 === exchange }
        if !hasEnded, !isOver { passBill() }
    }

    /// The client has taken bytes: they count only for what is no longer recorded, and only the payer's pace does.
    func consumed(_ bytes: Int, by exchange: Exchange) {
        guard loop.inEventLoop else { return loop.execute { self.consumed(bytes, by: exchange) } }
        if !recorder.isRecording, payer === exchange { transfer?.consumed(bytes) }
    }

    // MARK: What the provider sends

    /// Records the event and passes it on to everyone who follows.
    package func transfer(_ transfer: Transfer, received event: TransferEvent) {
        guard !isOver else { return }
        switch event {
        case .end: hasEnded = true
        case .failed:
            hasEnded = true
            gateway.flights.remove(self)  // who tries again at once gets a call of its own
        default: break
        }
        let wasRecording = recorder.isRecording
        recorder.note(event)
        if case .body(let bytes) = event, recorder.isRecording { transfer.consumed(bytes.readableBytes) }
        if case .end = event, recorder.settlesAtOnce {
            verdict = recorder.settle(gateway)
            // Before anyone sees the end: who asks after it finds what was kept, or asks anew.
            gateway.flights.remove(self)
        }
        if recorder.isRecording { log.append(event) } else if wasRecording { stopRecording() }
        var hasRemote = false
        for follower in followers {
            if follower.sink.eventLoop === loop { follower.receive(event) } else { hasRemote = true }
        }
        if hasRemote { unsent.append(event) }
        switch event {
        case .end: settle()
        case .failed:
            for waiter in waiters { tell(waiter) { $0.receive(event) } }
            conclude()
        default: break
        }
    }

    package func transferBatchEnded() {
        let batch = unsent
        unsent = []
        for follower in followers {
            if follower.sink.eventLoop === loop {
                follower.batchEnded()
            } else if !batch.isEmpty {
                deliver(batch, to: follower)
            }
        }
        if hasEnded { followers = [] }
    }

    private func deliver(_ events: [TransferEvent], to exchange: Exchange) {
        tell(exchange) { exchange in
            for event in events { exchange.receive(event) }
            exchange.batchEnded()
        }
    }

    private func tell(_ exchange: Exchange, _ message: @escaping @Sendable (Exchange) -> Void) {
        if exchange.sink.eventLoop === loop {
            message(exchange)
        } else {
            exchange.sink.eventLoop.execute { message(exchange) }
        }
    }

    /// Too large to keep: those who follow go on following, nobody joins any more.
    private func stopRecording() {
        log = []
        gateway.flights.remove(self)
        let left = waiters
        waiters = []
        for waiter in left { tell(waiter) { $0.goOn() } }
    }

    // MARK: The end

    /// Keeps the answer: at once when it was small, else on a worker, because reading a long stream takes its time.
    private func settle() {
        if verdict != nil || !recorder.isRecording { return conclude() }
        let accepted = gateway.workers.submit { [recorder, gateway] in
            let verdict = recorder.settle(gateway)
            self.loop.execute {
                self.verdict = verdict
                self.conclude()
            }
        }
        if !accepted { conclude() }
    }

    private func conclude() {
        isOver = true
        payer = nil
        gateway.flights.remove(self)
        recorder.close(gateway, verdict)
        let left = waiters
        waiters = []
        let kept = verdict?.kept
        for waiter in left {
            let events = recorder.isError ? log : []
            tell(waiter) { exchange in
                if !events.isEmpty {
                    for event in events { exchange.receive(event) }
                    exchange.batchEnded()
                } else if kept.map({ exchange.serve($0, .collapsed) }) != true {
                    exchange.goOn()
                }
            }
        }
        transfer = nil
    }
}
