import Base
import Gateway
import Ledger
import NIOCore
import NIOHTTP1
import Settings
import Telemetry

/// Answers of our own, and the end of a request.
extension ConnectionHandler {
    /// Answers with an error in the shape of the route. When a body was still to come, the connection closes after it.
    func refuse(_ rejection: Rejection) {
        guard !answerIsWhole || inbound == nil else { return }
        server.noteRejection()
        if !requestIsWhole { keepsAlive = false }
        if case .exchange(let exchange) = work { exchange.clientGone() }
        work = .refused
        send(.failure(rejection, for: inbound))
    }

    /// The same where no request has begun: too slow, not HTTP, or one connection too many.
    func refuseConnection(_ rejection: Rejection) {
        (requestIsWhole, answerIsWhole, inbound) = (false, false, nil)
        refuse(rejection)
    }

    /// One whole answer of our own.
    func send(_ answer: APIAnswer) {
        guard context != nil, !headWasSent else { return }
        var headers = HeaderLines(answer.headers)
        headers.add("Content-Type", answer.contentType)
        headers.add("Content-Length", answer.body.utf8.count)
        if let inbound { headers.add("X-Request-Id", inbound.id) }
        sendHead(status: answer.status, headers: headers)
        sendBody(ByteBuffer(string: answer.body))
        finish()
        flush()
    }

    /// The request is over when both sides of it are.
    func settle() {
        guard answerIsWhole, !isClosing else { return }
        work = .none
        inbound = nil
        headWasSent = false
    }

    /// Closes once what was written has gone out. The client may still be sending: reading on for a moment keeps the
    /// kernel from resetting the connection before the answer is read.
    func close(after written: EventLoopFuture<Void>) {
        isClosing = true
        guard let channel = context?.channel else { return }
        let pause = requestIsWhole ? TimeAmount.zero : .milliseconds(250)
        written.whenComplete { _ in channel.eventLoop.scheduleTask(in: pause) { channel.close(promise: nil) } }
    }
}

/// What an exchange writes to: the connection's side of an answer.
extension ConnectionHandler: ResponseSink {
    var eventLoop: any EventLoop {
        guard let loop else { preconditionFailure("the handler was never added") }
        return loop
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func sendHead(status: Int, headers: HeaderLines) {
        headWasSent = true
        if version == .http1_0 && !headers.contains("content-length") { keepsAlive = false }
        writer.begin(
            status: status, version: version, headers: headers, isHead: inbound?.method == "HEAD",
            keepsAlive: keepsAlive)
    }

    func sendBody(_ bytes: ByteBuffer) { writer.body(bytes) }

    func finish() {
        guard let context, !answerIsWhole else { return }
        answerIsWhole = true
        writer.end()
        clock.deadlines.answered(now: .now())
        if !keepsAlive || !requestIsWhole || server.isDraining {
            let written = context.eventLoop.makePromise(of: Void.self)
            close(after: written.futureResult)
            send(written)
        }
        settle()
        // In a turn of its own: what finished this request is still on the stack.
        if !waitingParts.isEmpty { context.eventLoop.execute { self.takeParts() } }
    }

    func abort() {
        answerIsWhole = true
        context?.close(promise: nil)
    }

    func flush() { if !writer.isEmpty { send(nil) } }

    private func send(_ written: EventLoopPromise<Void>?) {
        guard let context else { return written?.fail(ChannelError.ioOnClosedChannel) ?? () }
        let pieces = writer.take()
        for (index, piece) in pieces.enumerated() {
            context.write(wrapOutboundOut(piece), promise: index == pieces.count - 1 ? written : nil)
        }
        if pieces.isEmpty { written?.succeed() }
        context.flush()
    }

    func pauseReading(_ pause: Bool) {
        guard let context else { return }
        if pause { clock.deadlines.answering() } else if !requestIsWhole { clock.deadlines.bodyResumed(now: .now()) }
        context.channel.setOption(.autoRead, value: !pause).whenFailure { _ in
            // The channel is gone: there is nothing left to read.
        }
    }
}
