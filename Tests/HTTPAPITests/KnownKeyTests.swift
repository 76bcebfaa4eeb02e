import Base
import Ledger
import NIOHTTP1
import Testing

@testable import HTTPAPI

/// Who a request with a key is, from the key's making to its end.
@Suite struct KnownKeyTests {
    private func identify(
        _ authenticator: Authenticator, _ headers: [(String, String)], isLocal: Bool = true
    ) -> String {
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/v1/x", headers: HTTPHeaders(headers))
        do throws(Rejection) {
            return try authenticator.identify(RequestFacts(head), isLocal: isLocal).name
        } catch {
            return "\(error.status)"
        }
    }

    @Test("a known key is itself from anywhere and through any proxy, in either header; revoked it is nobody anywhere")
    func lifeCycle() throws {
        let desk = try ServerDesk()
        let (key, secret) = try desk.keys.create(name: "ci", scopes: [.ai])
        let authenticator = Authenticator(ring: desk.keys.ring, allowsAnonymous: true)
        let forwarded = [("X-Forwarded-For", "1.2.3.4"), ("Forwarded", "for=1.2.3.4")]
        let ways = [
            ("Authorization", "Bearer \(secret)"), ("authorization", "BEARER \(secret)"), ("X-API-Key", secret),
        ]
        for way in ways {
            #expect(identify(authenticator, [way]) == "ci")
            #expect(identify(authenticator, [way] + forwarded, isLocal: false) == "ci")
        }
        #expect(identify(authenticator, [("Authorization", "Bearer \(secret)x")], isLocal: false) == "401")
        #expect(identify(authenticator, [("Authorization", "Basic \(secret)")], isLocal: false) == "401")
        #expect(try desk.keys.revoke(id: key.id))
        for way in ways { #expect(identify(authenticator, [way]) == "401", "not even anonymous") }
    }

    @Test(
        "a proxy's word makes nobody anonymous",
        arguments: [
            "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Anything", "Forwarded", "X-Real-IP",
        ])
    func forwarded(_ name: String) {
        let authenticator = Authenticator(ring: KeyRing(), allowsAnonymous: true)
        #expect(identify(authenticator, [(name, "")]) == "401")
        #expect(identify(authenticator, [("X-Forwarded", "1")]) == "anonymous", "no such header is known")
    }
}
