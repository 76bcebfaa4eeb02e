internal import Base
internal import Synchronization

/// Many streams at once, each on a connection of its own, read by a few threads with `poll`. Every token tells when it
/// was sent; the time at which it is read less that is its delay.
struct StreamLoad: Sendable {
    var port: Int
    var request: [UInt8]
    var streams: Int
    var tokensPerStream: Int
    /// Streams start evenly over this time, so that their tokens are not all due at one moment.
    var startsOver: Duration
    /// Tokens that are read earlier than this after the first start are not measured: streams still start.
    var settlesAfter: Duration
    /// When it all must be over.
    var atMost: Duration

    /// Few enough connections a thread that looking at all of them costs little.
    private static let streamsPerThread = 125
    private static let threadsMax = 8

    /// Delays in milliseconds of all tokens that were measured.
    /// - Throws: when a stream failed, was cut or lacked a token.
    func run() throws -> [Double] {
        precondition(streams > 0 && tokensPerStream > 0)
        let threads = min(Self.threadsMax, (streams + Self.streamsPerThread - 1) / Self.streamsPerThread)
        let start = MonotonicInstant.now()
        let box = ResultBox()
        let started = (0..<threads).map { thread in
            OSThread.start("bench-read-\(thread)") {
                let numbers = Array(stride(from: thread, to: streams, by: threads))
                box.add(Result { try StreamReader(self, numbers, start: start).run() })
            }
        }
        for thread in started { thread.join() }
        return try box.results.flatMap { try $0.get() }
    }

    /// When the stream of this number is due.
    func startTime(_ number: Int, _ start: MonotonicInstant) -> MonotonicInstant {
        start.advanced(by: startsOver * number / streams)
    }

    private final class ResultBox: Sendable {
        private let collected = Mutex<[Result<[Double], any Error>]>([])
        func add(_ result: Result<[Double], any Error>) { collected.withLock { $0.append(result) } }
        var results: [Result<[Double], any Error>] { collected.withLock { $0 } }
    }
}
