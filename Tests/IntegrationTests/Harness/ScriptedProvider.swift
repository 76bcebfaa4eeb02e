import Base
import Glibc
import Synchronization

/// A request as it came to a scripted provider.
struct ReceivedRequest: Sendable {
    /// Which connection it came on, from 0.
    var connection: Int
    var method: String
    var uri: String
    var headers: [(name: String, value: String)]
    var body: [UInt8]
    func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
}

/// A raw TCP server in this process. For each connection its script runs on a thread of its own and says byte for
/// byte what happens; the connection is closed when the script returns.
final class ScriptedProvider: Sendable {
    typealias Script = @Sendable (ScriptedConnection) throws -> Void

    let port: Int
    private let listener: Int32
    private let script: Script
    private let state = Mutex(State())

    private struct State {
        var requests: [ReceivedRequest] = []
        var connections = 0
        var isStopped = false
    }

    private init(listener: Int32, port: Int, script: @escaping Script) {
        (self.listener, self.port, self.script) = (listener, port, script)
    }

    static func start(_ script: @escaping Script) throws -> ScriptedProvider {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = loopbackAddress(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        guard listener >= 0, withSocketAddress(&address, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0,
            withSocketAddress(&address, { address, _ in getsockname(listener, address, &length) }) == 0
        else { throw HarnessFailure("cannot listen: \(errorText(errno))") }
        let port = Int(in_port_t(bigEndian: address.sin_port))
        let provider = ScriptedProvider(listener: listener, port: port, script: script)
        _ = OSThread.start("scripted") { [weak provider] in
            while true {
                let descriptor = retryingInterrupts { accept(listener, nil, nil) }
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                guard descriptor >= 0, let provider else {
                    Glibc.close(listener)
                    return
                }
                provider.serve(descriptor)
            }
        }
        return provider
    }

    /// Answers every request on every connection with these bytes.
    static func start(answering answer: String) throws -> ScriptedProvider {
        try start { connection in
            while try connection.readRequest() != nil { try connection.send(answer) }
        }
    }

    deinit { stop() }

    /// No further connections; open ones go on until their scripts end.
    func stop() {
        let isFirst = state.withLock { state in
            defer { state.isStopped = true }
            return !state.isStopped
        }
        if isFirst { shutdown(listener, Int32(SHUT_RDWR)) }
    }

    /// Everything received so far, in order of arrival.
    var requests: [ReceivedRequest] { state.withLock { $0.requests } }
    /// Connections made so far.
    var connections: Int { state.withLock { $0.connections } }

    /// Settings with this server as provider `sim` (OpenAI) and `anth` (Anthropic), as `Provider.settings`.
    func settings(name: String = "sim", lines: String = "", passthrough: Bool = true) -> String {
        providerSettings(port: port, name: name, lines: lines, passthrough: passthrough)
    }

    private func serve(_ descriptor: Int32) {
        let number = state.withLock { state in
            defer { state.connections += 1 }
            return state.connections
        }
        let script = script
        _ = OSThread.start("scripted-\(number % 1000)") { [weak self] in
            let connection = ScriptedConnection(Connection(descriptor: descriptor), number) { request in
                self?.state.withLock { $0.requests.append(request) }
            }
            // A script ends early when the other side goes: what it should have seen is asserted by the test.
            try? script(connection)
            connection.raw.close()
        }
    }
}

/// One connection to a scripted provider, as its script sees it.
final class ScriptedConnection {
    let raw: Connection
    /// Which connection this is, from 0.
    let number: Int
    /// Requests read so far.
    private(set) var requestCount = 0
    private let note: (ReceivedRequest) -> Void

    init(_ raw: Connection, _ number: Int, note: @escaping (ReceivedRequest) -> Void) {
        (self.raw, self.number, self.note) = (raw, number, note)
    }

    /// The next request with its whole body; nil when the other side has closed instead.
    func readRequest(within limit: Duration = .seconds(60)) throws -> ReceivedRequest? {
        let head: (line: String, headers: [(name: String, value: String)])
        do { head = try raw.readHead(within: limit) } catch is Connection.End { return nil }
        raw.expectBody(head.headers, isRequest: true)
        let parts = head.line.split(separator: " ")
        let expects = head.headers.contains { $0.name.lowercased() == "expect" }
        if expects { try raw.send("HTTP/1.1 100 Continue\r\n\r\n") }
        let request = ReceivedRequest(
            connection: number, method: String(parts.first ?? ""), uri: String(parts.dropFirst().first ?? ""),
            headers: head.headers, body: try raw.readBody())
        requestCount += 1
        note(request)
        return request
    }

    func send(_ text: String) throws { try raw.send(text) }
    func send(_ bytes: [UInt8]) throws { try raw.send(bytes) }
    func close() { raw.close() }
    func reset() { raw.reset() }
    func waitForEnd(within limit: Duration = patience) -> Connection.End { raw.waitForEnd(within: limit) }
}

/// A whole plain answer as bytes.
func plainAnswer(
    _ status: Int = 200, _ body: String, type: String = "application/json", headers: [(String, String)] = []
) -> String {
    let more = headers.map { "\($0.0): \($0.1)\r\n" }.joined()
    return "HTTP/1.1 \(status) X\r\nContent-Type: \(type)\r\n\(more)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

/// The head of a streamed answer, and one chunk of it.
let streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
func chunk(_ text: String) -> String { "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n" }
let lastChunk = "0\r\n\r\n"
