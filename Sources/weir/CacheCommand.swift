import ArgumentParser
import Base
import FoundationEssentials
import Gateway
import Ledger
import NIOCore
import Operations
import ResponseCache
import Settings

struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Fill the response cache; see also inspect cache.", subcommands: [Import.self])

    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take answers of past traffic in, so that the first requests find them.",
            discussion: """
                One JSON object a line: {"route":"/v1/chat/completions","request":{…},"response":{…}}, or "events":"…"
                (server-sent events) in place of "response". If you know them: "headers" (an object) and "query" of the
                request, "provider" and "model" that answered, "created" in seconds since 1970, from which the
                answer's life counts. What the rules of the cache would not keep is refused with its line number and
                the reason, and the rest goes on. Settings decide under which keys answers lie: use the server's.
                Status 1 when nothing could be imported.
                """)
        @Argument(help: "The file of lines (JSONL).") var file: String
        @Option(help: "Whose requests they answer: a key's tenant, or anonymous.") var tenant = "anonymous"
        @Option(help: "X-Weir-Namespace of lines whose headers name none.") var namespace = ""
        @OptionGroup var place: PlaceOptions
        @OptionGroup var output: JSONOption

        func validate() throws {
            guard isValidName(tenant) else { throw ValidationError("'\(tenant)' is no tenant's name") }
            guard namespace.isEmpty || isValidName(namespace) else {
                throw ValidationError("'\(namespace)' is no namespace")
            }
        }

        func run() throws {
            let reader = try LineReader(file)
            let destination = try ImportDestination(place, tenant: tenant, namespace: namespace)
            defer { destination.close() }
            var job = ImportJob(file: file, progress: ProgressLine("importing", total: reader.size))
            while let line = try reader.next() {
                if try job.add(line) { try job.send(to: destination, position: reader.position) }
            }
            try job.send(to: destination, position: reader.position)
            let (imported, refused) = (job.imported, job.refused)
            if output.json {
                say(JSONValue.object([("imported", JSONValue(imported)), ("refused", JSONValue(refused))]).text)
            } else {
                say("\(imported) imported, \(refused) refused")
            }
            if imported == 0 && refused > 0 { throw NothingImported(file: file) }
        }
    }

    struct NothingImported: Failure {
        let code = "nothing_imported"
        let file: String
        var message: String { "no line of \(file) could be imported; the reasons stand above" }
    }
}

/// Lines on their way, and what became of those before.
private struct ImportJob {
    /// Text of one batch: far below the server's body limit, and few enough batches.
    private static let batchBytes = 1 << 20

    let file: String
    var progress: ProgressLine
    private(set) var imported = 0
    private(set) var refused = 0
    private var lines: [(number: Int, text: String)] = []
    private var bytes = 0

    init(file: String, progress: ProgressLine) {
        self.file = file
        self.progress = progress
    }

    /// - Returns: the batch is full.
    mutating func add(_ line: LineReader.Line) throws -> Bool {
        guard let content = line.bytes else {
            refuse(line.number, "too_long", "a line may have \(LineReader.lineBytesMax >> 20) MiB")
            return false
        }
        guard content.contains(where: { $0 > 0x20 }) else { return false }
        guard let text = String(validating: content, as: UTF8.self) else {
            refuse(line.number, "invalid_text", "the line is not UTF-8")
            return false
        }
        lines.append((line.number, text))
        bytes += content.count
        return lines.count == AnswerImport.linesMax || bytes >= Self.batchBytes
    }

    mutating func send(to destination: ImportDestination, position: Int) throws {
        let batch = lines
        (lines, bytes) = ([], 0)
        if !batch.isEmpty {
            let answer = try destination.take(batch.map(\.text))
            imported += answer.imported
            for refusal in answer.refused where batch.indices.contains(refusal.line - 1) {
                refuse(batch[refusal.line - 1].number, refusal.code, refusal.reason)
            }
        }
        progress.advance(to: position)
    }

    private mutating func refuse(_ line: Int, _ code: String, _ reason: String) {
        refused += 1
        progress.clear()
        talk("\(file):\(line): \(code): \(reason)")
    }
}

/// The running server, or the stores themselves while nobody holds the folder.
private struct ImportDestination {
    let take: ([String]) throws -> AnswerImport.Tally
    let close: () -> Void

    /// There is no file that would outlive the verb.
    struct NoFiles: Failure {
        let code = "no_cache_files"
        let message = "cache.disk and cache.database are off: start the server and import then"
        let exitCode = ExitCode.badSettings
    }

    init(_ place: PlaceOptions, tenant: String, namespace: String) throws {
        switch try ServerAccess(place.dataFolder) {
        case .running(let server):
            take = { lines in
                let body = JSONValue.object([
                    ("tenant", .string(tenant)), ("namespace", .string(namespace)),
                    ("lines", .array(lines.map { .string($0) })),
                ])
                let answer = try server.call("POST", "/cache/import", body: body)
                return try JSONDecoder().decode(AnswerImport.Tally.self, from: Data(answer.utf8))
            }
            close = {}
        case .stopped(let folder):
            let settings = try place.load().settings
            var configuration = CacheConfiguration(settings)
            configuration.layers.remove(.l1)
            guard configuration.uses(.l2) || configuration.uses(.l3) else { throw NoFiles() }
            let cache = ResponseCache(
                folder: folder.path, configuration, distrust: CrashMarker.take(folder.path), waits: true)
            let importer = AnswerImport(settings, cache)
            take = { try importer.take($0.map(ByteBuffer.init(string:)), tenant: tenant, namespace: namespace) }
            close = { withExtendedLifetime(folder) { cache.close() } }  // its lock goes last
        }
    }
}
