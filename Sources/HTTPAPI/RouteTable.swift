import Base
import Gateway
import Ledger
import Logging
import NIOCore
import Settings
import Telemetry

/// A route of Weir's own: what it needs of the caller, what it does. One table makes the router, the scopes and
/// `/openapi.json`.
struct APIRoute: Sendable {
    enum Kind { case open, guarded(Scope) }

    var method: String
    /// `{name}` stands for one path segment.
    var pattern: String
    var kind: Kind
    var summary: String
    var bodyBytesMax = HTTPLimits.apiBodyBytesMax
    var takesBody: Bool
    /// Runs on the worker pool, so it may read files. Throws `Rejection` or `Failure`.
    var handler: @Sendable (APICall) throws -> APIAnswer

    init(
        _ method: String, _ pattern: String, _ kind: Kind, _ summary: String, takesBody: Bool? = nil,
        _ handler: @escaping @Sendable (APICall) throws -> APIAnswer
    ) {
        self.method = method
        self.pattern = pattern
        self.kind = kind
        self.summary = summary
        self.takesBody = takesBody ?? (method == "POST")
        self.handler = handler
    }
}

/// One call of a route.
struct APICall: Sendable {
    let server: ServerContext
    let request: InboundRequest
    let parameters: [String: String]
    let body: [UInt8]

    /// A query parameter; percent escapes are resolved.
    func query(_ name: String) -> String? {
        for pair in (request.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts[0] == name { return percentDecoded(parts.count > 1 ? parts[1] : "") }
        }
        return nil
    }

    /// A query parameter that is a whole number from 0 on.
    func number(_ name: String) throws -> Int64? {
        guard let text = query(name) else { return nil }
        guard let value = Int64(text), value >= 0, value < 1 << 53 else {
            throw Rejection(422, "invalid_\(name)", "\(name) must be a whole number")
        }
        return value
    }

    /// A query parameter that is a time in seconds since 1970.
    func time(_ name: String) throws -> UnixTime? {
        guard let seconds = try number(name) else { return nil }
        let (microseconds, isTooFar) = seconds.multipliedReportingOverflow(by: 1_000_000)
        guard !isTooFar else { throw Rejection(422, "invalid_\(name)", "\(name) must be seconds since 1970") }
        return UnixTime(microseconds: microseconds)
    }
}

struct MatchedRoute: Sendable {
    let route: APIRoute
    let parameters: [String: String]
    let server: ServerContext

    /// Runs the handler on the worker pool and sends its answer on the connection's loop.
    func run(_ request: InboundRequest, body: [UInt8], on connection: ConnectionHandler) {
        let loop = connection.eventLoop
        let call = APICall(server: server, request: request, parameters: parameters, body: body)
        let accepted = server.workers.submit {
            let answer = perform(call)
            loop.execute { connection.send(answer) }
        }
        if !accepted { connection.refuse(Rejection(503, "try_again", "too many requests wait")) }
    }

    private func perform(_ call: APICall) -> APIAnswer {
        do {
            return try route.handler(call)
        } catch let rejection as Rejection {
            return .failure(rejection, for: call.request)
        } catch let failure as any Failure {
            server.logger.error("request failed", metadata: ["route": "\(route.pattern)", "error": "\(failure.code)"])
            return .failure(Rejection(status(of: failure), failure.code, failure.message), for: call.request)
        } catch {
            server.logger.error("request failed", metadata: ["route": "\(route.pattern)", "error": "\(error)"])
            return .failure(Rejection(500, "internal_error", "see the log for this request id"), for: call.request)
        }
    }

    private func status(of failure: any Failure) -> Int {
        switch failure.exitCode {
        case .usage, .badSettings: 422
        case .tryAgain: 503
        case .inputOutput: 507
        default: 500
        }
    }
}

/// What a request turned out to be.
enum PlannedRequest {
    case ai(AIRoute)
    case models(id: String?)
    case passThrough
    case api(MatchedRoute)

    var streamsBody: Bool { if case .passThrough = self { true } else { false } }
}

/// All routes. Finding one is a few comparisons: AI routes first, they are the hot ones.
struct RouteTable: Sendable {
    let routes: [APIRoute]

    static let standard = RouteTable(
        routes: HealthRoutes.all + StatusRoutes.all + KeyRoutes.all + RequestLogRoutes.all
            + SavingsRoutes.all + CacheRoutes.all)

    /// Needs no key: says nothing that anyone on the host may not know.
    static func isOpen(_ path: String) -> Bool {
        path == "/" || path == "/openapi.json" || path.hasPrefix("/health/")
    }

    func plan(_ request: InboundRequest, server: ServerContext) throws(Rejection) -> PlannedRequest {
        if request.path.hasPrefix("/v1/") { return try planProviderRoute(request) }
        let segments = request.path.split(separator: "/", omittingEmptySubsequences: false)
        var allowed: [String] = []
        for route in routes {
            guard let parameters = match(segments, route.pattern) else { continue }
            allowed += route.method == "GET" ? ["GET", "HEAD"] : [route.method]
            guard route.method == request.method || (route.method == "GET" && request.method == "HEAD") else {
                continue
            }
            if case .guarded(let scope) = route.kind { try require(scope, request) }
            return .api(MatchedRoute(route: route, parameters: parameters, server: server))
        }
        if !allowed.isEmpty {
            throw Rejection(405, "method_not_allowed", "this path does not take \(request.method)", allowed: allowed)
        }
        throw Rejection(404, "not_found", "there is no such route; see /openapi.json")
    }

    private func planProviderRoute(_ request: InboundRequest) throws(Rejection) -> PlannedRequest {
        if let route = AIRoute(path: request.path), request.method == "POST" {
            try require(.ai, request)
            return .ai(route)
        }
        if request.path == "/v1/models" || request.path.hasPrefix("/v1/models/"), request.method == "GET" {
            try require(.ai, request)
            guard request.path != "/v1/models" else { return .models(id: nil) }
            let name = request.path.dropFirst("/v1/models/".count)
            return .models(id: percentDecoded(name) ?? String(name))
        }
        guard isCleanPath(request.path) else { throw Rejection(400, "bad_path", "the path is not in its plain form") }
        let ownership = ObjectOwnership(method: request.method, path: request.path)
        try require(ownership.kind == .response ? .ai : .passthrough, request)
        return .passThrough
    }

    private func require(_ scope: Scope, _ request: InboundRequest) throws(Rejection) {
        guard !request.principal.allows(scope) else { return }
        // Without a key the first thing that is missing is the key.
        if request.principal === Principal.anonymous { throw Authenticator.unauthorized }
        throw Rejection(403, "scope_missing", "this key lacks the scope '\(scope)'")
    }

    private func match(_ segments: [Substring], _ pattern: String) -> [String: String]? {
        let wanted = pattern.split(separator: "/", omittingEmptySubsequences: false)
        guard wanted.count == segments.count else { return nil }
        var parameters: [String: String] = [:]
        for (part, segment) in zip(wanted, segments) {
            if part.first == "{" {
                guard let value = percentDecoded(segment), isValidName(value) else { return nil }
                parameters[String(part.dropFirst().dropLast())] = value
            } else if part != segment {
                return nil
            }
        }
        return parameters
    }

    /// A path that leaves no room for two readings: no dot segments, no escapes of slashes or dots, no empty segments.
    private func isCleanPath(_ path: String) -> Bool {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let lower = path.lowercased()
        return segments.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
            // `/v1/f%69les` would be no collection to us and one to the provider.
            && !segments.prefix(2).contains { $0.contains("%") }
            && !["%2e", "%2f", "%5c", "%00", "\\"].contains { lower.contains($0) } && isHeaderValue(path)
    }
}

/// Resolves `%41`; nil when an escape is cut short or the result is not UTF-8.
func percentDecoded(_ text: Substring) -> String? {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
    var bytes: [UInt8] = []
    var rest = Substring(text).utf8
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else { bytes.append(byte); continue }
        guard let high = rest.popFirst(), let low = rest.popFirst(),
            high >= 48, low >= 48,  // a sign is no digit, though UInt8 reads it
            let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
        else { return nil }
        bytes.append(value)
    }
    return String(validating: bytes, as: UTF8.self)
}
