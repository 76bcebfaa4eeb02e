import Base
import Testing

/// `GET /metrics` in the Prometheus text format 0.0.4, read strictly.
@Suite struct MetricsTests {
    private struct Sample {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    private struct Exposition {
        var types: [String: String] = [:]
        var samples: [Sample] = []

        /// Throws on anything the format does not know.
        init(_ text: String) throws {
            guard text.hasSuffix("\n") else { throw HarnessFailure("no line feed at the end") }
            var helped: Set<String> = []
            var family = ""
            for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
                let words = line.split(separator: " ", maxSplits: 3)
                if line.hasPrefix("# HELP ") {
                    guard words.count == 4, helped.insert(String(words[2])).inserted else {
                        throw HarnessFailure("\(line)")
                    }
                } else if line.hasPrefix("# TYPE ") {
                    family = String(words[2])
                    guard words.count == 4, helped.contains(family), types[family] == nil,
                        ["counter", "gauge", "histogram"].contains(words[3])
                    else { throw HarnessFailure("\(line)") }
                    types[family] = String(words[3])
                } else {
                    let sample = try Self.sample(line)
                    let isHistogram = types[family] == "histogram"
                    let own = isHistogram ? ["_bucket", "_sum", "_count"].map { family + $0 } : [family]
                    guard own.contains(sample.name) else { throw HarnessFailure("\(line) is not of \(family)") }
                    samples.append(sample)
                }
            }
        }

        private static func sample(_ line: Substring) throws -> Sample {
            let name = line.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }
            var rest = line.dropFirst(name.count)
            var labels: [String: String] = [:]
            if rest.first == "{" {
                rest = rest.dropFirst()
                while rest.first != "}" {
                    let label = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
                    rest = rest.dropFirst(label.count)
                    guard !label.isEmpty, rest.hasPrefix("=\"") else { throw HarnessFailure("\(line)") }
                    rest = rest.dropFirst(2)
                    var (value, isEscaped) = ("", false)
                    while let next = rest.popFirst(), isEscaped || next != "\"" {
                        if isEscaped, !["\\", "\"", "n"].contains(next) { throw HarnessFailure("\(line)") }
                        isEscaped = !isEscaped && next == "\\"
                        value.append(next)
                    }
                    guard labels.updateValue(value, forKey: String(label)) == nil else {
                        throw HarnessFailure("\(line)")
                    }
                    if rest.first == "," { rest = rest.dropFirst() }
                }
                rest = rest.dropFirst()
            }
            guard !name.isEmpty, rest.first == " ", let value = Double(rest.dropFirst()) else {
                throw HarnessFailure("\(line)")
            }
            return Sample(name: String(name), labels: labels, value: value)
        }
    }

    private func loaded() throws -> (rig: Rig, exposition: Exposition) {
        let rig = try Rig("[models.\"gpt-4o-mini\"]\ntargets = [\"sim\"]\nprice-input = 1\nprice-output = 1\n")
        for kind in StreamKind.allCases {
            for simulate in [nil, "status=429", "reset=0"] {
                _ = try rig.client.post(kind.path, kind.plainBody, simulate: simulate)
                _ = try rig.client.post(kind.path, kind.body, simulate: simulate)
            }
        }
        _ = try rig.client.post("/v1/chat/completions", #"{"model":"a\"b\\c\nd-none"}"#)
        _ = try rig.client.get("/v1/vector_stores/secret-name?q=secret-query")
        let answer = try rig.client.get("/metrics")
        guard answer.status == 200 else { throw HarnessFailure(answer.text) }
        #expect(answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
        return (rig, try Exposition(answer.text))
    }

    @Test("every line is HELP, TYPE or a sample of its family; no series comes twice; counters end in _total")
    func format() throws {
        let (_, exposition) = try loaded()
        let series = exposition.samples.map { "\($0.name) \($0.labels.sorted { $0.key < $1.key })" }
        #expect(Set(series).count == series.count)
        for (name, type) in exposition.types {
            #expect((type == "counter") == name.hasSuffix("_total"), "\(name) is a \(type)")
            #expect(exposition.samples.contains { $0.name.hasPrefix(name) }, "\(name) has no sample")
        }
        #expect(exposition.samples.allSatisfy { $0.value.isFinite && $0.value >= 0 })
    }

    @Test("a histogram's buckets ascend to +Inf, which is its count")
    func histograms() throws {
        let (_, exposition) = try loaded()
        let families = exposition.types.filter { $0.value == "histogram" }.keys
        #expect(!families.isEmpty)
        for family in families {
            let buckets = exposition.samples.filter { $0.name == family + "_bucket" }
            let groups = Dictionary(grouping: buckets) { sample in
                sample.labels.filter { $0.key != "le" }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            }
            for (labels, group) in groups {
                #expect(group.map(\.value) == group.map(\.value).sorted(), "\(family)")
                let bounds = group.map { $0.labels["le"].flatMap { $0 == "+Inf" ? .infinity : Double($0) } ?? .nan }
                #expect(bounds == bounds.sorted() && bounds.last == .infinity, "\(family): \(bounds)")
                let count = exposition.samples.first { sample in
                    sample.name == family + "_count"
                        && sample.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" } == labels
                }
                #expect(count?.value == group.last?.value, "\(family)")
            }
        }
    }

    @Test("the plan's names are there, requests are counted by route and status, and no label holds what a client said")
    func names() throws {
        let (_, exposition) = try loaded()
        for name in [
            "connection_pool_usage", "ai_response_time", "weir_requests_total", "weir_overhead_seconds",
            "weir_tokens_total",
            "weir_cost_dollars_total", "weir_time_to_first_token_seconds", "weir_upstream_connections_opened_total",
            "weir_upstream_connections_reused_total", "process_resident_memory_bytes", "process_open_fds",
        ] { #expect(exposition.types[name] != nil, "\(name)") }
        func count(_ route: String, _ status: String) -> Double {
            exposition.samples.filter {
                $0.name == "weir_requests_total" && $0.labels["route"] == route && $0.labels["status"] == status
            }.reduce(0) { $0 + $1.value }
        }
        #expect(count("/v1/chat/completions", "200") == 2)
        #expect(count("/v1/messages", "429") == 2)
        #expect(count("/v1/chat/completions", "404") == 1)
        let labels = exposition.samples.flatMap { $0.labels.values }
        #expect(
            !labels.contains { $0.contains("none") && $0 != "none" || $0.contains("secret") || $0.contains("gpt-") })
        #expect(exposition.samples.allSatisfy { $0.name != "connection_pool_usage" || $0.value <= 1 })
    }

    @Test("a scrape needs the scope metrics and no more")
    func scope() throws {
        let server = try WeirServer.start()
        let scraper = server.client(key: try server.createKey("prometheus", scopes: ["metrics"]))
        #expect(try scraper.get("/metrics").status == 200)
        #expect(try scraper.get("/status").status == 403)
    }
}
