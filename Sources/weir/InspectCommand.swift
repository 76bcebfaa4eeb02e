import ArgumentParser
import Base
import Ledger
import Operations
import ResponseCache

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Look into what Weir keeps.", subcommands: [Cache.self])

    struct Cache: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The response cache: layers, hit ratios, lives, newest entries; by which rules it keeps answers.",
            discussion: "Numbers come from the running server. Newest entries and sums by model are those of cache.db.")
        @Option(help: "How many of the newest entries to list.") var recent = 10
        @Flag(help: "Show the rules too.") var rules = false
        @OptionGroup var place: PlaceOptions
        @OptionGroup var output: JSONOption

        func validate() throws {
            guard (0...Limits.requestLogPageMax).contains(recent) else {
                throw ValidationError("--recent takes 0 to \(Limits.requestLogPageMax)")
            }
        }

        func run() throws {
            switch try ServerAccess(place.dataFolder) {
            case .running(let server):
                let cache = try server.call("GET", "/cache?recent=\(recent)")
                if output.json {
                    say(rules ? "\(cache.dropLast()),\"rules\":\(CacheRuleText.json.text)}" : cache)
                } else {
                    try sayNumbers(cache)
                    if rules { try CacheRuleText.say() }
                }
            case .stopped(let folder):
                talk("no server runs on \(folder.path): its numbers are with it; start one with weir serve")
                let files = ["cache.lmdb", DatabaseLayer.fileName].map { name in
                    JSONValue.object([
                        ("file", .string(name)), ("bytes", JSONValue(SmallFile.size("\(folder.path)/\(name)") ?? 0)),
                    ])
                }
                let stopped = JSONValue.object([
                    ("running", false), ("files", .array(files)), ("rules", CacheRuleText.json),
                ]).text
                guard !output.json else { return say(stopped) }
                say(try TextTable(stopped, list: "files", columns: ["file", "bytes"]).text)
                try CacheRuleText.say()
            }
        }

        private func sayNumbers(_ cache: String) throws {
            func value(_ name: String) -> String {
                let text = JSONDocumentText.member(name, of: cache)?.filter { !"{}\"".contains($0) } ?? ""
                return ["", "null"].contains(text) ? "none" : text.replacing(":", with: " ").replacing(",", with: ", ")
            }
            func table(_ list: String, _ columns: [String]) throws {
                say(try TextTable(cache, list: list, columns: columns).text)
            }
            say("hit ratio \(value("hitRatio")) of \(value("requests")) requests that may be cached")
            say("hits: \(value("hits"))")
            say("misses: \(value("misses")); \(value("collapsed")) of them shared another one's call")
            say("past the cache: \(value("bypasses"))")
            say("index: \(value("index"))\ncalls under way: \(value("flights"))\n")
            try table(
                "layers",
                [
                    "layer", "on", "entries", "bytes", "budgetBytes", "hitRatio", "hits", "misses", "evictions",
                    "expirations", "corrupt", "renewals", "failure",
                ])
            say("\nhow long a new answer lives, in seconds (cache.ttl \(value("ttl")))")
            try table("lives", ["class", "seconds", "refreshes", "unchanged"])
            say("\ncache.db by model")
            try table("models", ["model", "entries", "bytes", "inputTokens", "outputTokens", "costDollars"])
            guard recent > 0 else { return }
            say("\nnewest in cache.db")
            try table("recent", ["key", "model", "tenant", "namespace", "class", "bytes", "freshUntil", "tags"])
        }
    }
}

/// The rules of the cache as they are in force, for people.
enum CacheRuleText {
    static var json: JSONValue {
        func rules(_ table: [(reason: String, sentence: String)]) -> JSONValue {
            .array(table.map { .object([("reason", .string($0.reason)), ("sentence", .string($0.sentence))]) })
        }
        let lives = LifeClass.allCases.map { life in
            let terms = LifePolicy.terms(life)
            return JSONValue.object([
                ("class", .string("\(life)")), ("first", .string(terms.base.text)),
                ("least", .string(terms.floor.text)), ("most", .string(terms.cap.text)),
                ("because", .string(terms.because)),
            ])
        }
        return .object([
            ("requests", rules(CacheRule.table.map { ($0.reason.rawValue, $0.sentence) })),
            ("answers", rules(AnswerRule.table.map { ($0.reason.rawValue, $0.sentence) })),
            ("lives", .array(lives)),
        ])
    }

    static func say() throws {
        let rules = json.text
        weir.say("\na request goes past the cache when (the first that applies)")
        weir.say(try TextTable(rules, list: "requests", columns: ["reason", "sentence"]).text)
        weir.say("\nan answer is not kept when")
        weir.say(try TextTable(rules, list: "answers", columns: ["reason", "sentence"]).text)
        weir.say("\nlives by class (cache.ttl auto)")
        let columns = ["class", "first", "least", "most", "because"]
        weir.say(try TextTable(rules, list: "lives", columns: columns).text)
    }
}
