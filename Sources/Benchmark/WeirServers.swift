internal import Base
internal import FoundationEssentials

/// Weir as it is measured: a key is asked for, every request goes into the ledger.
struct WeirServer {
    let server: LocalServer
    /// Of a tenant, as clients have one: stored, hashed, looked up.
    let key: String
    fileprivate let adminKey: String

    var port: Int { server.port }
    func stop() { server.stop() }

    /// Requests in the ledger so far, with those still on their way to it.
    func ledgerCount() throws -> Int {
        struct Status: Decodable {
            struct Model: Decodable { var requests: Int }
            var lastDay: [Model]
        }
        let answer = try PlainClient(port: port).request(
            "GET", "/status", headers: [("Authorization", "Bearer \(adminKey)")])
        guard answer.status == 200 else { throw BenchmarkFailure.wrongAnswers("GET /status: \(answer.status)") }
        return try JSONDecoder().decode(Status.self, from: Data(answer.body)).lastDay.reduce(0) { $0 + $1.requests }
    }
}

/// What differs between the servers of the measures.
struct WeirSetup {
    var baseURL: String
    var maxConnections = 100
    var authorityFile: String?
    var reusesConnections = true

    /// The provider `mock` on a port of this machine.
    init(mock: Int) { baseURL = "http://127.0.0.1:\(mock)/v1" }
    init(baseURL: String) { self.baseURL = baseURL }

    var settings: String {
        """
        [auth]
        admin-key = "env:BENCH_ADMIN_KEY"
        anonymous = "none"
        [gateway]
        passthrough = "mock"
        [flags]
        pool-reuse = \(reusesConnections)
        [providers.mock]
        dialect = "openai"
        base-url = "\(baseURL)"
        max-connections = \(maxConnections)
        \(authorityFile.map { "ca-file = \"\($0)\"" } ?? "")

        """
    }
}

extension Workbench {
    /// A `weir serve` that is about to run; it may be started again on the same data.
    struct WeirPlace {
        let folder: String
        let adminKey = hexadecimal(secureRandomBytes(16))
        let port: Int
    }

    func placeForWeir(_ setup: WeirSetup) throws -> WeirPlace {
        let place = WeirPlace(folder: try place("weir"), port: try FreePort.any())
        try write(setup.settings, to: "\(place.folder)/appliance.conf")
        return place
    }

    /// Starts it and does not wait.
    func launchWeir(_ place: WeirPlace) throws -> LocalServer {
        let log = "\(place.folder)/log"
        let child = try ChildProcess(
            weirPath,
            [
                "serve", "--config", "\(place.folder)/appliance.conf", "--data", "\(place.folder)/data",
                "--listen", "127.0.0.1:\(place.port)",
            ],
            environment: ChildProcess.plainEnvironment(adding: ["BENCH_ADMIN_KEY": place.adminKey]), output: .file(log))
        return LocalServer(child, port: place.port, log: log)
    }

    func startWeir(_ setup: WeirSetup) throws -> WeirServer {
        struct Created: Decodable { var key: String }
        let place = try placeForWeir(setup)
        let server = try launchWeir(place)
        try server.waitUntilReady("/health/ready")
        let headers = [("Authorization", "Bearer \(place.adminKey)"), ("Content-Type", "application/json")]
        let answer = try PlainClient(port: place.port).request(
            "POST", "/keys", headers: headers,
            body: Array(#"{"name":"bench","scopes":["ai"]}"#.utf8))
        guard answer.status == 201 else {
            throw BenchmarkFailure.notReady("POST /keys: \(answer.status); \(server.logEnd)")
        }
        let key = try JSONDecoder().decode(Created.self, from: Data(answer.body)).key
        return WeirServer(server: server, key: key, adminKey: place.adminKey)
    }

    /// The simulated provider, whose tokens tell when they were sent.
    func startSimulator(_ arguments: [String]) throws -> LocalServer {
        let log = "\(try place("simulator"))/log"
        let port = try FreePort.any()
        let child = try ChildProcess(
            weirPath, ["simulate", "--timestamps", "--listen", "127.0.0.1:\(port)"] + arguments, output: .file(log))
        let server = LocalServer(child, port: port, log: log)
        try server.waitUntilReady("/simulator/calls")
        return server
    }
}
