import Base
import FoundationEssentials
import Gateway
import Ledger
import Logging
import NIOCore
import Settings
import Telemetry

/// Keys: made, listed, revoked. The secret is shown once, when it is made.
enum KeyRoutes {
    static let all = [
        APIRoute("GET", "/keys", .guarded(.admin), "All keys, without their secrets") { call in
            .json(200, .object([("keys", .array(try call.server.keys.list(tenant: call.query("tenant")).map(\.json)))]))
        },
        APIRoute("POST", "/keys", .guarded(.admin), "Makes a key; its secret is in this answer only", create),
        APIRoute("DELETE", "/keys/{id}", .guarded(.admin), "Revokes a key for good") { call in
            guard let id = call.parameters["id"], try call.server.keys.revoke(id: id) else {
                throw Rejection(404, "not_found", "there is no such key; see GET /keys")
            }
            return .json(200, .object([("id", .string(id)), ("revoked", true)]))
        },
    ]

    private struct Creation: Decodable {
        var name: String
        var tenant: String?
        var scopes: [String]?
        var budget: String?
        var rate: String?
    }

    private static func create(_ call: APICall) throws -> APIAnswer {
        let wanted: Creation
        do {
            wanted = try JSONDecoder().decode(Creation.self, from: Data(call.body))
        } catch {
            throw Rejection(400, "invalid_body", #"send {"name":"…"}, and if you like "tenant" and "scopes" (texts)"#)
        }
        guard wanted.budget == nil, wanted.rate == nil else {
            throw Rejection(422, "not_supported", "budgets and rates are not offered yet: leave them out")
        }
        let scopes = try (wanted.scopes ?? ["ai"]).map { text in
            guard let scope = Scope(text) else {
                throw Rejection(422, "invalid_scope", "'\(text.prefix(100))' is no scope; see the README's list")
            }
            return scope
        }
        let (key, secret) = try call.server.keys.create(
            name: wanted.name, tenant: wanted.tenant ?? wanted.name, scopes: scopes)
        guard case .object(let members) = key.json else { preconditionFailure("a key is an object") }
        return .json(201, .object(members + [("key", .string(secret))]))
    }
}
