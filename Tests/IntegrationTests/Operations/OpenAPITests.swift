import Base
import Testing

/// API9: `/openapi.json` and the router say the same.
@Suite struct OpenAPITests {
    private static let methods = ["get", "post", "put", "delete", "patch"]

    /// The paths a caller might try: what the documents promise now or later, and near misses.
    private static let candidates = [
        "/", "/health", "/health/live", "/health/ready", "/openapi.json", "/metrics", "/status", "/config", "/keys",
        "/keys/x",
        "/requests", "/requests/x", "/admin", "/flags", "/flags/x", "/alerts", "/backups", "/cache", "/savings",
        "/queues",
        "/queues/q", "/queues/q/messages", "/topics/t/messages", "/agents", "/agents/a", "/collections",
        "/collections/c",
        "/collections/c/search", "/debug", "/debug/pprof", "/v1", "/favicon.ico", "/robots.txt", "/.env", "/keys/",
        "//keys",
        "/Keys", "/metrics/", "/status.json", "/simulator/calls", "/.well-known/agent-card.json",
    ]

    private func document(_ server: WeirServer) throws -> JSON {
        let answer = try server.client(key: nil).get("/openapi.json")
        guard answer.status == 200 else { throw HarnessFailure(answer.text) }
        return try answer.json()
    }

    /// An answer that means: no such route, or not with this method.
    private func isUnknown(_ answer: Response) -> Bool {
        answer.status == 405 || answer.status == 404 && answer.text.contains("there is no such route")
    }

    @Test("API9: what is listed answers, in every method that is listed")
    func listedAnswers() throws {
        let rig = try Rig()
        let document = try document(rig.server)
        #expect(document["openapi"].string == "3.1.0")
        #expect(document["paths"].keys.count >= 15)
        for path in document["paths"].keys {
            for method in document["paths"][path].keys.intersection(Self.methods) {
                let target = path.replacing("{id}", with: "x")
                let answer = try rig.client.request(method.uppercased(), target, body: method == "post" ? "{}" : nil)
                #expect(!isUnknown(answer), "\(method) \(path): \(answer.status)")
                #expect(
                    answer.status != 401 && answer.status != 403 && answer.status < 500,
                    "\(method) \(path): \(answer.text)")
                let operation = document["paths"][path][method]
                #expect(operation["summary"].string?.isEmpty == false, "\(method) \(path)")
                let takesBody = method == "post" || (method, path) == ("delete", "/cache")
                #expect(operation["requestBody"].isNull != takesBody, "\(method) \(path)")
                #expect(operation["parameters"].elements.count == (path.contains("{id}") ? 1 : 0), "\(method) \(path)")
            }
        }
    }

    @Test("API9: what is not listed does not answer; a listed path takes no further method")
    func unlistedDoesNot() throws {
        let server = try WeirServer.start()
        let paths = try document(server)["paths"]
        for path in Self.candidates {
            let listed = paths[path.replacing("/keys/x", with: "/keys/{id}")].keys
            for method in Self.methods where !listed.contains(method) {
                let answer = try server.client.request(method.uppercased(), path, body: method == "get" ? nil : "{}")
                #expect(
                    isUnknown(answer) || [404, 405].contains(answer.status),
                    "\(method) \(path): \(answer.status) \(answer.text)")
            }
        }
    }

    @Test("API9: the AI routes of both dialects and the list of models are listed")
    func providerRoutes() throws {
        let server = try WeirServer.start()
        let paths = try document(server)["paths"]
        for path in [
            "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/responses/input_tokens",
            "/v1/messages", "/v1/messages/count_tokens",
        ] { #expect(!paths[path]["post"].isNull, "\(path)") }
        for path in ["/v1/models", "/v1/models/{id}"] { #expect(!paths[path]["get"].isNull, "\(path)") }
    }
}
