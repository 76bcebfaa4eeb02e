import Base
internal import CCurl
import NIOCore
import Synchronization

/// A transfer while it has a curl handle. Only the upstream thread touches it; curl's callbacks get it as their
/// user pointer.
final class ActiveTransfer {
    let transfer: Transfer
    let seat: TransferSeat
    var easy: UnsafeMutableRawPointer { seat.easy }
    unowned let owner: CurlLoop
    var body: OutgoingBody
    var deadlines: TransferDeadlines
    var report: TransferReport
    let started: MonotonicInstant
    /// What made one of our callbacks stop the transfer; curl would only say that a callback did.
    var failure: UpstreamFailure.Reason?

    /// The head as it comes in, until its empty line.
    private var headLines: [UInt8] = []
    private(set) var headIsComplete = false
    /// Bytes of the answer that wait for the end of this turn of the loop.
    private var pendingBody: ByteBuffer?
    private var pinned: Unmanaged<AnyObject>?
    private(set) var receivingIsPaused = false
    var sendingIsPaused = false

    init(_ transfer: Transfer, seat: TransferSeat, owner: CurlLoop, now: MonotonicInstant) {
        self.transfer = transfer
        self.seat = seat
        self.owner = owner
        started = now
        body = OutgoingBody(transfer.request.body)
        deadlines = TransferDeadlines(transfer.endpoint, started: now)
        report = TransferReport()
        report.waited = now.duration(since: transfer.submitted)
        headLines.reserveCapacity(512)
    }

    /// A pointer to the bytes that stays valid until `unpin`: the storage is retained, nothing is copied.
    func pin(_ buffer: ByteBuffer) -> UnsafeRawPointer? {
        precondition(pinned == nil, "one body a transfer")
        return buffer.withUnsafeReadableBytesWithStorageManagement { bytes, storage in
            pinned = storage.retain()
            return UnsafeRawPointer(bytes.baseAddress)
        }
    }

    func unpin() {
        pinned?.release()
        pinned = nil
    }

    /// One header line. False when the head is larger than we take.
    func receivedHeaderLine(_ line: UnsafeRawBufferPointer) -> Bool {
        if headIsComplete { return true }  // a trailer: nobody asked for it
        let isEnd = line.count <= 2 && line.allSatisfy { $0 == 0x0D || $0 == 0x0A }
        guard isEnd else {
            headLines.append(contentsOf: line)
            return headLines.count <= Limits.upstreamHeaderBytesMax
        }
        guard let head = headLines.withUnsafeBytes({ ResponseHead(lines: $0) }) else { return false }
        headLines.removeAll(keepingCapacity: true)
        guard head.status >= 200 else { return true }  // 1xx: the real head follows
        noteProgress()
        headIsComplete = true
        owner.emit(.head(head, firstByte: report.firstByte ?? .zero), to: transfer)
        return true
    }

    /// Bytes of the answer. False: hold them back, the client is behind.
    func receivedBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let waiting = transfer.outstanding.load(ordering: .relaxed)
        if transfer.endpoint.httpVersion == .http2 {
            if waiting > Limits.sharedStreamCreditBytes { return false }
        } else if waiting > Limits.streamCreditBytes {
            receivingIsPaused = true
            deadlines.hold()
            transfer.isPaused.store(true, ordering: .sequentiallyConsistent)
            // The client may have caught up between the two lines above: then nobody would wake us.
            let left = transfer.outstanding.load(ordering: .sequentiallyConsistent)
            if left > Limits.streamCreditBytes / 2 { return false }
            transfer.isPaused.store(false, ordering: .relaxed)
            receivingIsPaused = false
        }
        noteProgress()
        report.bytesReceived += bytes.count
        transfer.outstanding.add(bytes.count, ordering: .relaxed)
        if pendingBody == nil {
            pendingBody = ByteBufferAllocator().buffer(capacity: bytes.count)
            owner.noteUnflushed(self)
        }
        pendingBody?.writeBytes(bytes)
        return true
    }

    func flushBody() {
        guard let body = pendingBody else { return }
        pendingBody = nil
        owner.emit(.body(body), to: transfer)
    }

    /// The connection carries this request now and may speak. libcurl tells the socket of the last transfer, which is
    /// nearly always this one's; the local port, which it does know, decides.
    func endSilence(localPort: UInt16) {
        var socket = CURL_SOCKET_BAD
        _ = weir_curl_get_socket(easy, CURLINFO_ACTIVESOCKET, &socket)
        owner.poller.endSilence(localPort: localPort, likely: socket)
    }

    func resumeReceiving() {
        guard receivingIsPaused else { return }
        receivingIsPaused = false
        transfer.isPaused.store(false, ordering: .relaxed)
        deadlines.release(at: owner.now)
        applyPauses()
    }

    /// Tells curl which directions rest. May run callbacks before it returns.
    func applyPauses() {
        let mask = (receivingIsPaused ? CURLPAUSE_RECV : 0) | (sendingIsPaused ? CURLPAUSE_SEND : 0)
        curl_easy_pause(easy, mask)
    }

    private func noteProgress() {
        deadlines.received(at: owner.now)
        if report.firstByte == nil { report.firstByte = owner.now.duration(since: started) }
    }
}
