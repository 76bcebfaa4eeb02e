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
        var headers = HeaderFields(answer.headers)
        headers.add("Content-Type", answer.contentType)
        headers.add("Content-Length", "\(answer.body.utf8.count)")
        if let inbound { headers.add("X-Request-Id", inbound.id) }
        sendHead(status: answer.status, headers: headers)
        if inbound?.method != "HEAD" { sendBody(ByteBuffer(string: answer.body)) }
        finish()
        flush()
    }

    /// The request is over when both sides of it are.
    func settle() {
        guard answerIsWhole, !isClosing else { return }
        work = .none
        inbound = nil
        headWasSent = false
        if let channel = context?.channel { server.connectionIsIdle(channel, true) }
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

    func sendHead(status: Int, headers: HeaderFields) {
        guard let context else { return }
        headWasSent = true
        var fields = HTTPHeaders(headers.fields)
        if version == .http1_0 && !headers.contains("content-length") { keepsAlive = false }
        if !keepsAlive { fields.add(name: "Connection", value: "close") }
        let head = HTTPResponseHead(
            version: version == .http1_0 ? .http1_0 : .http1_1, status: HTTPResponseStatus(statusCode: status),
            headers: fields)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
    }

    func sendBody(_ bytes: ByteBuffer) {
        context?.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
    }

    func finish() {
        guard let context, !answerIsWhole else { return }
        answerIsWhole = true
        clock.deadlines.answered(now: .now())
        // Without a request the pipeline expects no end of an answer: its length has told the client.
        guard inbound != nil else {
            context.flush()
            return close(after: context.eventLoop.makeSucceededVoidFuture())
        }
        let closes = !keepsAlive || !requestIsWhole || server.isDraining
        let written = closes ? context.eventLoop.makePromise(of: Void.self) : nil
        // Before the end is written: it lets the next pipelined request in, which is then dropped.
        if let written { close(after: written.futureResult) }
        context.write(wrapOutboundOut(.end(nil)), promise: written)
        if closes { context.flush() }
        settle()
    }

    func abort() {
        answerIsWhole = true
        context?.close(promise: nil)
    }

    func flush() { context?.flush() }

    func pauseReading(_ pause: Bool) {
        guard let context else { return }
        if pause { clock.deadlines.answering() } else if !requestIsWhole { clock.deadlines.bodyResumed(now: .now()) }
        context.channel.setOption(.autoRead, value: !pause).whenFailure { _ in
            // The channel is gone: there is nothing left to read.
        }
    }
}
