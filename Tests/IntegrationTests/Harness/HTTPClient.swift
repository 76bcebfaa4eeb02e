import Base
import Glibc

/// One answer. `body` is decoded from its framing, not from any content encoding.
struct Response {
    var status: Int
    var headers: [(name: String, value: String)]
    var body: [UInt8] = []

    /// The first field of that name, in any case.
    func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
    var text: String { body.text }
    /// Throws when the body is no JSON.
    func json() throws -> JSON { try JSON(body) }
    /// The id of the request in Weir's ledger.
    var requestID: String? { header("X-Weir-Request-Id") }
}

extension Connection {
    /// Writes one request. The Host is the connection's; a body gets its Content-Length unless the headers frame it.
    func sendRequest(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8]? = nil
    ) throws {
        var head = "\(method) \(path) HTTP/1.1\r\n"
        let names = Set(headers.map { $0.0.lowercased() })
        if !names.contains("host") { head += "Host: \(host)\r\n" }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body {
            if !names.contains("content-type") { head += "Content-Type: application/json\r\n" }
            if !names.contains("content-length"), !names.contains("transfer-encoding") {
                head += "Content-Length: \(body.count)\r\n"
            }
        }
        try send(Array((head + "\r\n").utf8) + (body ?? []))
    }

    /// Status and header fields of the next answer; 100 (Continue) is passed over. Its body comes with `readSome`,
    /// `readBody` or `nextEvent`.
    func readResponseHead(to method: String = "POST", within limit: Duration = patience) throws -> Response {
        while true {
            let (line, headers) = try readHead(within: limit)
            guard let status = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
                throw HarnessFailure("no status line: \(line)")
            }
            if status == 100 { continue }
            expectBody(headers, isRequest: false, hasNone: method == "HEAD" || status == 204 || status == 304)
            return Response(status: status, headers: headers)
        }
    }

    func readResponse(to method: String = "POST", within limit: Duration = patience) throws -> Response {
        var response = try readResponseHead(to: method, within: limit)
        response.body = try readBody(within: limit)
        return response
    }

    /// One whole exchange; the connection stays open for the next.
    func request(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: String? = nil,
        within limit: Duration = patience
    ) throws -> Response {
        try sendRequest(method, path, headers: headers, body: body.map { Array($0.utf8) })
        return try readResponse(to: method, within: limit)
    }
}

/// Reads the events of a streamed answer one by one as they come.
struct EventReader {
    let connection: Connection
    private var buffer: [UInt8] = []
    /// How much of `buffer` holds no end of an event.
    private var searched = 0
    private static let ends = ["\n\n", "\r\n\r\n", "\r\r"].map { Array($0.utf8) }
    /// All decoded bytes so far.
    private(set) var bytes: [UInt8] = []
    /// How the stream ended when it did not end as HTTP says it should.
    private(set) var brokenEnd: Connection.End?

    init(_ connection: Connection) { self.connection = connection }

    /// The next event up to and with its empty line, whatever the line ends; what is left when the stream ends
    /// without one; nil at the end.
    /// Throws `End.timedOut` when nothing comes in time.
    mutating func next(within limit: Duration = patience) throws -> String? {
        while true {
            let ends = Self.ends.compactMap { buffer.firstEnd(of: $0, from: max(0, searched - 3)) }
            searched = buffer.count
            if let end = ends.min() {
                defer { buffer.removeFirst(end) }
                searched = 0
                return Array(buffer[..<end]).text
            }
            guard let piece = try readSome(limit) else {
                defer { buffer = [] }
                return buffer.isEmpty ? nil : buffer.text
            }
            buffer += piece
            bytes += piece
        }
    }

    /// All events to the end.
    mutating func rest(within limit: Duration = patience) throws -> [String] {
        var events: [String] = []
        while let event = try next(within: limit) { events.append(event) }
        return events
    }

    private mutating func readSome(_ limit: Duration) throws -> [UInt8]? {
        do { return try connection.readSome(within: limit) } catch let end as Connection.End where end != .timedOut {
            brokenEnd = end
            return nil
        }
    }
}

/// Makes a new connection for each request and sends a key with it.
struct HTTPClient: Sendable {
    let port: Int
    /// Sent as `Authorization: Bearer`; nil sends none.
    var key: String?

    func connect() throws -> Connection { try Connection(port: port) }

    func headers(_ more: [(String, String)] = []) -> [(String, String)] {
        let hasOwn = more.contains { ["authorization", "x-api-key"].contains($0.0.lowercased()) }
        guard let key, !hasOwn else { return more }
        return [("Authorization", "Bearer \(key)")] + more
    }

    func request(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: String? = nil,
        within limit: Duration = patience
    ) throws -> Response {
        let connection = try connect()
        defer { connection.close() }
        return try connection.request(method, path, headers: self.headers(headers), body: body, within: limit)
    }

    func get(_ path: String, headers: [(String, String)] = []) throws -> Response {
        try request("GET", path, headers: headers)
    }

    /// - Parameter simulate: what the simulated provider should do (`X-Simulate`).
    func post(
        _ path: String, _ body: String, headers: [(String, String)] = [], simulate: String? = nil
    ) throws -> Response {
        try request("POST", path, headers: headers + (simulate.map { [("X-Simulate", $0)] } ?? []), body: body)
    }

    /// Sends a request and reads the head of its answer; the events are read from what is returned.
    func stream(
        _ path: String, _ body: String, headers: [(String, String)] = [], simulate: String? = nil
    ) throws -> (head: Response, events: EventReader) {
        let connection = try connect()
        let more = headers + (simulate.map { [("X-Simulate", $0)] } ?? [])
        try connection.sendRequest("POST", path, headers: self.headers(more), body: Array(body.utf8))
        let head = try connection.readResponseHead()
        return (head, EventReader(connection))
    }
}
