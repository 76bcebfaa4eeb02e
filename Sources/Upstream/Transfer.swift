package import Base
internal import CCurl
package import NIOCore
import Synchronization

/// What a request carries to the provider.
package enum UpstreamBody: Sendable {
    case none
    /// Sent in this order, without being joined; the total length is known and the body can be sent again.
    case buffers([ByteBuffer])
    /// Pieces come later through `Transfer.feed`; with no length they go out chunked. Cannot be sent again.
    case stream(length: Int?)
}

/// One request to a provider. Header fields go out exactly as given, and nothing is added but `Host`, framing and,
/// for HTTP/1.1, nothing else.
package struct UpstreamRequest: Sendable {
    package var method: String
    package var url: String
    package var headers: HeaderFields
    package var body: UpstreamBody
    /// When a kept connection turns out dead, the request may be sent again on a new one.
    package var mayBeSentTwice: Bool
    /// Undo a content-encoding that the provider applied although it was not asked to.
    package var decodesContent: Bool

    package init(
        method: String, url: String, headers: HeaderFields, body: UpstreamBody, mayBeSentTwice: Bool = true,
        decodesContent: Bool = true
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.mayBeSentTwice = mayBeSentTwice
        self.decodesContent = decodesContent
    }
}

/// How a transfer went; complete when it has ended.
package struct TransferReport: Sendable {
    /// Time in the waiting line.
    package var waited: Duration = .zero
    /// From the start of the transfer (after the wait) to the first byte of the answer.
    package var firstByte: Duration?
    /// How often the request was sent: 2 means that a kept connection was dead and libcurl sent it again.
    package var sends = 0
    /// From the start of the transfer (after the wait) to its end.
    package var took: Duration = .zero
    package var openedConnection = false
    package var bytesReceived = 0

    package init() {}
}

/// What happens to a transfer, in order: one `head`, any number of `body`, then `end`; or `failed` at any point.
package enum TransferEvent: Sendable {
    /// With the time from the start of the transfer to its first byte.
    case head(ResponseHead, firstByte: Duration)
    case body(ByteBuffer)
    /// The provider has taken this many bytes of a streamed upload.
    case uploaded(Int)
    case end(TransferReport)
    case failed(UpstreamFailure, TransferReport)
}

/// Gets a transfer's events on its event loop.
package protocol TransferReceiver: AnyObject, Sendable {
    func transfer(_ transfer: Transfer, received event: TransferEvent)
    /// All events of one batch have been handed over: the moment to flush.
    func transferBatchEnded()
}

/// A running request: the receiver's handle to it. Its methods may be called from the receiver's event loop only.
package final class Transfer: @unchecked Sendable {  // each field is one thread's: the loop's or the upstream's
    package let request: UpstreamRequest
    package let endpoint: Endpoint
    package let eventLoop: any EventLoop
    let pool: UpstreamPool
    let submitted: MonotonicInstant
    /// curl's list of header lines, made on the event loop to keep work off the upstream thread; the upstream thread
    /// frees it.
    var headerLines: UnsafeMutablePointer<curl_slist>?

    /// Bytes handed over and not yet taken; written by both sides.
    let outstanding = Atomic<Int>(0)
    /// The transfer waits until `outstanding` has shrunk.
    let isPaused = Atomic<Bool>(false)

    private(set) var receiver: (any TransferReceiver)?
    private var isOver = false
    /// Everything that only the upstream thread touches.
    var active: ActiveTransfer?

    init(
        _ request: UpstreamRequest, endpoint: Endpoint, pool: UpstreamPool, eventLoop: any EventLoop,
        receiver: any TransferReceiver
    ) {
        self.request = request
        self.endpoint = endpoint
        self.pool = pool
        self.eventLoop = eventLoop
        self.receiver = receiver
        submitted = .now()
        headerLines = makeHeaderLines(request)
    }

    /// The bytes have left (or will, without growing anything): more may come.
    package func consumed(_ bytes: Int) {
        // One side writes `outstanding` and reads `isPaused`, the other the reverse: only a total order lets neither
        // miss the other.
        let left = outstanding.subtract(bytes, ordering: .sequentiallyConsistent).newValue
        guard left <= Limits.streamCreditBytes / 2, isPaused.load(ordering: .sequentiallyConsistent) else { return }
        pool.send(.resume(self))
    }

    /// Gives up: nothing is received any more, and the provider's connection is closed at once unless it is shared.
    package func cancel() {
        guard !isOver else { return }
        isOver = true
        receiver = nil
        pool.send(.cancel(self))
    }

    /// The next piece of a `.stream` body; nil ends it.
    package func feed(_ piece: ByteBuffer?) {
        guard !isOver else { return }
        pool.send(.feed(self, piece))
    }

    /// On the event loop: passes an event on, unless the transfer was cancelled meanwhile.
    func deliver(_ event: TransferEvent) -> (any TransferReceiver)? {
        eventLoop.assertInEventLoop()
        guard !isOver, let receiver else { return nil }
        switch event {
        case .end, .failed:
            isOver = true
            self.receiver = nil
        default: break
        }
        receiver.transfer(self, received: event)
        return receiver
    }
}

/// `Name: value` lines for curl. A name with an empty value needs a semicolon, and headers that curl would add by
/// itself are switched off by a bare `Name:`.
private func makeHeaderLines(_ request: UpstreamRequest) -> UnsafeMutablePointer<curl_slist>? {
    var list: UnsafeMutablePointer<curl_slist>?
    var (hasAccept, hasContentType) = (false, false)
    for (name, value) in request.headers.fields {
        hasAccept = hasAccept || equalIgnoringCase(name, "accept")
        hasContentType = hasContentType || equalIgnoringCase(name, "content-type")
        // libcurl copies the line: it is put together on the stack.
        let length = name.utf8.count + value.utf8.count + 3
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: length) { line in
            var end = 0
            func append(_ byte: UInt8) {
                line[end] = CChar(bitPattern: byte)
                end += 1
            }
            for byte in name.utf8 { append(byte) }
            append(UInt8(ascii: value.isEmpty ? ";" : ":"))
            if !value.isEmpty { append(0x20) }
            for byte in value.utf8 { append(byte) }
            append(0)
            list = curl_slist_append(list, line.baseAddress)
        }
    }
    if !hasAccept { list = curl_slist_append(list, "Accept:") }
    if !hasContentType { list = curl_slist_append(list, "Content-Type:") }
    list = curl_slist_append(list, "Expect:")
    if case .stream(length: nil) = request.body { list = curl_slist_append(list, "Transfer-Encoding: chunked") }
    return list
}
