import Base
import NIOCore
import NIOPosix
import Synchronization
import Telemetry
import Testing

@testable import Upstream

/// One pool for all tests, as in a process.
enum SharedPool {
    static let registry = MetricRegistry()
    static let pool = UpstreamPool(metrics: registry)
}

/// Starts one transfer and hands its events to the test's thread.
final class TransferProbe: TransferReceiver, @unchecked Sendable {  // `transfer` is set before a test reads it
    private(set) var transfer: Transfer!
    private let events = Mailbox<TransferEvent>(capacity: 100_000)
    private let consumes: Bool
    private let batches = Atomic<Int>(0)
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    /// - Parameter consumes: takes every byte at once, as a quick client does.
    init(_ request: UpstreamRequest, _ endpoint: Endpoint, pool: UpstreamPool = SharedPool.pool, consumes: Bool = true)
        throws
    {
        self.consumes = consumes
        transfer = try loop.submit { pool.start(request, endpoint: endpoint, eventLoop: self.loop, receiver: self) }
            .wait()
    }

    func transfer(_ transfer: Transfer, received event: TransferEvent) {
        if consumes, case .body(let bytes) = event { transfer.consumed(bytes.readableBytes) }
        _ = events.offer(event)
    }

    func transferBatchEnded() { batches.add(1, ordering: .relaxed) }

    var batchCount: Int { batches.load(ordering: .relaxed) }

    /// Runs on the transfer's event loop, as its owner would.
    func onLoop(_ body: @escaping @Sendable (Transfer) -> Void) throws {
        try loop.submit { body(self.transfer) }.wait()
    }

    /// The events that have come, waiting for one at least; empty when none comes in time.
    func next() -> [TransferEvent] {
        let deadline = MonotonicInstant.now().advanced(by: .seconds(20))
        while MonotonicInstant.now() < deadline {
            if let some = events.take(waiting: .seconds(20)), !some.isEmpty { return some }
        }
        return []
    }

    /// Everything that has not been taken yet, up to the end.
    func outcome() -> Outcome {
        var outcome = Outcome()
        while outcome.report == nil {
            let some = next()
            if some.isEmpty { return outcome }
            for event in some { outcome.add(event) }
        }
        return outcome
    }

    /// An end or a failure is among the events that have come and were not taken.
    var isOver: Bool {
        (events.take(waiting: .zero) ?? []).contains { event in
            switch event {
            case .end, .failed: true
            default: false
            }
        }
    }
}

/// What came of a transfer.
struct Outcome {
    var head: ResponseHead?
    var body: [UInt8] = []
    var uploaded = 0
    var failure: UpstreamFailure?
    var report: TransferReport?

    mutating func add(_ event: TransferEvent) {
        switch event {
        case .head(let head, _):
            #expect(self.head == nil && report == nil, "one head, first")
            self.head = head
        case .body(let bytes):
            #expect(head != nil && report == nil, "a body follows its head")
            body += bytes.readableBytesView
        case .uploaded(let count): uploaded += count
        case .end(let report): self.report = report
        case .failed(let failure, let report):
            self.failure = failure
            self.report = report
        }
    }

    var text: String { String(decoding: body, as: UTF8.self) }
}

func request(
    _ url: String, method: String = "POST", headers: [(name: String, value: String)] = [],
    body: UpstreamBody = .buffers([ByteBuffer(string: "{}")]), twice: Bool = true
) -> UpstreamRequest {
    UpstreamRequest(method: method, url: url, headers: HeaderFields(headers), body: body, mayBeSentTwice: twice)
}

/// A seed for one random test, printed so that a failure can be repeated with WEIR_TEST_SEED.
func testSeed(_ test: String = #function) -> UInt64 {
    let seed = environmentVariable("WEIR_TEST_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    print("\(test): seed \(seed)")
    return seed
}

/// A signal from a server's script to the test.
final class Flag: Sendable {
    private let mailbox = Mailbox<Void>(capacity: 1)
    func raise() { mailbox.close() }
    /// False when nobody raised it in time.
    @discardableResult
    func wait() -> Bool { mailbox.take(waiting: .seconds(20)) == nil }
}
