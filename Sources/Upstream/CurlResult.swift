import Base
internal import CCurl

/// libcurl's result in our words; nil when all went well.
func failureReason(_ result: CURLcode, of active: ActiveTransfer) -> UpstreamFailure.Reason? {
    if let own = active.failure { return own }
    switch result {
    case CURLE_OK: return nil
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT, CURLE_PROXY:
        return .connectFailed
    case CURLE_OPERATION_TIMEDOUT: return active.report.sends == 0 ? .connectTimeout : .totalTimeout
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
        CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
        return .tlsFailed
    case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE, CURLE_HTTP2, CURLE_HTTP2_STREAM:
        return .connectionLost
    // A kept connection died under a streamed body, whose bytes are gone.
    case CURLE_SEND_FAIL_REWIND: return .unknownOutcome
    case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING, CURLE_CHUNK_FAILED:
        return .badAnswer
    // A header line that is too long, for one, is "out of memory" to libcurl.
    default: return active.headIsComplete ? .connectionLost : active.report.sends > 0 ? .badAnswer : .internalError
    }
}

/// libcurl's sentence for the code: it holds no URL and no data.
func failureDetail(_ result: CURLcode) -> String? {
    result == CURLE_OK ? nil : String(cString: curl_easy_strerror(result))
}
