import ArgumentParser
import Base
import Benchmark

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure; every figure beside a peer or baseline of the same run.",
        subcommands: [Load.self, Cache.self, Store.self])

    struct Load: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The gateway: throughput and cache hits beside nginx, latency, streams, start, memory, pooling.",
            discussion: "Needs wrk, nginx and openssl for some of its parts; says which when they are missing.")
        @OptionGroup var output: JSONOption
        @Option(help: "Seconds a round.") var seconds = 6
        @Option(help: "Only this part; repeat for more.") var only: [String] = []

        func run() throws {
            var options = LoadOptions(weirPath: try executablePath())
            options.seconds = seconds
            options.only = Set(only)
            options.say = { talk($0) }
            let report = try LoadBenchmark.run(options)
            say(output.json ? report.json.text : report.description)
            guard report.isComplete else { throw NotAllMeasured() }
        }
    }

    /// The report says which measure is missing, and why.
    struct NotAllMeasured: Failure {
        let code = "not_all_measured"
        let message = "some measures could not be taken; the report says why"
    }

    struct Cache: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The cache: a trace by Zipf's law with a restart in the middle, beside Bélády's rule and LRU.")
        @OptionGroup var output: JSONOption
        @Option(help: "How many requests, from 1000.") var requests = 100_000
        @Option(help: "The same seed replays the same trace.") var seed: UInt64 = 1

        func run() throws {
            var options = CacheBenchmarkOptions(weirPath: try executablePath())
            (options.requests, options.seed) = (requests, seed)
            options.say = { talk($0) }
            let report = try CacheBenchmark.run(options)
            say(output.json ? report.json.text : report.description)
        }
    }

    struct Store: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The database: 8 readers and a writer, beside a rollback journal with a connection a query.")
        @OptionGroup var output: JSONOption
        @Option(help: "Seconds a side.") var seconds = 5

        func run() throws {
            let report = try StoreBenchmark.run(seconds: .seconds(seconds), json: output.json)
            say(output.json ? report.json : report.description)
        }
    }
}
