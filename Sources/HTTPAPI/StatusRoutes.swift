import Base
import Gateway
import Ledger
import Logging
import NIOCore
import Settings
import Telemetry

/// How the server is doing.
enum StatusRoutes {
    static let all = [
        APIRoute("GET", "/status", .guarded(.admin), "Version, uptime, traffic, providers") { call in
            .json(200, try status(call.server))
        },
        APIRoute("GET", "/metrics", .guarded(.metrics), "All metrics in the Prometheus text format") { call in
            .text(call.server.metrics.prometheusText(), type: "text/plain; version=0.0.4; charset=utf-8")
        },
        APIRoute("GET", "/config", .guarded(.admin), "The settings in force, secrets masked") { call in
            .json(200, call.server.configText)
        },
    ]

    private static func status(_ server: ServerContext) throws -> JSONValue {
        try server.log.flush()
        let day = UnixTime(microseconds: UnixTime.now().microseconds - 86_400_000_000)
        let models = try server.log.summary(since: day)
        let providers = server.gateway.providerStatus(now: .now()).map { provider in
            JSONValue.object([
                ("name", .string(provider.name)), ("dialect", .string(provider.dialect)),
                ("keys", JSONValue(provider.keys)),
            ])
        }
        return .object([
            ("version", .string(server.version)), ("startedAt", .string(server.startedAt.iso8601)),
            ("uptimeSeconds", .integer(UnixTime.now().seconds - server.startedAt.seconds)),
            ("listen", .string(server.listenAddress.description)), ("draining", .bool(server.isDraining)),
            ("memoryBytes", JSONValue(ProcessReadings.residentBytes())),
            ("openFiles", JSONValue(ProcessReadings.openDescriptors())),
            ("openConnections", JSONValue(server.openConnections.value)), ("providers", .array(providers)),
            (
                "ledger",
                .object([
                    ("waiting", JSONValue(server.log.waitingCount)), ("dropped", JSONValue(server.log.droppedCount)),
                    ("movedAside", JSONValue(server.log.movedAsideCount)),
                ])
            ),
            (
                "lastDay",
                .array(
                    models.map { summary in
                        .object([
                            ("model", JSONValue(summary.model)), ("requests", JSONValue(summary.requests)),
                            ("inputTokens", JSONValue(summary.usage.input)),
                            ("outputTokens", JSONValue(summary.usage.output)),
                            ("cachedInputTokens", JSONValue(summary.usage.cachedInput)),
                            ("costDollars", .number(Double(summary.costNanodollars) / 1e9)),
                            ("unpriced", JSONValue(summary.unpriced)),
                            ("saved", JSONValue(summary.saved)),
                            ("savedDollars", .number(Double(summary.savedNanodollars) / 1e9)),
                        ])
                    })
            ),
        ])
    }
}
