import Base
import Glibc
import Synchronization
import Testing

/// What the cache tests read from an answer.
extension Response {
    var cacheStatus: String { header("Cache-Status") ?? "" }
    /// It came from the cache and no provider was waited for.
    var isHit: Bool { cacheStatus.hasPrefix("weir; hit") }
    /// `l1` of `weir; hit; ttl=59; detail=l1`.
    var cacheDetail: String? { cacheParameter("detail") }
    /// Seconds of life left; below zero for what is stale.
    var ttl: Int? { cacheParameter("ttl").flatMap { Int($0) } }
    var age: Int? { header("Age").flatMap { Int($0) } }

    private func cacheParameter(_ name: String) -> String? {
        let parts = cacheStatus.split(separator: ";").map { $0.drop { $0 == " " } }
        return parts.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
    }
}

/// A chat request with that question.
func question(_ text: String, _ more: String = "") -> String {
    #"{"model":"gpt-4o-mini","messages":[{"role":"user","content":\#(JSONText.quote(text))}]\#(more)}"#
}

let chatPath = "/v1/chat/completions"

/// A whole chat completion as a document.
func chatDocument(_ content: String, finish: String = "stop", message: String? = nil, model: String = "gpt-4o-mini")
    -> String
{
    let inner = message ?? #""content":\#(JSONText.quote(content))"#
    return
        #"{"id":"chatcmpl-1","object":"chat.completion","created":1750000000,"model":"\#(model)","choices":[{"index":0,"#
        + #""message":{"role":"assistant",\#(inner)},"finish_reason":"\#(finish)"}],"#
        + #""usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}"#
}

/// The events of a chat completion, one for each word.
func chatEvents(_ words: [String], finish: String = "stop") -> [String] {
    func event(_ choices: String, _ usage: String = "null") -> String {
        #"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1750000000,"model":"gpt-4o-mini","choices":"#
            + "[\(choices)],\"usage\":\(usage)}\n\n"
    }
    func delta(_ delta: String) -> String { event(#"{"index":0,"delta":{\#(delta)},"finish_reason":null}"#) }
    return [delta(#""role":"assistant","content":"""#)] + words.map { delta(#""content":\#(JSONText.quote($0))"#) }
        + [
            event(#"{"index":0,"delta":{},"finish_reason":"\#(finish)"}"#),
            event("", #"{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}"#), "data: [DONE]\n\n",
        ]
}

extension Shared {
    func set(_ new: Value) { value.withLock { $0 = new } }
}

func wholeStream(_ events: [String]) -> String { streamHead + events.map { chunk($0) }.joined() + lastChunk }

/// A provider whose n-th answer says "answer n", so that a new answer can be told from a kept one.
final class NumberedProvider: Sendable {
    /// Answers wait while it is shut. Made anew for each hold.
    private let gate = Shared<Gate?>(nil)
    /// Refuses with this status instead of answering.
    let refusal = Shared<Int?>(nil)
    let scripted: ScriptedProvider

    init() throws {
        let (gate, refusal, count) = (gate, refusal, Shared(0))
        scripted = try ScriptedProvider.start { connection in
            while let request = try connection.readRequest() {
                let number = count.value.withLock { count in
                    count += 1
                    return count
                }
                gate.now?.wait()
                if let status = refusal.now {
                    try connection.send(plainAnswer(status, #"{"error":{"message":"no","code":"no_\#(status)"}}"#))
                } else if request.body.text.contains(#""stream":true"#) {
                    try connection.send(wholeStream(chatEvents(["answer", " \(number)"])))
                } else {
                    try connection.send(plainAnswer(200, chatDocument("answer \(number)")))
                }
            }
        }
    }

    /// Calls so far, those that are held included.
    var calls: Int { scripted.requests.count }

    func hold() { gate.set(Gate()) }
    func release() {
        let held = gate.value.withLock { gate in
            defer { gate = nil }
            return gate
        }
        held?.open()
    }

    deinit { release() }
}

/// A numbered provider behind a server of the harness.
struct NumberedRig {
    let provider = try? NumberedProvider()
    let server: WeirServer
    private let settings: String
    var client: HTTPClient { server.client }
    var calls: Int { provider?.calls ?? -1 }

    /// - Parameter cache: settings after the providers.
    init(_ cache: String = "") throws {
        guard let provider else { throw HarnessFailure("no numbered provider") }
        settings = provider.scripted.settings()
        server = try WeirServer.start(settings + cache, caches: true)
        server.companions = [provider]
    }

    func ask(_ body: String, _ control: String? = nil, client: HTTPClient? = nil) throws -> Response {
        try (client ?? self.client).post(chatPath, body, headers: control.map { [("Cache-Control", $0)] } ?? [])
    }

    /// The text of the answer.
    func text(_ body: String, _ control: String? = nil) throws -> String? { try ask(body, control).chatText() }

    func reload(_ cache: String) throws -> Bool { try server.reload(settings + cache) }
}

extension Response {
    /// What a chat completion says.
    func chatText() throws -> String? { try json()["choices"][0]["message"]["content"].string }
}

extension WeirServer {
    /// Entries in a layer (`l1`, `l2`, `l3`).
    func entries(_ layer: String) throws -> Int { Int(try metric("weir_cache_entries", label: "layer=\"\(layer)\"")) }

    /// Waits until a layer holds that many.
    func awaitEntries(_ layer: String, _ count: Int) throws {
        _ = try awaited("\(count) entries in \(layer)") { try entries(layer) == count ? true : nil }
    }
}

/// Lets the life of an answer pass: time is what is being tested, nothing else is waited for.
func letPass(_ duration: Duration) {
    let end = MonotonicInstant.now().advanced(by: duration)
    while MonotonicInstant.now() < end { pauseThread(.milliseconds(5)) }
}

/// A server that is stopped and started again in one folder.
final class RestartedServer {
    static let key = "a-key-that-is-long-enough"
    let folder: TemporaryFolder
    var settings: String
    private(set) var serving: Serving
    private(set) var port: Int
    var client: HTTPClient { HTTPClient(port: port, key: Self.key) }
    var data: String { "\(folder.path)/data" }

    init(_ settings: String) throws {
        folder = try TemporaryFolder()
        self.settings = settings
        (serving, port) = try Self.start(settings, folder)
    }

    private static func start(_ settings: String, _ folder: TemporaryFolder) throws -> (Serving, Int) {
        let serving = try Serving(
            ["--listen", "127.0.0.1:0"], settings: "[auth]\nadmin-key = \"env:ADMIN_KEY\"\n\n" + settings,
            environment: ["ADMIN_KEY": key], folder: folder)
        return (serving, try serving.port())
    }

    func start() throws { (serving, port) = try Self.start(settings, folder) }

    /// Ends the process and waits for it: SIGTERM in order, SIGKILL at once.
    @discardableResult
    func stop(_ signal: Int32 = SIGTERM) throws -> Int32 {
        serving.child.signal(signal)
        return try serving.child.waitForEnd(within: .seconds(30))
    }

    func restart(_ signal: Int32 = SIGTERM) throws {
        try stop(signal)
        try start()
    }

    func ask(_ body: String) throws -> Response { try client.post(chatPath, body) }

    func metric(_ name: String, label: String) throws -> Int {
        let lines = try client.get("/metrics").text.split(separator: "\n")
        let line = lines.first { $0.hasPrefix(name + "{") && $0.contains(label) }
        return line?.split(separator: " ").last.flatMap { Double($0) }.map { Int($0) } ?? 0
    }

    func awaitEntries(_ layer: String, atLeast count: Int) throws {
        _ = try awaited("\(count) entries in \(layer)") {
            try metric("weir_cache_entries", label: "layer=\"\(layer)\"") >= count ? true : nil
        }
    }
}
