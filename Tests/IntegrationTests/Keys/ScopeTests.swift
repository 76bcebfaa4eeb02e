import Base
import Testing

/// S11: every route against every kind of key. What is not allowed by name is denied.
@Suite struct ScopeTests {
    /// The scope each route asks for; nil: none.
    private static let routes: [(method: String, path: String, scope: String?)] = [
        ("GET", "/", nil), ("GET", "/health/live", nil), ("GET", "/health/ready", nil), ("GET", "/openapi.json", nil),
        ("GET", "/status", "admin"), ("GET", "/config", "admin"), ("GET", "/keys", "admin"), ("POST", "/keys", "admin"),
        ("DELETE", "/keys/key_0000000000000000", "admin"), ("GET", "/requests", "admin"),
        ("GET", "/savings", "admin"),
        ("GET", "/metrics", "metrics"),
        ("POST", "/v1/chat/completions", "ai"), ("POST", "/v1/completions", "ai"), ("POST", "/v1/embeddings", "ai"),
        ("POST", "/v1/responses", "ai"), ("POST", "/v1/responses/input_tokens", "ai"), ("POST", "/v1/messages", "ai"),
        ("POST", "/v1/messages/count_tokens", "ai"), ("GET", "/v1/models", "ai"), ("GET", "/v1/models/gpt-4o", "ai"),
        ("GET", "/v1/responses/resp_1", "ai"), ("DELETE", "/v1/responses/resp_1", "ai"),
        ("POST", "/v1/responses/resp_1/cancel", "ai"), ("GET", "/v1/responses/resp_1/input_items", "ai"),
        ("GET", "/v1/files", "passthrough"), ("POST", "/v1/files", "passthrough"),
        ("GET", "/v1/files/file-1", "passthrough"),
        ("DELETE", "/v1/files/file-1", "passthrough"), ("GET", "/v1/files/file-1/content", "passthrough"),
        ("GET", "/v1/batches", "passthrough"), ("POST", "/v1/batches", "passthrough"),
        ("POST", "/v1/batches/batch_1/cancel", "passthrough"), ("POST", "/v1/images/generations", "passthrough"),
        ("POST", "/v1/audio/speech", "passthrough"), ("GET", "/v1/fine_tuning/jobs", "passthrough"),
        ("PUT", "/v1/chat/completions", "passthrough"), ("DELETE", "/v1/models/ft:x", "passthrough"),
        ("GET", "/v1/organization/admin_api_keys", "passthrough"),
    ]
    private static let roles = [
        "ai", "passthrough", "metrics", "admin", "queue:*:put", "queue:*:take", "agent:*", "knowledge:*:read",
        "knowledge:*:write",
    ]

    private static func isAllowed(_ role: String, _ scope: String?) -> Bool {
        scope == nil || role == "admin" || role == scope
    }

    @Test("S11: each scope opens its own routes and none of the others; admin opens all")
    func matrix() throws {
        let rig = try Rig("[auth]\nadmin-key = \"env:ADMIN_KEY\"\nanonymous = \"none\"\n")
        for role in Self.roles {
            let client = rig.server.client(key: try rig.server.createKey("key", tenant: "t", scopes: [role]))
            for (method, path, scope) in Self.routes {
                let answer = try client.request(method, path, body: method == "POST" ? "{}" : nil)
                let isDenied = answer.status == 401 || answer.status == 403
                #expect(
                    isDenied != Self.isAllowed(role, scope),
                    "\(role): \(method) \(path): \(answer.status) \(answer.text)")
                if isDenied {
                    #expect(answer.status == 403)
                    #expect(answer.text.contains("scope"))
                }
            }
        }
    }

    @Test(
        "S11: without a key every route that wants one is 401, anonymous or not; an unknown route tells nothing either")
    func withoutKey() throws {
        for (anonymous, openScope) in [("none", nil), ("loopback", "ai" as String?)] {
            let rig = try Rig("[auth]\nadmin-key = \"env:ADMIN_KEY\"\nanonymous = \"\(anonymous)\"\n")
            let client = rig.server.client(key: nil)
            for (method, path, scope) in Self.routes {
                let answer = try client.request(method, path, body: method == "POST" ? "{}" : nil)
                let isOpen = scope == nil || scope == openScope
                #expect((answer.status == 401) != isOpen, "\(anonymous): \(method) \(path): \(answer.status)")
            }
        }
        let closed = try WeirServer.start("[auth]\nadmin-key = \"env:ADMIN_KEY\"\nanonymous = \"none\"\n")
        #expect(try closed.client(key: nil).get("/no/such/route").status == 401)
        #expect(try closed.client.get("/no/such/route").status == 404)
    }

    @Test("S11: the scopes in /openapi.json are those that are asked for")
    func documentedScopes() throws {
        let server = try WeirServer.start()
        let paths = try server.client.get("/openapi.json").json()["paths"]
        for (method, path, scope) in Self.routes {
            let template = path.replacing("key_0000000000000000", with: "{id}").replacing("gpt-4o", with: "{id}")
            let operation = paths[template][method.lowercased()]
            guard !operation.isNull else { continue }
            #expect(operation["x-weir-scope"].string == scope, "\(method) \(path)")
            #expect(operation["security"].elements.isEmpty == (scope == nil), "\(method) \(path)")
        }
    }

    @Test("S11: the control socket is admin without a key, and takes any Host")
    func controlSocket() throws {
        let server = try WeirServer.start()
        let connection = try Connection(unixPath: "\(server.dataFolder)/control.sock")
        #expect(try connection.request("GET", "/keys").status == 200)
        #expect(try connection.request("GET", "/status").status == 200)
        #expect(mode("\(server.dataFolder)/control.sock") == 0o600)
    }
}
