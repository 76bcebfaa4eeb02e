import Base
internal import CCurl
import Glibc
import NIOCore

/// What every transfer to this endpoint has in common. Set once a handle.
func configureEasyHandle(
    _ easy: UnsafeMutableRawPointer, seat: TransferSeat, for endpoint: Endpoint, owner: CurlLoop
) {
    func set(_ option: CURLoption, _ value: Int) {
        let result = weir_curl_set_long(easy, option, value)
        precondition(result == CURLE_OK, "libcurl refuses option \(option.rawValue)")
    }
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_FOLLOWLOCATION, 0)
    // The static libcurl is built without netrc and refuses the option: then there is nothing to ignore.
    _ = weir_curl_set_long(easy, CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
    _ = weir_curl_set_string(easy, CURLOPT_PROTOCOLS_STR, endpoint.allowsPlainHTTP ? "http,https" : "https")
    // An empty proxy switches off what curl would take from the environment: only the settings decide.
    _ = weir_curl_set_string(easy, CURLOPT_PROXY, endpoint.proxy ?? "")
    set(CURLOPT_CONNECTTIMEOUT_MS, Int(endpoint.connectTimeout.wholeMilliseconds))
    set(CURLOPT_TCP_KEEPALIVE, 1)
    set(CURLOPT_TCP_NODELAY, 1)
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    // 16 KiB each way: a thousand streams then cost 32 MiB at most.
    set(CURLOPT_BUFFERSIZE, 16 << 10)
    set(CURLOPT_UPLOAD_BUFFERSIZE, 16 << 10)
    set(CURLOPT_MAXAGE_CONN, 90)
    set(CURLOPT_HTTP_TRANSFER_DECODING, 1)
    if endpoint.httpVersion == .http2 {
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        set(CURLOPT_PIPEWAIT, 1)
    } else {
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    }
    if let file = endpoint.caFile ?? CertificateAuthorities.file {
        _ = weir_curl_set_string(easy, CURLOPT_CAINFO, file)
    }
    if endpoint.reusesConnections {
        _ = weir_curl_set_pointer(easy, CURLOPT_SHARE, owner.share)
    } else {
        set(CURLOPT_FRESH_CONNECT, 1)
        set(CURLOPT_FORBID_REUSE, 1)
        set(CURLOPT_SSL_SESSIONID_CACHE, 0)
    }
    installCallbacks(easy, seat: seat, owner: owner)
}

/// Sets everything that belongs to one request; `cleanEasyHandle` undoes it.
func prepareEasyHandle(_ easy: UnsafeMutableRawPointer, for active: ActiveTransfer) {
    let request = active.transfer.request
    _ = weir_curl_set_string(easy, CURLOPT_URL, request.url)
    _ = weir_curl_set_pointer(easy, CURLOPT_HTTPHEADER, active.transfer.headerLines)
    // "" enables every decoder this libcurl has; the Accept-Encoding it would send is overridden by our own header.
    _ = weir_curl_set_string(easy, CURLOPT_ACCEPT_ENCODING, request.decodesContent ? "" : nil)
    setMethodAndBody(easy, active)
}

private func setMethodAndBody(_ easy: UnsafeMutableRawPointer, _ active: ActiveTransfer) {
    let request = active.transfer.request
    _ = weir_curl_set_long(easy, CURLOPT_HTTPGET, 1)
    switch request.body {
    case .none where request.method == "HEAD":
        _ = weir_curl_set_long(easy, CURLOPT_NOBODY, 1)
    case .none where request.method == "POST":
        _ = weir_curl_set_long(easy, CURLOPT_POST, 1)
        _ = weir_curl_set_string(easy, CURLOPT_POSTFIELDS, "")
        _ = weir_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, 0)
    case .none: break
    case .buffers(let buffers) where buffers.count == 1:
        _ = weir_curl_set_long(easy, CURLOPT_POST, 1)
        _ = weir_curl_set_pointer(easy, CURLOPT_POSTFIELDS, active.pin(buffers[0]))
        _ = weir_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, buffers[0].readableBytes)
    case .buffers, .stream:
        _ = weir_curl_set_long(easy, CURLOPT_POST, 1)
        _ = weir_curl_set_pointer(easy, CURLOPT_POSTFIELDS, nil)
        _ = weir_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, active.body.length ?? -1)
    }
    let standard = request.method == "POST" || request.method == "GET" || request.method == "HEAD"
    _ = weir_curl_set_string(easy, CURLOPT_CUSTOMREQUEST, standard ? nil : request.method)
}

/// Nothing of the last request stays: no URL, header, body or pointer.
func cleanEasyHandle(_ easy: UnsafeMutableRawPointer) {
    _ = weir_curl_set_pointer(easy, CURLOPT_HTTPHEADER, nil)
    _ = weir_curl_set_pointer(easy, CURLOPT_POSTFIELDS, nil)
    _ = weir_curl_set_string(easy, CURLOPT_CUSTOMREQUEST, nil)
    _ = weir_curl_set_string(easy, CURLOPT_URL, nil)
}

/// Where this host keeps its certificate authorities: a statically linked libcurl does not know.
enum CertificateAuthorities {
    static let file: String? = {
        if let named = environmentVariable("SSL_CERT_FILE"), !named.isEmpty { return named }
        return [
            "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
            "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
        ].first { access($0, R_OK) == 0 }
    }()
}
