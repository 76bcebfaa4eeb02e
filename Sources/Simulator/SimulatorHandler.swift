import Base
import Glibc
import NIOCore
import NIOHTTP1

/// One connection: collects a request, asks the provider, writes the answer. Answers are raw bytes, for half of what
/// the simulator is for is what no encoder would write. While one answer is under way nothing more is read.
final class SimulatorHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A longer body is hashed to its end and answered with 413.
    private static let bodyBytesMax = 64 << 20
    /// Parts of requests that came before their turn: one read holds no more.
    private static let waitingPartsMax = 4_096

    private let provider: Provider
    private var context: ChannelHandlerContext?
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()
    private var bodyBytes = 0
    private var hash = FNV1a()
    private var stream: TokenStream?
    private var timer: NIOScheduledCallback?
    private var waiting: CircularBuffer<HTTPServerRequestPart> = []
    private var readIsHeld = false
    private var isEnding = false

    init(_ provider: Provider) { self.provider = provider }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { provider.counters.connectionOpened() }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        provider.counters.connectionOpened()
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        if stream != nil { provider.counters.streamEnded(cancelled: true) }
        stream = nil
        waiting.removeAll()
        provider.counters.connectionClosed()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError, stream == nil {
            let text = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            context.write(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            closeAfterWrites(context)
        } else {
            context.close(promise: nil)
        }
    }

    func read(context: ChannelHandlerContext) {
        if stream == nil { context.read() } else { readIsHeld = true }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard stream == nil, waiting.isEmpty else {
            waiting.append(part)
            if waiting.count > Self.waitingPartsMax { context.close(promise: nil) }
            return
        }
        take(part, context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { pump() }
        context.fireChannelWritabilityChanged()
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        guard !isEnding else { return }
        switch part {
        case .head(let head):
            self.head = head
            body = ByteBuffer()
            bodyBytes = 0
            hash = FNV1a()
            if head.headers.first(name: "expect")?.lowercased() == "100-continue" {
                let go = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")
                context.writeAndFlush(wrapOutboundOut(go), promise: nil)
            }
        case .body(var bytes):
            bodyBytes += bytes.readableBytes
            bytes.withUnsafeReadableBytes { hash.add($0) }
            if body.readableBytes == 0 {
                body = bytes.slice()
            } else if bodyBytes <= Self.bodyBytesMax {
                body.writeBuffer(&bytes)
            }
        case .end: answer(context)
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        guard let head else { return }
        self.head = nil
        let terms = ConnectionTerms(keepAlive: head.isKeepAlive, chunks: head.version != .http1_0)
        let method = head.method.rawValue
        if let transfer = provider.control(method: method, uri: head.uri, terms) {
            begin(transfer, context)
            return
        }
        let (path, id) = RoutePath.find(head.uri)
        var request = SimulatedRequest(
            method: method, path: path, id: id, uri: head.uri, headers: head.headers, body: body,
            bodyBytes: bodyBytes, bodyHash: hash.value)
        body = ByteBuffer()
        request.number = provider.counters.begin(request)
        begin(provider.transfer(for: request, terms), context)
    }

    private func begin(_ transfer: Transfer, _ context: ChannelHandlerContext) {
        if transfer.isImmediate {
            let ending = transfer.ending
            context.writeAndFlush(wrapOutboundOut(transfer.wholeWire()), promise: nil)
            if ending == .close { closeAfterWrites(context) }
            return
        }
        provider.counters.streamBegan()
        stream = TokenStream(transfer, now: .now())
        pump()
    }

    /// Writes what is due, for as long as the socket takes it, then waits for the next moment.
    private func pump() {
        guard let context else { return }
        timer?.cancel()
        timer = nil
        while stream != nil, context.channel.isWritable {
            switch stream?.next(now: .now()) {
            case .send(let bytes): context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
            case .wait(let moment):
                wake(at: moment, context)
                return
            case .end(let ending):
                finish(ending, context)
                return
            case nil: return
            }
        }
    }

    private func wake(at moment: MonotonicInstant, _ context: ChannelHandlerContext) {
        let loop = context.eventLoop
        let wake = Wake(handler: NIOLoopBound(self, eventLoop: loop))
        let nanoseconds = UInt64(min(moment.nanoseconds, UInt64(Int64.max)))
        timer = try? loop.scheduleCallback(at: .uptimeNanoseconds(nanoseconds), handler: wake)
        // A loop that takes no timer is shutting down.
        if timer == nil { context.close(promise: nil) }
    }

    private struct Wake: NIOScheduledCallbackHandler, Sendable {
        let handler: NIOLoopBound<SimulatorHandler>
        func handleScheduledCallback(eventLoop: some EventLoop) { handler.value.pump() }
    }

    private func finish(_ ending: Ending, _ context: ChannelHandlerContext) {
        if ending == .stall { return }
        stream = nil
        provider.counters.streamEnded(cancelled: false)
        switch ending {
        case .close: closeAfterWrites(context)
        case .reset: reset(context)
        case .keepAlive, .stall: takeWaiting(context)
        }
    }

    /// The requests that came while an answer was under way.
    private func takeWaiting(_ context: ChannelHandlerContext) {
        while stream == nil, let part = waiting.popFirst() { take(part, context) }
        if stream == nil, readIsHeld {
            readIsHeld = false
            context.read()
        }
    }

    private func closeAfterWrites(_ context: ChannelHandlerContext) {
        isEnding = true
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            bound.value.close(promise: nil)
        }
    }

    /// With a linger of zero the kernel sends RST in place of FIN.
    private func reset(_ context: ChannelHandlerContext) {
        isEnding = true
        if let socket = context.channel as? any SocketOptionProvider {
            _ = socket.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        }
        context.close(promise: nil)
    }
}
