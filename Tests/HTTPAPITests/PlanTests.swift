import Base
import Gateway
import Ledger
import Logging
import Settings
import Telemetry
import Testing
import Upstream

@testable import HTTPAPI

/// What a request turns out to be, and who may ask for it.
@Suite struct PlanTests {
    /// `ai`, `models`, `passthrough`, `api`, or the status and code of the refusal.
    private func plan(
        _ method: String, _ path: String, as principal: Principal, _ server: ServerContext
    ) -> String {
        let request = InboundRequest(
            id: "req_1", principal: principal, method: method, path: path, query: nil, headers: HeaderFields(),
            received: .now(), time: .now())
        do throws(Rejection) {
            switch try RouteTable.standard.plan(request, server: server) {
            case .ai: return "ai"
            case .models: return "models"
            case .passThrough: return "passthrough"
            case .api(let matched): return "api \(matched.route.pattern)"
            }
        } catch {
            return "\(error.status) \(error.code)"
        }
    }

    private func key(_ scopes: [Scope]) -> Principal {
        Principal(keyID: "key_1", name: "n", tenant: "t", scopes: ScopeSet(scopes))
    }

    private static let guarded: [(method: String, path: String, scope: Scope, plan: String)] =
        AIRoute.allCases.map { ("POST", $0.path, .ai, "ai") } + [
            ("GET", "/v1/models", .ai, "models"), ("GET", "/v1/models/ft:a%2Fb", .ai, "models"),
            ("GET", "/v1/responses/resp_1", .ai, "passthrough"), ("DELETE", "/v1/responses/resp_1", .ai, "passthrough"),
            ("POST", "/v1/responses/resp_1/cancel", .ai, "passthrough"),
            ("GET", "/v1/files", .passthrough, "passthrough"), ("POST", "/v1/batches", .passthrough, "passthrough"),
            ("GET", "/v1/files/file-1/content", .passthrough, "passthrough"),
            ("GET", "/v1/chat/completions", .passthrough, "passthrough"),
            ("PUT", "/v1/new/thing", .passthrough, "passthrough"),
            ("GET", "/status", .admin, "api /status"), ("HEAD", "/status", .admin, "api /status"),
            ("GET", "/config", .admin, "api /config"), ("GET", "/requests", .admin, "api /requests"),
            ("GET", "/savings", .admin, "api /savings"),
            ("GET", "/cache", .admin, "api /cache"), ("DELETE", "/cache", .ai, "api /cache"),
            ("POST", "/cache/import", .admin, "api /cache/import"),
            ("GET", "/keys", .admin, "api /keys"), ("POST", "/keys", .admin, "api /keys"),
            ("DELETE", "/keys/key_1", .admin, "api /keys/{id}"), ("GET", "/metrics", .metrics, "api /metrics"),
        ]

    @Test("each route asks for its one scope; admin has them all, and without a key it is the key that is missing")
    func scopes() throws {
        let desk = try ServerDesk()
        let others: [Scope] = [.ai, .passthrough, .metrics, .queue("*", .put), .agent("*"), .knowledge("*", .read)]
        for route in Self.guarded {
            func plan(_ principal: Principal) -> String {
                self.plan(route.method, route.path, as: principal, desk.server)
            }
            let name = "\(route.method) \(route.path)"
            #expect(plan(key([route.scope])) == route.plan, "\(name)")
            #expect(plan(key([.admin])) == route.plan, "\(name)")
            #expect(plan(key(others.filter { $0 != route.scope })) == "403 scope_missing", "\(name)")
            #expect(plan(key([])) == "403 scope_missing", "\(name)")
            #expect(plan(.anonymous) == (route.scope == .ai ? route.plan : "401 unauthorized"), "\(name)")
        }
    }

    @Test("open routes ask for nothing")
    func open() throws {
        let desk = try ServerDesk()
        for path in ["/", "/health/live", "/health/ready", "/openapi.json"] {
            #expect(plan("GET", path, as: key([]), desk.server) == "api \(path)")
            #expect(plan("HEAD", path, as: .anonymous, desk.server) == "api \(path)")
        }
    }

    @Test(
        "a path under /v1/ that could be read in two ways is refused",
        arguments: [
            "/v1/../keys", "/v1/files/../../keys", "/v1/./files", "/v1//files", "/v1/files/", "/v1/",
            "/v1/files/%2e%2e/x",
            "/v1/files/%2E%2E%2Fkeys", "/v1/a%2fb", "/v1/a%5Cb", "/v1/a\\b", "/v1/a%00", "/v1/f%69les/file-1",
            "/v1/%66iles",
            "/v1/responses/..", "/v1/responses/resp_1/../../files", "/v1/chat/completions/../../files", "/v1/a\u{1}b",
        ])
    func traversal(_ path: String) throws {
        let desk = try ServerDesk()
        for method in ["GET", "POST", "DELETE"] {
            for principal in [key([.ai]), key([.admin]), .anonymous] {
                #expect(plan(method, path, as: principal, desk.server) == "400 bad_path")
            }
        }
    }

    @Test(
        "what is not there is 404, a method that a path does not take is 405",
        arguments: [
            ("GET", "/v1", "404 not_found"), ("GET", "//v1/files", "404 not_found"), ("GET", "/KEYS", "404 not_found"),
            ("GET", "/keys/", "404 not_found"), ("DELETE", "/keys/a%2Fb", "404 not_found"),
            ("DELETE", "/keys/..", "404 not_found"),
            ("GET", "/keys/../status", "404 not_found"), ("GET", "", "404 not_found"), ("GET", "*", "404 not_found"),
            ("GET", "/V1/files", "404 not_found"), ("GET", "/status/x", "404 not_found"),
            ("DELETE", "/status", "405 method_not_allowed"), ("POST", "/metrics", "405 method_not_allowed"),
            ("PUT", "/keys", "405 method_not_allowed"), ("GET", "/keys/key_1", "405 method_not_allowed"),
            ("POST", "/health/live", "405 method_not_allowed"), ("get", "/status", "405 method_not_allowed"),
        ])
    func elsewhere(_ method: String, _ path: String, _ expected: String) throws {
        #expect(plan(method, path, as: key([.admin]), try ServerDesk().server) == expected)
    }

    @Test("an escape is two hexadecimal digits, without a sign", arguments: ["%+5", "%-0", "% 5", "%5+", "%0x"])
    func escapes(_ text: String) {
        #expect(percentDecoded(Substring(text)) == nil)
    }
}
