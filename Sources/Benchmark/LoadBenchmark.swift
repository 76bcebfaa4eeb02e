internal import Base
internal import Glibc

/// What `weir bench load` is asked for.
package struct LoadOptions: Sendable {
    /// The program under test: the running executable's own path.
    package var weirPath: String
    /// How long one round of load lasts, from 1 to 600; streams run for at least 10.
    package var seconds = 6
    /// Measures by name; empty: all of `LoadBenchmark.measureNames`.
    package var only: Set<String> = []
    /// Leave settings, logs and data of the servers behind, and say where.
    package var keepsFolder = false
    /// Where the temporary folder is made.
    package var folder = environmentVariable("TMPDIR") ?? "/tmp"
    /// Told what is going on, a line at a time.
    package var say: @Sendable (String) -> Void = { _ in }

    package init(weirPath: String) { self.weirPath = weirPath }
}

/// Weir beside nginx on one machine: throughput, delay, streams, memory, start, and what a pooled connection saves.
/// Real processes on loopback, started here and stopped here. Figures hold beside each other in one run; absolute ones
/// drift with the machine.
package enum LoadBenchmark {
    static let measures: [Measure] = [
        .passthrough, .miss, .hitL1, .hitL2, .single, .hitSingle, .firstToken, .streams1000, .streams100, .start, .pool,
    ]

    /// What `LoadOptions.only` may name, in the order in which they run.
    package static var measureNames: [String] { measures.map(\.name) }

    /// Runs the measures one after the other; blocks for a few minutes. One that fails is in the report with its
    /// reason and the next one runs.
    /// - Throws: `BenchmarkFailure` for an unknown name, `SystemFailure` when there is no temporary folder.
    package static func run(_ options: LoadOptions) throws -> LoadReport {
        if let unknown = options.only.sorted().first(where: { !measureNames.contains($0) }) {
            throw BenchmarkFailure.unknownMeasure(unknown, known: measureNames)
        }
        var options = options
        options.seconds = min(max(1, options.seconds), 600)
        let workbench = try Workbench(options)
        let interrupts = InterruptWatch(folder: options.keepsFolder ? nil : workbench.folder)
        defer {
            interrupts.end()
            workbench.close()
        }
        var report = LoadReport(seconds: options.seconds, cores: sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        report.notes = notes(workbench, options)
        for measure in measures where options.only.isEmpty || options.only.contains(measure.name) {
            run(measure, workbench, &report)
        }
        return report
    }

    private static func run(_ measure: Measure, _ workbench: Workbench, _ report: inout LoadReport) {
        let missing = measure.tools.filter { $0.path == nil }.map(\.rawValue)
        guard missing.isEmpty else {
            let reason = "install \(missing.joined(separator: " "))"
            report.skipped.append(.init(measure: measure.name, reason: reason))
            return
        }
        workbench.say("\(measure.name): \(measure.title) …")
        do {
            report.rows += try measure.run(workbench)
        } catch {
            workbench.say("\(measure.name): \(error)")
            report.skipped.append(.init(measure: measure.name, reason: "\(error)"))
        }
    }

    private static func notes(_ workbench: Workbench, _ options: LoadOptions) -> [String] {
        var notes: [String] = []
        #if DEBUG
            notes.append("this is a debug build: its figures mean nothing (make bench builds the release)")
        #endif
        if raiseOpenFiles() < 8_192 { notes.append("too few open files for 1,000 streams: raise ulimit -n to 8192") }
        if options.keepsFolder { notes.append("logs and settings are in \(workbench.folder)") }
        return notes
    }

    /// To what the system allows; children inherit it.
    /// - Returns: how many files may be open now.
    private static func raiseOpenFiles() -> Int {
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(files, &limit) == 0 else { return 0 }
        limit.rlim_cur = min(limit.rlim_max, 65_536)
        guard setrlimit(files, &limit) == 0 else { return 0 }
        return Int(clamping: limit.rlim_cur)
    }
}

/// One thing that is measured.
struct Measure: Sendable {
    /// As `--only` names it.
    let name: String
    /// What it is, in a few words.
    let title: String
    let tools: [Tool]
    let run: @Sendable (Workbench) throws -> [LoadRow]
}
