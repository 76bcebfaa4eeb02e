import Base
import Gateway
import Ledger
import Testing

@testable import HTTPAPI

/// What `DELETE /cache` and its neighbours refuse before they touch the cache. The desk has none: what is understood
/// ends with 404.
@Suite struct CacheRouteTests {
    private func refusal(
        _ method: String, _ path: String, _ body: String = "", scope: Scope = .admin, query: String? = nil
    ) throws -> String {
        let desk = try ServerDesk()
        let request = InboundRequest(
            id: "req_1", principal: Principal(keyID: "k", name: "n", tenant: "team-a", scopes: ScopeSet([scope])),
            method: method, path: path, query: query, headers: HeaderFields(), received: .now(), time: .now())
        guard case .api(let matched) = try RouteTable.standard.plan(request, server: desk.server) else { return "" }
        let call = APICall(server: desk.server, request: request, parameters: [:], body: Array(body.utf8))
        let rejection = #expect(throws: Rejection.self) { try matched.route.handler(call) }
        return "\(rejection?.status ?? 0) \(rejection?.code ?? "")"
    }

    private static let key = String(repeating: "0aF", count: 21) + "9"

    @Test(
        "each way to name what goes is understood",
        arguments: [
            #"{"key":"\#(key)"}"#, #"{"tag":"a"}"#, #"{"collection":"a"}"#, #"{"namespace":"a"}"#,
            #"{"model":"a/b:c"}"#,
            #"{"all":true}"#, #"{"all":true,"tenant":"team-a"}"#, #"{"\u0061ll" : true}"#,
        ])
    func understood(_ body: String) throws {
        for scope in [Scope.admin, .ai] {
            #expect(try refusal("DELETE", "/cache", body, scope: scope) == "404 not_found", "\(body)")
        }
    }

    @Test(
        "nothing, two things or a word that nobody knows remove nothing",
        arguments: [
            ("", "422 invalid_body"), ("{}", "422 invalid_selector"), ("[]", "400 invalid_body"),
            (#"{"all":true"#, "400 invalid_body"), (#"{"all":false}"#, "422 invalid_member"),
            (#"{"all":"true"}"#, "422 invalid_all"), (#"{"all":true,"tag":"a"}"#, "422 invalid_selector"),
            (#"{"tag":"a","tag":"b"}"#, "422 invalid_selector"), (#"{"tags":"a","all":true}"#, "422 invalid_tags"),
            (#"{"tag":"a b"}"#, "422 invalid_tag"), (#"{"tag":7}"#, "422 invalid_member"),
            (#"{"namespace":""}"#, "422 invalid_namespace"), (#"{"tenant":"team-a"}"#, "422 invalid_selector"),
            (#"{"all":true,"tenant":null}"#, "422 invalid_member"), (#"{"tag":true}"#, "422 invalid_tag"),
            (#"{"key":"0aF"}"#, "422 invalid_key"), (#"{"key":"\#(key)00"}"#, "422 invalid_key"),
            (#"{"key":"\#(key.dropLast())+"}"#, "422 invalid_key"),
            (#"{"key":"\#(key.dropLast())é"}"#, "422 invalid_key"),
        ])
    func refused(_ body: String, _ expected: String) throws {
        #expect(try refusal("DELETE", "/cache", body) == expected)
    }

    @Test("only an operator reaches other tenants' answers")
    func tenants() throws {
        #expect(try refusal("DELETE", "/cache", #"{"all":true,"tenant":"team-b"}"#, scope: .ai) == "403 scope_missing")
        #expect(try refusal("DELETE", "/cache", #"{"all":true,"tenant":"team-b"}"#) == "404 not_found")
    }

    @Test(
        "what cannot be imported as a whole is refused as a whole",
        arguments: [
            "", "{}", #"{"lines":[]}"#, #"{"lines":"a"}"#, #"{"lines":[{}]}"#,
            #"{"lines":[\#(Array(repeating: #""""#, count: 257).joined(separator: ","))]}"#,
        ])
    func batches(_ body: String) throws {
        #expect(try refusal("POST", "/cache/import", body) == "422 invalid_lines")
    }

    @Test("names of tenants and namespaces are checked, the rest is understood")
    func names() throws {
        #expect(try refusal("POST", "/cache/import", #"{"lines":[""],"tenant":"a b"}"#) == "422 invalid_name")
        #expect(try refusal("POST", "/cache/import", #"{"lines":[""],"namespace":"/"}"#) == "422 invalid_name")
        #expect(try refusal("POST", "/cache/import", #"{"lines":[""],"namespace":""}"#) == "404 not_found")
        #expect(try refusal("GET", "/cache", query: "recent=5") == "404 not_found")
    }
}
