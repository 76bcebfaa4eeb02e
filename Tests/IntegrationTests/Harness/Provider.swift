import Base

/// `weir simulate`: a provider in both dialects, on a free port.
final class Provider {
    /// How many calls it got and what became of them.
    struct Calls: Equatable {
        var total: Int
        var byRoute: [String: Int]
        /// Answers being sent over time right now.
        var active: Int
        /// Answers that the caller did not wait for.
        var cancelled: Int
        var connectionsOpened: Int
        var connectionsOpen: Int
    }

    /// The last call as it came.
    struct Call {
        var method: String
        var uri: String
        var headers: [(name: String, value: String)]
        /// At most the first MiB.
        var body: [UInt8]
        var bodyBytes: Int
        /// FNV-1a of the whole body, 16 hexadecimal digits.
        var bodyHash: String
        func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
    }

    private let child: Child
    private let temporary: TemporaryFolder
    let port: Int
    /// Goes to the simulator itself, past any gateway.
    var client: HTTPClient { HTTPClient(port: port, key: nil) }

    private init(_ child: Child, _ temporary: TemporaryFolder, port: Int) {
        (self.child, self.temporary, self.port) = (child, temporary, port)
    }

    /// - Parameter arguments: after `weir simulate --listen 127.0.0.1:0`.
    static func start(arguments: [String] = []) throws -> Provider {
        let temporary = try TemporaryFolder()
        let child = try Child(
            ["simulate", "--listen", "127.0.0.1:0"] + arguments, folder: temporary.path,
            outputFile: "\(temporary.path)/output.log")
        let rest = try child.waitForWord(after: "simulator on http://127.0.0.1:")
        guard let port = Int(rest.prefix { $0.isNumber }) else { throw HarnessFailure("no port: \(child.output)") }
        return Provider(child, temporary, port: port)
    }

    /// Settings with this simulator as an OpenAI provider and, as `anth`, an Anthropic one.
    /// - Parameters:
    ///   - lines: more lines for both providers' tables.
    ///   - passthrough: puts a `[gateway]` table before them that names the first.
    func settings(name: String = "sim", lines: String = "", passthrough: Bool = true) -> String {
        providerSettings(port: port, name: name, lines: lines, passthrough: passthrough)
    }

    func calls() throws -> Calls {
        let json = try client.get("/simulator/calls").json()
        var routes: [String: Int] = [:]
        for key in json["byRoute"].keys { routes[key] = json["byRoute"][key].int }
        return Calls(
            total: json["total"].int ?? -1, byRoute: routes, active: json["active"].int ?? -1,
            cancelled: json["cancelled"].int ?? -1, connectionsOpened: json["connectionsOpened"].int ?? -1,
            connectionsOpen: json["connectionsOpen"].int ?? -1)
    }

    func last() throws -> Call {
        let json = try client.get("/simulator/last").json()
        guard let body = json["bodyBase64"].string.flatMap(decodeBase64) else { throw HarnessFailure("no call yet") }
        return Call(
            method: json["method"].string ?? "", uri: json["uri"].string ?? "",
            headers: json["headers"].elements.map { ($0[0].string ?? "", $0[1].string ?? "") }, body: body,
            bodyBytes: json["bodyBytes"].int ?? -1, bodyHash: json["bodyFNV1a"].string ?? "")
    }

    /// Counts from zero again.
    func reset() throws { _ = try client.post("/simulator/reset", "{}") }

    func signal(_ number: Int32) { child.signal(number) }
}

/// Settings with an OpenAI provider (models `gpt-*`, `text-embedding-*`) and, as `anth`, an Anthropic one
/// (`claude-*`) at the same port of 127.0.0.1.
func providerSettings(port: Int, name: String = "sim", lines: String = "", passthrough: Bool = true) -> String {
    """
    \(passthrough ? "[gateway]\npassthrough = \"\(name)\"\n" : "")
    [providers.\(name)]
    dialect = "openai"
    base-url = "http://127.0.0.1:\(port)/v1"
    models = ["gpt-*", "text-embedding-*"]
    \(lines)

    [providers.anth]
    dialect = "anthropic"
    base-url = "http://127.0.0.1:\(port)"
    models = ["claude-*"]
    \(lines)


    """
}
