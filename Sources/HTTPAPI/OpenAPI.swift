import Base
import Gateway
import Ledger
import Logging
import NIOCore
import Settings
import Telemetry

/// `GET /openapi.json`: the route table as OpenAPI 3.1. It is made from the table the router uses, so the two cannot
/// differ.
enum OpenAPI {
    static func document(_ table: RouteTable, version: String) -> JSONValue {
        var paths: [(String, [(String, JSONValue)])] = []
        func add(_ path: String, _ method: String, _ operation: JSONValue) {
            let entry = (method.lowercased(), operation)
            if let index = paths.firstIndex(where: { $0.0 == path }) {
                paths[index].1.append(entry)
            } else {
                paths.append((path, [entry]))
            }
        }
        for route in table.routes { add(route.pattern, route.method, operation(route)) }
        for route in AIRoute.allCases {
            add(
                route.path, "POST",
                operation(
                    "The provider's own \(route.path), passed on unchanged", scope: "ai", parameters: [], hasBody: true)
            )
        }
        add(
            "/v1/models", "GET",
            operation("Aliases and the providers' models", scope: "ai", parameters: [], hasBody: false))
        add("/v1/models/{id}", "GET", operation("One of them", scope: "ai", parameters: ["id"], hasBody: false))
        return .object([
            ("openapi", "3.1.0"),
            (
                "info",
                .object([
                    ("title", "Weir"), ("version", .string(version)),
                    ("description", "An AI gateway in one binary. Under /v1/ the providers' own APIs apply."),
                ])
            ),
            ("paths", .object(paths.map { ($0.0, .object($0.1)) })),
            (
                "components",
                .object([
                    (
                        "securitySchemes",
                        .object([
                            ("bearer", .object([("type", "http"), ("scheme", "bearer")])),
                            ("apiKey", .object([("type", "apiKey"), ("in", "header"), ("name", "x-api-key")])),
                        ])
                    )
                ])
            ),
        ])
    }

    private static func operation(_ route: APIRoute) -> JSONValue {
        let names = route.pattern.split(separator: "/").filter { $0.first == "{" }.map {
            String($0.dropFirst().dropLast())
        }
        var scope: String?
        if case .guarded(let needed) = route.kind { scope = needed.description }
        return operation(route.summary, scope: scope, parameters: names, hasBody: route.takesBody)
    }

    private static func operation(_ summary: String, scope: String?, parameters: [String], hasBody: Bool) -> JSONValue {
        var members: [(String, JSONValue)] = [("summary", .string(summary))]
        if !parameters.isEmpty {
            members.append(
                (
                    "parameters",
                    .array(
                        parameters.map { name in
                            .object([
                                ("name", .string(name)), ("in", "path"), ("required", true),
                                ("schema", .object([("type", "string")])),
                            ])
                        })
                ))
        }
        if hasBody {
            members.append(
                (
                    "requestBody",
                    .object([
                        ("required", true),
                        (
                            "content",
                            .object([("application/json", .object([("schema", .object([("type", "object")]))]))])
                        ),
                    ])
                ))
        }
        members.append(
            (
                "responses",
                .object([
                    ("2XX", .object([("description", "Done")])),
                    ("4XX", .object([("description", "Refused, and why")])),
                ])
            ))
        members.append(
            (
                "security",
                .array(
                    scope == nil
                        ? []
                        : [
                            .object([("bearer", .array([]))]), .object([("apiKey", .array([]))]),
                        ])
            ))
        if let scope { members.append(("x-weir-scope", .string(scope))) }
        return .object(members)
    }
}
