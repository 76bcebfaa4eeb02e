internal import Base
internal import FoundationEssentials

/// Weir as it is measured: a key is asked for, every request goes into the ledger.
struct WeirServer {
    let server: LocalServer
    /// Of a tenant, as clients have one: stored, hashed, looked up.
    let key: String
    fileprivate let place: Workbench.WeirPlace

    var port: Int { server.port }
    func stop() { server.stop() }

    /// For an operator's eyes. Fails unless the status is 200.
    private func read(_ path: String) throws -> PlainResponse {
        let answer = try PlainClient(port: port).request(
            "GET", path, headers: [("Authorization", "Bearer \(place.adminKey)")])
        guard answer.status == 200 else { throw BenchmarkFailure.wrongAnswers("GET \(path): \(answer.status)") }
        return answer
    }

    /// Requests in the ledger so far, with those still on their way to it.
    func ledgerCount() throws -> Int {
        struct Status: Decodable {
            struct Model: Decodable { var requests: Int }
            var lastDay: [Model]
        }
        let answer = try read("/status")
        return try JSONDecoder().decode(Status.self, from: Data(answer.body)).lastDay.reduce(0) { $0 + $1.requests }
    }

    /// Answers that a layer of the cache gave since the start.
    func hits(_ layer: String) throws -> Int {
        let series = "weir_cache_hits_total{layer=\"\(layer)\"} "
        let line = try read("/metrics").text.split(separator: "\n").first { $0.hasPrefix(series) }
        guard let line, let count = Double(line.dropFirst(series.count)) else {
            throw BenchmarkFailure.wrongAnswers("GET /metrics has no \(series)")
        }
        return Int(count)
    }

    /// US dollars that the ledger knows of.
    struct Dollars: Decodable {
        var billedDollars: Double
        var cachedDollars: Double
        var coalescedDollars: Double
    }

    func dollars() throws -> Dollars {
        struct Savings: Decodable { var total: Dollars }
        _ = try ledgerCount()  // what is on its way arrives
        return try JSONDecoder().decode(Savings.self, from: Data(try read("/savings").body)).total
    }
}

/// What differs between the servers of the measures.
struct WeirSetup {
    var baseURL: String
    var maxConnections = 100
    var authorityFile: String?
    var reusesConnections = true
    /// Off where the way through is measured.
    var cachePolicy = "off"
    /// Of the cache's first layer.
    var cacheMemory = ByteCount.mebibytes(64)
    var usesCacheMemory = true

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
        cache-l1 = \(usesCacheMemory)
        [cache]
        policy = "\(cachePolicy)"
        memory = "\(cacheMemory)"
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
        return WeirServer(server: server, key: key, place: place)
    }

    /// Stops it in order and starts it again on the same data.
    func restart(_ weir: WeirServer) throws -> WeirServer {
        weir.server.child.stop(within: .seconds(20))
        let server = try launchWeir(weir.place)
        try server.waitUntilReady("/health/ready")
        return WeirServer(server: server, key: weir.key, place: weir.place)
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
