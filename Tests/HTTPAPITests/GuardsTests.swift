import Base
import Ledger
import NIOHTTP1
import Settings
import Testing

@testable import HTTPAPI

private func facts(_ headers: [(String, String)]) -> RequestFacts {
    RequestFacts(HTTPRequestHead(version: .http1_1, method: .POST, uri: "/v1/x", headers: HTTPHeaders(headers)))
}

private func refusal(_ body: () throws(Rejection) -> Void) -> Int? {
    do throws(Rejection) {
        try body()
        return nil
    } catch {
        return error.status
    }
}

@Suite struct GuardsTests {
    @Test(
        "S2: exactly the loopback names, the listen address and the allowed hosts are served",
        arguments: [
            ("localhost:7411", nil), ("127.0.0.1:7411", nil), ("[::1]:7411", nil), ("LOCALHOST:7411", nil),
            ("weir.internal", nil), ("localhost", 403), ("localhost:7412", 403), ("127.0.0.1.nip.io:7411", 403),
            ("evil.example", 403), ("localhost.:7411", 403), ("weir.internal.", 403), ("", 403), ("127.1:7411", 403),
            ("127.0.0.1:7411@evil.example", 403),
        ] as [(String, Int?)])
    func hosts(_ host: String, _ status: Int?) {
        var server = Settings().server
        server.allowedHosts = ["weir.internal"]
        let hostGuard = HostGuard(server, bound: .tcp(host: "127.0.0.1", port: 7411))
        let request = facts([("Host", host)])
        #expect(refusal { () throws(Rejection) in try hostGuard.check(request) } == status)
    }

    @Test("S2: no Host and two Hosts are bad requests")
    func hostCount() {
        let hostGuard = HostGuard(Settings().server, bound: .tcp(host: "127.0.0.1", port: 7411))
        for headers in [[], [("Host", "localhost:7411"), ("Host", "localhost:7411")]] {
            let request = facts(headers)
            #expect(refusal { () throws(Rejection) in try hostGuard.check(request) } == 400)
        }
    }

    @Test(
        "S3: browsers from elsewhere are refused, allowed sites and the page's own host are not",
        arguments: [
            ([("Origin", "http://localhost:7411")], nil), ([("Origin", "https://app.example.com")], nil),
            ([("Origin", "https://evil.example")], 403), ([("Origin", "null")], 400),
            ([("Sec-Fetch-Site", "cross-site")], 403), ([("Sec-Fetch-Site", "same-site")], 403),
            ([("Sec-Fetch-Site", "same-origin")], nil), ([("Sec-Fetch-Site", "none")], nil),
            ([("Origin", "https://app.example.com"), ("Sec-Fetch-Site", "cross-site")], nil),
            ([("Upgrade", "websocket")], 400),
        ] as [([(String, String)], Int?)])
    func browsers(_ headers: [(String, String)], _ status: Int?) {
        var server = Settings().server
        server.allowedOrigins = ["https://app.example.com"]
        let hostGuard = HostGuard(server, bound: .tcp(host: "127.0.0.1", port: 7411))
        let request = facts([("Host", "localhost:7411")] + headers)
        #expect(refusal { () throws(Rejection) in try hostGuard.check(request) } == status)
    }

    @Test(
        "anonymous is who comes from this host, has no known key and was not forwarded",
        arguments: [
            ([], true, true, nil), ([], false, true, 401), ([], true, false, 401),
            ([("X-Forwarded-For", "1.2.3.4")], true, true, 401),
            ([("Forwarded", "for=1.2.3.4")], true, true, 401), ([("Authorization", "Bearer unknown")], true, true, nil),
            ([("Authorization", "Bearer unknown")], false, true, 401), ([("x-api-key", "unknown")], true, false, 401),
        ] as [([(String, String)], Bool, Bool, Int?)])
    func anonymous(_ headers: [(String, String)], _ isLocal: Bool, _ allowed: Bool, _ status: Int?) {
        let authenticator = Authenticator(ring: KeyRing(), allowsAnonymous: allowed)
        let request = facts(headers)
        var principal: Principal?
        let refused = refusal { () throws(Rejection) in
            principal = try authenticator.identify(request, isLocal: isLocal)
        }
        #expect(refused == status)
        #expect((principal === Principal.anonymous) == (status == nil))
    }

    @Test("a key is read from either dialect's header, whatever the case of the scheme")
    func presentedKey() {
        #expect(facts([("authorization", "bearer abc")]).presentedKey == "abc")
        #expect(facts([("Authorization", "Bearer abc")]).presentedKey == "abc")
        #expect(facts([("X-Api-Key", "abc")]).presentedKey == "abc")
        #expect(facts([("Authorization", "Basic abc")]).presentedKey == nil)
        #expect(facts([]).presentedKey == nil)
    }
}
