internal import Base
internal import Glibc

/// The streams of one thread.
final class StreamReader {
    private static let bufferBytes = 64 << 10

    private let load: StreamLoad
    private let start: MonotonicInstant
    private let deadline: MonotonicInstant
    private let measuredFrom: MonotonicInstant
    /// Numbers of the streams that have not started, the next one last.
    private var waiting: [Int]
    private var streams: [OneStream] = []
    /// As long as `streams`; a stream that has ended has descriptor -1, which poll passes over.
    private var polled: [pollfd] = []
    private var open = 0
    private var delays: [Double] = []
    private var payload: [UInt8] = []
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 16)

    init(_ load: StreamLoad, _ numbers: [Int], start: MonotonicInstant) {
        self.load = load
        self.start = start
        deadline = start.advanced(by: load.atMost)
        measuredFrom = start.advanced(by: load.settlesAfter)
        waiting = numbers.reversed()
        delays.reserveCapacity(numbers.count * load.tokensPerStream)
    }

    deinit { buffer.deallocate() }

    func run() throws -> [Double] {
        while open > 0 || !waiting.isEmpty {
            let now = MonotonicInstant.now()
            guard now < deadline else {
                throw BenchmarkFailure.wrongAnswers("\(open + waiting.count) streams had not ended in time")
            }
            let pause = try startDue(now)
            guard poll(&polled, nfds_t(polled.count), pause) >= 0 || errno == EINTR else {
                throw SystemFailure("wait for streams", errorNumber: errno)
            }
            for index in polled.indices where polled[index].revents != 0 && polled[index].fd >= 0 { try read(index) }
        }
        return delays
    }

    /// - Returns: milliseconds until the next stream is due, at most 100.
    private func startDue(_ now: MonotonicInstant) throws -> Int32 {
        while let number = waiting.last {
            let due = load.startTime(number, start)
            guard due <= now else { return Int32(min(100, due.nanoseconds(since: now) / 1_000_000 + 1)) }
            waiting.removeLast()
            let socket = try PlainSocket(.tcp(host: "127.0.0.1", port: load.port), timeout: .seconds(10))
            try socket.send(load.request)
            streams.append(OneStream(socket))
            polled.append(pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0))
            open += 1
        }
        return 100
    }

    private func read(_ index: Int) throws {
        let stream = streams[index]
        guard let count = try stream.socket.receive(into: buffer) else { return }
        let now = MonotonicInstant.now()
        guard count > 0 else { throw PlainClientFailure.cutShort }
        let isMeasured = now >= measuredFrom
        try stream.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count]), &payload) { sent in
            guard isMeasured else { return }
            delays.append(Double(now.nanoseconds(since: MonotonicInstant(nanoseconds: sent))) / 1e6)
        }
        guard stream.decoder.isComplete else { return }
        try stream.check(tokens: load.tokensPerStream, payload)
        polled[index].fd = -1
        open -= 1
    }
}

/// One stream under way.
private final class OneStream {
    let socket: PlainSocket
    private(set) var decoder = AnswerDecoder()
    private var stamps = TokenStamps()
    private var tokens = 0

    init(_ socket: PlainSocket) { self.socket = socket }

    /// - Parameter payload: room that is used again and again; holds the bytes' payload afterwards.
    func feed(_ bytes: UnsafeRawBufferPointer, _ payload: inout [UInt8], _ found: (UInt64) -> Void) throws {
        payload.removeAll(keepingCapacity: true)
        _ = try decoder.feed(bytes, into: &payload)
        var count = 0
        payload.withUnsafeBufferPointer { payload in
            stamps.feed(payload) { sent in
                count += 1
                found(sent)
            }
        }
        tokens += count
    }

    /// The stream has ended: was it whole?
    func check(tokens expected: Int, _ payload: [UInt8]) throws(BenchmarkFailure) {
        guard decoder.status == 200, tokens == expected else {
            let text = String(decoding: payload.prefix(200), as: UTF8.self)
            throw .wrongAnswers("status \(decoder.status), \(tokens) of \(expected) tokens: \(text)")
        }
    }
}
