import ArgumentParser
import Base
import Benchmark

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure; every figure beside a peer or baseline of the same run.",
        subcommands: [Load.self, Store.self])

    struct Load: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The gateway: throughput beside nginx, added latency, streams, start, memory, pooling.",
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
