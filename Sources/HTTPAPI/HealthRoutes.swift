import Base
import Gateway
import Ledger
import Logging
import NIOCore
import Settings
import Telemetry

/// What load balancers and people ask first. No key, no data.
enum HealthRoutes {
    static let all = [
        APIRoute("GET", "/", .open, "A sign of life, with directions") { call in
            .text(
                "Weir \(call.server.version) is running.\nClients: use this address as base URL (OpenAI: with /v1)."
                    + "\nAPI: /openapi.json\n")
        },
        APIRoute("GET", "/health/live", .open, "The process answers") { _ in .json(200, #"{"status":"ok"}"#) },
        APIRoute("GET", "/health/ready", .open, "New requests are welcome; 503 while shutting down") { call in
            call.server.isDraining
                ? .json(503, #"{"status":"draining"}"#) : .json(200, #"{"status":"ok"}"#)
        },
        APIRoute("GET", "/openapi.json", .open, "This API, as OpenAPI 3.1") { call in
            .json(200, OpenAPI.document(call.server.routes, version: call.server.version))
        },
    ]
}
