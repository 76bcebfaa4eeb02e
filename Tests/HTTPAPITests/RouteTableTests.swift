import Base
import Gateway
import Ledger
import Testing

@testable import HTTPAPI

@Suite struct RouteTableTests {
    private func request(_ method: String, _ path: String, _ scopes: [Scope]) -> InboundRequest {
        InboundRequest(
            id: "req_1", principal: Principal(keyID: "key_1", name: "n", tenant: "t", scopes: ScopeSet(scopes)),
            method: method, path: path, query: nil, headers: HeaderFields(), received: .now(), time: .now())
    }

    @Test(
        "percent escapes are resolved, and what is cut short or no UTF-8 is refused",
        arguments: [
            ("plain", "plain"), ("a%2Fb", "a/b"), ("%E2%82%AC", "€"), ("%", nil), ("%4", nil), ("%zz", nil),
            ("%ff", nil),
        ] as [(String, String?)])
    func escapes(_ text: String, _ expected: String?) {
        #expect(percentDecoded(Substring(text)) == expected)
    }

    @Test(
        "only the sign of life, the health checks and the API's description need no key",
        arguments: [
            ("/", true), ("/health/live", true), ("/health/ready", true), ("/openapi.json", true), ("/status", false),
            ("/metrics", false), ("/keys", false), ("/v1/models", false), ("/requests", false), ("/config", false),
            ("/healthy", false),
        ])
    func openPaths(_ path: String, _ isOpen: Bool) {
        #expect(RouteTable.isOpen(path) == isOpen)
    }

    @Test("the description lists every route of the table and every AI route")
    func openAPI() {
        let text = OpenAPI.document(.standard, version: "1").text
        for route in RouteTable.standard.routes { #expect(text.contains("\"\(route.pattern)\""), "\(route.pattern)") }
        for route in AIRoute.allCases { #expect(text.contains("\"\(route.path)\""), "\(route.path)") }
    }

    @Test("an error under /v1/ has the dialect of its route, elsewhere it is a problem document")
    func failureShapes() {
        let rejection = Rejection(403, "scope_missing", "no")
        let openAI = APIAnswer.failure(rejection, for: request("POST", "/v1/chat/completions", []))
        #expect(openAI.body.hasPrefix(#"{"error":{"message":"no","type":"permission_error""#))
        let anthropic = APIAnswer.failure(rejection, for: request("POST", "/v1/messages", []))
        #expect(anthropic.body.hasPrefix(#"{"type":"error","error":{"type":"permission_error""#))
        let problem = APIAnswer.failure(rejection, for: request("GET", "/keys", []))
        #expect(problem.contentType == "application/problem+json")
        #expect(problem.body.contains(#""status":403"#) && problem.body.contains(#""detail":"no""#))
    }

    @Test("ids of requests are unique and of one length")
    func requestIDs() {
        let ids = RequestIDs()
        let made = (0..<1_000).map { _ in ids.next() }
        #expect(Set(made).count == 1_000)
        #expect(Set(made.map(\.utf8.count)) == [24])
        #expect(made[998] < made[999])
    }
}
