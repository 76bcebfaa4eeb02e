import Base
import Gateway
import Ledger
import Logging
import NIOCore
import NIOHTTP1
import Settings
import Telemetry

/// What the guards need of a head, gathered in one pass over its fields.
struct RequestFacts {
    var host: String?
    var hostCount = 0
    var origin: String?
    var fetchSite: String?
    var authorization: String?
    var apiKey: String?
    /// A proxy has handled the request: whoever is behind it is not on this host.
    var isForwarded = false
    var contentLength: Int?
    var isChunked = false
    var expectsContinue = false
    var wantsUpgrade = false
    var headerBytes = 0

    init(_ head: HTTPRequestHead) {
        for (name, value) in head.headers {
            headerBytes += name.utf8.count + value.utf8.count + 4
            note(name, value)
        }
        headerBytes += head.uri.utf8.count
    }

    /// Names are told apart by their length first: most fields match none of ours.
    private mutating func note(_ name: String, _ value: String) {
        switch name.utf8.count {
        case 4 where equalIgnoringCase(name, "host"):
            host = value
            hostCount += 1
        case 6:
            if equalIgnoringCase(name, "origin") { origin = value }
            if equalIgnoringCase(name, "expect") { expectsContinue = equalIgnoringCase(value, "100-continue") }
        case 7 where equalIgnoringCase(name, "upgrade"): wantsUpgrade = true
        case 9:
            if equalIgnoringCase(name, "x-api-key") { apiKey = value }
            if equalIgnoringCase(name, "forwarded") || equalIgnoringCase(name, "x-real-ip") { isForwarded = true }
        case 13 where equalIgnoringCase(name, "authorization"): authorization = value
        case 14:
            if equalIgnoringCase(name, "content-length") { contentLength = Int(value) }
            if equalIgnoringCase(name, "sec-fetch-site") { fetchSite = value }
        case 17 where equalIgnoringCase(name, "transfer-encoding"): isChunked = true
        default: break
        }
        if hasPrefixIgnoringCase(name, "x-forwarded-") { isForwarded = true }
    }

    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }

    /// The key the caller presents, in either dialect's way.
    var presentedKey: Substring? {
        if let authorization, authorization.utf8.count > 7, hasPrefixIgnoringCase(authorization, "bearer ") {
            return authorization.dropFirst(7)
        }
        return apiKey.map { Substring($0) }
    }
}
