internal import Base

/// One run of wrk.
struct WrkResult: Equatable {
    var requests: Int
    var seconds: Double
    /// Milliseconds.
    var mean: Double
    var p50: Double
    var p99: Double
    /// Connections and requests that failed or timed out.
    var socketErrors: Int
    /// Answers with a status of 400 or above.
    var badStatus: Int

    var perSecond: Double { seconds > 0 ? Double(requests) / seconds : 0 }

    /// Reads the line that `Wrk.script` makes wrk print; nil when it is not there or not whole.
    init?(output: String) {
        guard let line = output.split(separator: "\n").last(where: { $0.hasPrefix(Wrk.marker) }) else { return nil }
        var values: [Substring: Int] = [:]
        for field in line.dropFirst(Wrk.marker.count).split(separator: " ") {
            let pair = field.split(separator: "=")
            guard pair.count == 2, let number = Int(pair[1]) else { return nil }
            values[pair[0]] = number
        }
        guard let requests = values["requests"], let duration = values["duration"], duration > 0,
            let mean = values["mean"], let p50 = values["p50"], let p99 = values["p99"],
            let errors = values["errors"], let status = values["status"]
        else { return nil }
        self.requests = requests
        seconds = Double(duration) / 1e6
        (self.mean, self.p50, self.p99) = (Double(mean) / 1e3, Double(p50) / 1e3, Double(p99) / 1e3)
        (socketErrors, badStatus) = (errors, status)
    }
}

/// wrk with one thread, sending the chat request over and over, or numbered ones.
struct Wrk {
    static let marker = "weir-wrk "

    let script: String
    let folder: String

    /// - Parameter prompts: how many different requests it sends, one after the other.
    init(_ workbench: Workbench, key: String, prompts: Int = 1) throws {
        folder = try workbench.place("wrk")
        script = "\(folder)/chat.lua"
        try workbench.write(Self.script(key: key) + (prompts > 1 ? Self.numbering(prompts) : ""), to: script)
    }

    /// The number is put into bytes that are ready otherwise: the generator has to be fast.
    static func numbering(_ prompts: Int) -> String {
        let parts = ChatRequest.numberedParts
        return """
            local before, after, zeros = [[\(parts.0)]], [[\(parts.1)]], "000000000000"
            local number, head, tail
            init = function(args)
              number = tonumber(args[1]) or 0
              local all = wrk.format(nil, nil, nil, before .. zeros .. after)
              local at = all:find(zeros, 1, true)
              head, tail = all:sub(1, at - 1), all:sub(at + 12)
            end
            request = function()
              number = (number + 1) % \(prompts)
              return head .. string.format("%012d", number) .. tail
            end

            """
    }

    /// The request, and a line of figures at the end; times in microseconds.
    static func script(key: String) -> String {
        let headers = ChatRequest.headers(key: key)
            .map { "wrk.headers[\"\($0.0)\"] = \"\($0.1)\"" }.joined(separator: "\n")
        return """
            wrk.method = "POST"
            \(headers)
            wrk.body = [[\(ChatRequest.body)]]
            done = function(summary, latency, requests)
              local e = summary.errors
              io.write(string.format("\(marker)requests=%d duration=%d mean=%d p50=%d p99=%d errors=%d status=%d\\n",
                summary.requests, summary.duration, latency.mean, latency:percentile(50), latency:percentile(99),
                e.connect + e.read + e.write + e.timeout, e.status))
            end

            """
    }

    /// - Parameter number: after which numbered requests begin.
    /// - Throws: when any request failed: the others' speed would mean nothing.
    func run(port: Int, connections: Int, seconds: Int, after number: Int = 0) throws -> WrkResult {
        let output = try Tool.wrk.run(
            [
                "-t1", "-c\(connections)", "-d\(seconds)s", "-s", script,
                "http://127.0.0.1:\(port)\(ChatRequest.path)", "--", "\(number)",
            ],
            folder: folder, atMost: .seconds(seconds + 30))
        guard let result = WrkResult(output: output) else {
            throw BenchmarkFailure.toolFailed(.wrk, "no figures in \(output.suffix(300))")
        }
        guard result.requests > 0, result.socketErrors == 0, result.badStatus == 0 else {
            throw BenchmarkFailure.wrongAnswers(
                "\(result.requests) requests, \(result.badStatus) bad statuses, \(result.socketErrors) socket errors")
        }
        return result
    }
}
