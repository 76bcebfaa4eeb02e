import ArgumentParser
import Base
import Operations
import Settings
import Simulator

struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run a provider in both dialects, for tests and demonstrations.",
        discussion: "Behaviour on demand: the header X-Simulate, as in 'X-Simulate: status=429,retry-after=2'.")

    @Option(help: "HOST:PORT or unix:PATH; port 0 takes any free one.") var listen = "127.0.0.1:9400"
    @Option(help: "Time before an answer, as in 300ms.") var latency: String?
    @Option(name: .customLong("first-token"), help: "Time before the first token of a stream.") var firstToken: String?
    @Option(name: .customLong("tokens-per-second"), help: "Pace of a stream; 0: as fast as possible.")
    var tokensPerSecond = 0.0
    @Option(help: "The same seed gives the same answers.") var seed: UInt64 = 1
    @Option(help: "Faults by rate, as in 429:0.1,503:0.05,reset:0.01.") var fail: String?
    @Option(help: "Only this key is served; others get 401.") var key: String?
    @Option(help: "Event loops.") var threads = 1
    @Flag(help: "Tokens are the sender's clock in nanoseconds, for measuring delay.") var timestamps = false

    func run() throws {
        Signals.block()
        let server = try SimulatorServer.start(try options())
        say("simulator on \(listen.hasPrefix("unix:") ? listen : "http://127.0.0.1:\(server.boundPort)/v1")")
        while Signals.next() != .stop {}
        server.shutdown()
    }

    private func options() throws -> SimulatorOptions {
        var options = SimulatorOptions()
        guard let address = ListenAddress(text: listen) else {
            throw ValidationError("--listen takes HOST:PORT or unix:PATH")
        }
        switch address {
        case .tcp(let host, let port): (options.host, options.port) = (host, port)
        case .unix(let path): options.unixPath = path
        }
        options.latency = try duration(latency, "--latency")
        options.firstToken = try duration(firstToken, "--first-token")
        (options.tokensPerSecond, options.seed, options.requiredKey) = (tokensPerSecond, seed, key)
        (options.threads, options.timestamps) = (threads, timestamps)
        if let fail { options.faults = try FaultRates(text: fail) }
        return options
    }

    private func duration(_ text: String?, _ name: String) throws -> Duration {
        guard let text else { return .zero }
        guard let value = Duration(text: text) else { throw ValidationError("\(name) takes a duration such as 300ms") }
        return value
    }
}
