import Base
import FoundationEssentials
import Testing

@testable import Benchmark

@Suite("the load report")
struct LoadReportTests {
    private var report: LoadReport {
        var report = LoadReport(seconds: 6, cores: 2)
        report.rows = [
            LoadRow(
                "passthrough", "requests", 17_512.4, .perSecond, "nginx proxy", 41_300, .ratio, target: .atLeast(0.35)),
            LoadRow("single", "latency p50", 0.3456, .milliseconds, "direct", 0.1, .added, target: .atMost(0.15)),
            LoadRow("pool", "mean", 0.5, .milliseconds, "new connection", 2, .savingPercent, target: .atLeast(60)),
            LoadRow("start", "idle memory", 24.26, .megabytes),
        ]
        report.skipped = [.init(measure: "streams-100", reason: "install wrk")]
        report.notes = ["a note"]
        return report
    }

    @Test("the table lines up and says whether each target is met")
    func table() {
        #expect(
            report.description == """
                load: 2 cores shared by generator, servers and Weir; 6 s a round
                  measure      quantity           weir   peer                     compared  target
                  passthrough  requests [/s]     17512  41300  nginx proxy          0.42 x  >= 0.35  ok
                  single       latency p50 [ms]  0.346  0.100  direct               +0.246  <= 0.15  short
                  pool         mean [ms]         0.500  2.000  new connection  75.0 % less  >= 60    ok
                  start        idle memory [MB]   24.3
                  streams-100: not measured: install wrk
                  note: a note
                """)
    }

    @Test("a program reads the same in JSON")
    func json() {
        let text = report.json.text
        #expect(text.hasPrefix(#"{"benchmark":"load","secondsPerRound":6,"cores":2,"complete":false,"rows":[{"#))
        #expect(
            text.contains(
                #"{"measure":"single","quantity":"latency p50","unit":"ms","value":0.3456,"#
                    + #""peer":{"name":"direct","value":0.1},"added":0.2456,"#
                    + #""target":{"atMost":0.15},"meetsTarget":false}"#))
        #expect(text.contains(#""savingPercent":75.0,"target":{"atLeast":60.0},"meetsTarget":true"#))
        #expect(text.contains(#"{"measure":"start","quantity":"idle memory","unit":"MB","value":24.26}"#))
        #expect(text.contains(#""notMeasured":[{"measure":"streams-100","reason":"install wrk"}],"notes":["a note"]"#))
    }

    @Test("targets hold at their limit; a row without one is not judged")
    func targets() {
        #expect(LoadRow("m", "q", 100, .megabytes, target: .atMost(100)).meetsTarget == true)
        #expect(LoadRow("m", "q", 100.1, .megabytes, target: .atMost(100)).meetsTarget == false)
        #expect(LoadRow("m", "q", 1, .count, "p", 1, .ratio, target: .atLeast(1)).meetsTarget == true)
        #expect(LoadRow("m", "q", 1, .count).meetsTarget == nil)
        #expect(LoadRow("m", "q", 1, .count, "p", 0, .ratio, target: .atLeast(0.1)).meetsTarget == false)
    }

    @Test("numbers have the digits they are asked to have")
    func numbers() {
        #expect(fixed(0, 3) == "0.000" && fixed(-0.0004, 3) == "0.000" && fixed(-1.25, 1) == "-1.3")
        #expect(fixed(1234.5678, 2) == "1234.57" && fixed(9.999, 2) == "10.00" && fixed(2.5, 0) == "3")
        #expect(fixed(.infinity, 2) == "-" && fixed(.nan, 2) == "-")
    }

    @Test("a measure that does not exist is an error that names those that do")
    func unknownMeasure() {
        var options = LoadOptions(weirPath: "/bin/false")
        options.only = ["passthrough", "warp"]
        let failure = #expect(throws: BenchmarkFailure.self) { try LoadBenchmark.run(options) }
        #expect(failure?.exitCode == .usage)
        #expect(failure?.message.contains("warp") == true && failure?.message.contains("first-token") == true)
    }

    @Test("a measure that fails is in the report with its reason, and nothing is left behind")
    func failingMeasure() throws {
        let folder = try TemporaryFolder()
        var options = LoadOptions(weirPath: folder.path + "/no-weir")
        options.only = ["first-token"]
        options.folder = folder.path
        let report = try LoadBenchmark.run(options)
        #expect(!report.isComplete && report.rows.isEmpty)
        #expect(report.skipped.map(\.measure) == ["first-token"])
        #expect(report.skipped.first?.reason.contains("no-weir") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
}
