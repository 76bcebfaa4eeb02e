import Base
import Testing

/// S5: secrets and prompts are where they must be and nowhere else.
@Suite struct CanaryTests {
    private let mark = hexadecimal(secureRandomBytes(8))
    private var providerKey: String { "canary-provider-\(mark)" }
    private var adminKey: String { "canary-admin-\(mark)" }
    private var foreignKey: String { "canary-foreign-\(mark)" }
    private var prompt: String { "canary-prompt-\(mark)" }

    private var settings: String {
        """
        [log]
        level = "trace"
        requests = "all"

        """
    }

    /// Good and bad requests, each with the prompt in it. Returns what Weir itself said in its errors.
    private func run(_ server: WeirServer, _ tenantKey: String) throws -> [String] {
        let client = server.client(key: tenantKey)
        var said: [String] = []
        let simulations = [
            nil, "status=401", "status=429,retry-after=1", "status=500", "html=502", "reset=0", "truncate", "bad-chunk",
            "malformed", "error-first", "error-mid=1", "hang", "latency=10ms",
        ]
        for kind in StreamKind.allCases {
            for simulate in simulations {
                for body in [kind.plainBody, kind.body].map({ $0.replacing("hello", with: prompt) }) {
                    let answer = try? client.post(kind.path, body, simulate: simulate)
                    if let answer, answer.status >= 502 { said.append(answer.text) }
                }
            }
            for body in ["{\"\(prompt)\"", "[\"\(prompt)\"]", #"{"model":"gpt-4o","model":"\#(prompt)"}"#] {
                said.append(try client.post(kind.path, body).text)
            }
            said.append(try client.post(kind.path, kind.plainBody, headers: [("X-Weir-Tags", prompt)]).text)
        }
        said.append(try server.client(key: foreignKey).get("/keys").text)
        said.append(try client.get("/v1/files/\(prompt)").text.replacing(prompt, with: ""))
        said.append(try client.post("/v1/files", prompt, headers: [("Content-Type", "text/plain")]).text)
        said.append(try server.raw("POST /v1/messages HTTP/1.1\r\n\(prompt)\r\n\r\n").text)
        said.append(try client.post("/v1/chat/completions", Body.chat, headers: [("Host", foreignKey)]).text)
        return said
    }

    @Test("S5: no log, error, metric, page or file holds a provider's key, an admin's, a tenant's or a prompt")
    func canaries() throws {
        let provider = try Provider.start()
        let environment = ["PROVIDER_KEY": providerKey, "ADMIN_KEY": adminKey]
        let lines =
            #"key = "env:PROVIDER_KEY""# + "\nfirst-byte-timeout = \"200ms\"\n"
            + #"headers = { "X-Team" = "env:PROVIDER_KEY" }"#
        let server = try WeirServer.start(
            settings + provider.settings(lines: lines), environment: environment, caches: true)
        let admin = server.client(key: adminKey)
        let made = try admin.post("/keys", #"{"name":"tenant","scopes":["ai","passthrough"]}"#).json()
        let tenantKey = try #require(made["key"].string)
        let said = try run(server, tenantKey)
        #expect(try provider.last().headers.contains { $0.value.contains(providerKey) })

        // The pages say how things are; none of them holds a secret.
        let shown = try Verb.run(
            ["config", "show", "--origin", "--config", server.settingsFile], environment: environment)
        let status = try Verb.run(["status", "--data", server.dataFolder])
        var places = ["errors": said.joined(), "config show": shown.output, "weir status": status.output]
        for path in ["/metrics", "/requests?limit=1000", "/savings", "/status", "/config", "/keys", "/openapi.json"] {
            let answer = try admin.get(path)
            #expect(answer.status == 200, "\(path)")
            places[path] = answer.text
        }
        places["arguments"] = try SmallFile.text("/proc/\(server.pid)/cmdline")
        try collectFiles(server, into: &places, "running")
        #expect(try server.stop() == 0)
        try collectFiles(server, into: &places, "stopped")
        places["log"] = server.output
        #expect(places["log"]?.contains("request") == true)
        #expect(places["/requests?limit=1000"]?.contains("gpt-4o-mini") == true)
        for (place, text) in places {
            // The cache's own files are for prompts and answers; no secret is in them either.
            let prompts = place.hasPrefix("cache.") ? [] : [prompt]
            for secret in [providerKey, adminKey, tenantKey, foreignKey] + prompts {
                #expect(!text.contains(secret), "\(place) holds \(secret.prefix(16))…")
            }
        }
    }

    /// The raw bytes of every file in the data folder, one character a byte.
    private func collectFiles(_ server: WeirServer, into places: inout [String: String], _ when: String) throws {
        let found = names(in: server.dataFolder).filter { $0 != "control.sock" }
        #expect(found.contains("weir.db") && found.contains("requests.db"))
        for name in found {
            let bytes = try SmallFile.read("\(server.dataFolder)/\(name)", atMost: .mebibytes(64))
            places["\(name), \(when)"] = String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
        }
    }
}
