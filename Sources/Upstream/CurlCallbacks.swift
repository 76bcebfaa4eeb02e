import Base
internal import CCurl
import Glibc

/// What libcurl calls while it works on a transfer. All run on the upstream thread, inside `curl_multi_socket_action`
/// or `curl_easy_pause`; the user pointer is the handle's seat, which lives as long as the handle.
func installCallbacks(_ easy: UnsafeMutableRawPointer, seat: TransferSeat, owner: CurlLoop) {
    let user = Unmanaged.passUnretained(seat).toOpaque()
    for option in [
        CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_READDATA, CURLOPT_SEEKDATA, CURLOPT_PREREQDATA, CURLOPT_PRIVATE,
    ] { _ = weir_curl_set_pointer(easy, option, user) }
    _ = weir_curl_set_data_callback(easy, CURLOPT_WRITEFUNCTION, onBody)
    _ = weir_curl_set_data_callback(easy, CURLOPT_HEADERFUNCTION, onHeaderLine)
    _ = weir_curl_set_data_callback(easy, CURLOPT_READFUNCTION, onRead)
    _ = weir_curl_set_seek_callback(easy, onSeek)
    _ = weir_curl_set_prereq_callback(easy, onRequestStarts)
    _ = weir_curl_set_close_socket_callback(easy, onSocketCloses)
    _ = weir_curl_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(owner).toOpaque())
}

/// Which transfer a curl handle works on. The handle's callbacks find it here, so that they are set once a handle and
/// not once a request.
final class TransferSeat {
    let easy: UnsafeMutableRawPointer
    var active: ActiveTransfer?

    init(_ easy: UnsafeMutableRawPointer) { self.easy = easy }

    static func of(_ user: UnsafeMutableRawPointer?) -> ActiveTransfer {
        guard let user, let active = Unmanaged<TransferSeat>.fromOpaque(user).takeUnretainedValue().active else {
            preconditionFailure("a callback without its transfer")
        }
        return active
    }
}

private func active(_ user: UnsafeMutableRawPointer?) -> ActiveTransfer { TransferSeat.of(user) }

private let onBody: weir_curl_data_callback = { bytes, size, count, user in
    let transfer = active(user)
    let length = size * count
    guard length > 0 else { return 0 }
    if transfer.receivedBody(UnsafeRawBufferPointer(start: bytes, count: length)) { return length }
    guard transfer.transfer.endpoint.httpVersion == .http1_1 else {
        // curl 7.88 has one receive window a connection: a paused stream would stop all that share it.
        transfer.failure = .clientTooSlow
        return 0
    }
    return Int(CURL_WRITEFUNC_PAUSE)
}

private let onHeaderLine: weir_curl_data_callback = { bytes, size, count, user in
    let transfer = active(user)
    if transfer.receivedHeaderLine(UnsafeRawBufferPointer(start: bytes, count: size * count)) { return size * count }
    transfer.failure = .badAnswer
    return 0
}

private let onRead: weir_curl_data_callback = { target, size, count, user in
    let transfer = active(user)
    switch transfer.body.read(into: UnsafeMutableRawBufferPointer(start: target, count: size * count)) {
    case .bytes(let read):
        if case .stream = transfer.transfer.request.body {
            transfer.owner.emit(.uploaded(read), to: transfer.transfer)
        }
        return read
    case .waitForMore:
        transfer.sendingIsPaused = true
        return Int(CURL_READFUNC_PAUSE)
    case .end: return 0
    }
}

/// curl rewinds the body before it sends a request again.
private let onSeek: weir_curl_seek_callback = { user, offset, origin in
    guard offset == 0, origin == SEEK_SET else { return CURL_SEEKFUNC_CANTSEEK }
    return active(user).body.rewind() ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
}

/// Called when a connection is ready and the request is about to be written: once, or again when libcurl found a kept
/// connection dead and repeats the request. The second time is the moment to refuse what must not be done twice.
private let onRequestStarts: weir_curl_prereq_callback = { user, _, _, _, localPort in
    let transfer = active(user)
    transfer.endSilence(localPort: UInt16(truncatingIfNeeded: localPort))
    transfer.report.sends += 1
    if transfer.report.sends > 1 && !transfer.transfer.request.mayBeSentTwice {
        transfer.failure = .unknownOutcome
        return CURL_PREREQFUNC_ABORT
    }
    return CURL_PREREQFUNC_OK
}

private let onSocketCloses: weir_curl_close_socket_callback = { owner, descriptor in
    if let owner { Unmanaged<CurlLoop>.fromOpaque(owner).takeUnretainedValue().poller.forget(descriptor) }
    return close(descriptor)
}
