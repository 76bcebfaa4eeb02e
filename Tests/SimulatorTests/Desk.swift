import Base
import NIOCore
import NIOHTTP1
import Testing

@testable import Simulator

/// A provider without a socket: requests go in, what would be written comes out, with the times of a clock that
/// jumps to whatever is waited for.
struct Desk {
    let provider: Provider

    init(_ change: (inout SimulatorOptions) -> Void = { _ in }) {
        var options = SimulatorOptions()
        change(&options)
        provider = Provider(options)
    }

    func post(_ uri: String, _ body: String, _ headers: HTTPHeaders = [:]) throws -> Reply {
        try call("POST", uri, Array(body.utf8), headers)
    }

    func post(_ uri: String, _ body: String, simulate: String) throws -> Reply {
        try call("POST", uri, Array(body.utf8), ["X-Simulate": simulate])
    }

    func get(_ uri: String, _ headers: HTTPHeaders = [:]) throws -> Reply { try call("GET", uri, [], headers) }

    func call(
        _ method: String, _ uri: String, _ body: [UInt8], _ headers: HTTPHeaders = [:],
        _ terms: ConnectionTerms = ConnectionTerms()
    ) throws -> Reply {
        if let control = provider.control(method: method, uri: uri, terms) { return try Reply(playing: control) }
        let (path, id) = RoutePath.find(uri)
        var request = SimulatedRequest(
            method: method, path: path, id: id, uri: uri, headers: headers, body: ByteBuffer(bytes: body),
            bodyBytes: body.count, bodyHash: FNV1a.hash(ByteBuffer(bytes: body)))
        request.number = provider.counters.begin(request)
        return try Reply(playing: provider.transfer(for: request, terms))
    }
}

/// What one answer looked like on the wire.
struct Reply {
    struct Event: Equatable {
        var name: String?
        var data: String
    }

    private(set) var writes: [(at: Duration, bytes: [UInt8])] = []
    private(set) var ending = Ending.keepAlive
    let isImmediate: Bool
    private(set) var wire: [UInt8] = []
    private(set) var status = 0
    private(set) var headers: [(name: String, value: String)] = []
    /// The body as framed on the wire.
    private(set) var framedBody: [UInt8] = []

    init(playing transfer: Transfer) throws {
        isImmediate = transfer.isImmediate
        if isImmediate {
            ending = transfer.ending
            writes = [(.zero, Array(buffer: transfer.wholeWire()))]
        } else {
            try play(TokenStream(transfer, now: Self.start))
        }
        wire = writes.flatMap(\.bytes)
        parse()
    }

    init(wire: [UInt8]) {
        isImmediate = true
        self.wire = wire
        parse()
    }

    private static let start = MonotonicInstant(nanoseconds: 1_000_000_000_000)

    private mutating func play(_ stream: TokenStream) throws {
        var stream = stream
        var now = Self.start
        for _ in 0..<2_000_000 {
            switch stream.next(now: now) {
            case .send(let bytes): writes.append((now.duration(since: Self.start), Array(buffer: bytes)))
            case .wait(let moment):
                try #require(moment > now, "a wait is for later")
                now = moment
            case .end(let ending):
                self.ending = ending
                return
            }
        }
        Issue.record("the stream does not end")
    }

    private mutating func parse() {
        guard let blank = wire.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
        let lines = String(decoding: wire[..<blank.lowerBound], as: UTF8.self).split(separator: "\r\n")
        status = lines.first.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
        headers = lines.dropFirst().map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            return (String(line[..<colon]), String(line[colon...].dropFirst(2)))
        }
        framedBody = Array(wire[blank.upperBound...])
    }

    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The chunks of a chunked body up to where it stops making sense, and whether it ended as it should.
    var chunks: (all: [[UInt8]], isComplete: Bool) {
        var chunks: [[UInt8]] = []
        var rest = framedBody[...]
        while let end = rest.firstRange(of: Array("\r\n".utf8)) {
            let size = String(decoding: rest[..<end.lowerBound], as: UTF8.self)
            guard let count = Int(size, radix: 16) else { return (chunks, false) }
            if count == 0 { return (chunks, true) }
            guard rest[end.upperBound...].count >= count + 2 else { return (chunks, false) }
            chunks.append(Array(rest[end.upperBound..<(end.upperBound + count)]))
            rest = rest[(end.upperBound + count + 2)...]
        }
        return (chunks, false)
    }

    var bodyBytes: [UInt8] { header("transfer-encoding") == "chunked" ? chunks.all.flatMap { $0 } : framedBody }
    var body: String { String(decoding: bodyBytes, as: UTF8.self) }

    func json() throws -> JSONTree { try JSONTree.parse(bodyBytes) }

    /// The events, read as a client does: any line end, comments skipped, data lines joined.
    var events: [Event] {
        let text = body.replacing("\r\n", with: "\n")
        return text.split(separator: "\n\n").compactMap { block in
            var name: String?
            var data: [Substring] = []
            for line in block.split(separator: "\n") {
                if line.hasPrefix("event: ") { name = String(line.dropFirst(7)) }
                if line.hasPrefix("data: ") { data.append(line.dropFirst(6)) }
            }
            return data.isEmpty ? nil : Event(name: name, data: data.joined(separator: "\n"))
        }
    }

    /// The data of every event that is JSON.
    func eventTrees() throws -> [JSONTree] {
        try events.filter { $0.data != "[DONE]" }.map { try JSONTree.parse(Array($0.data.utf8)) }
    }

    /// The text of one choice of a chat stream.
    func chatText(_ choice: Int = 0) throws -> String {
        try eventTrees().flatMap(\.["choices"].items).filter { $0["index"].integer == choice }
            .compactMap(\.["delta"]["content"].string).joined()
    }
}

extension Array where Element == UInt8 {
    init(buffer: ByteBuffer) { self = Array(buffer.readableBytesView) }

    func firstRange(of pattern: [UInt8]) -> Range<Int>? { self[...].firstRange(of: pattern) }
}

extension ArraySlice where Element == UInt8 {
    func firstRange(of pattern: [UInt8]) -> Range<Int>? {
        guard count >= pattern.count else { return nil }
        for start in startIndex...(endIndex - pattern.count)
        where self[start] == pattern[0] && self[start..<(start + pattern.count)].elementsEqual(pattern) {
            return start..<(start + pattern.count)
        }
        return nil
    }
}
