import Base
import Ledger
import NIOCore
import Upstream

/// How a provider's answer passes through: as a stream of events, as one plain body, or, when an error page is no
/// JSON, wrapped into the dialect of the route. It tells the exchange what to send and reads usage on the way.
/// A pure state machine.
struct AnswerPassage {
    enum Action {
        case nothing
        /// Send the head (unless it went out before) and these pieces; `isWhole`: that is all.
        case send(head: ResponseHead?, pieces: [ByteBuffer], isWhole: Bool)
        /// Answer with an error of ours that keeps the provider's status.
        case wrap(status: Int, message: String)
        /// Answer with this status and error body in place of the stream that began with it.
        case replace(status: Int, body: [UInt8])
        /// A whole list of objects, to be filtered before it leaves.
        case list(head: ResponseHead, body: [UInt8])
        /// The provider stopped in the middle.
        case breakOff
    }

    private enum Shape { case unknown, plain, stream, foreignError, list }

    private let route: AIRoute?
    private let stripsUsage: Bool
    private let listsObjects: Bool
    /// The answer is read by us, so curl has undone its encoding.
    private let decodes: Bool
    private var shape = Shape.unknown
    private var head: ResponseHead?
    private(set) var headWasSent = false
    private var relay: StreamRelay?
    private var capture = JSONMemberCapture(encoded: Self.captured)
    /// Bytes that wait for the end of their batch, so that a short answer leaves in one piece with its cost.
    private var held: [ByteBuffer] = []
    private var firstBytes: [UInt8] = []
    private var scanned = 0
    private(set) var isDecoded = false

    private static let captured = ["usage", "model", "id", "output_file_id", "error_file_id"].map { Array($0.utf8) }
    /// How much of an error body is kept for naming its cause.
    private static let errorBytesMax = 4_096

    /// - Parameter listsObjects: the answer is a list of objects of which only the tenant's own may be shown.
    /// - Parameter readsAnswer: we read this answer to a passed-through request.
    init(route: AIRoute?, stripsUsage: Bool, listsObjects: Bool = false, readsAnswer: Bool = false) {
        decodes = route != nil || listsObjects || readsAnswer
        self.route = route
        self.stripsUsage = stripsUsage
        self.listsObjects = listsObjects
    }

    var isStream: Bool { shape == .stream }
    /// The provider itself said, inside its stream, that it failed.
    var endedInError: Bool { relay?.inspector.errorEvent != nil }
    /// A stream whose end has not come.
    var isCutShort: Bool { relay?.inspector.isComplete == false }
    /// The `sequence_number` of an event of our own in a response's stream.
    var nextSequenceNumber: Int { relay?.inspector.responseEvents ?? 0 }
    /// An event of our own may follow what was sent.
    var mayAddEvent: Bool { headWasSent && relay?.isAtBoundary == true }

    mutating func begin(_ head: ResponseHead) {
        self.head = head
        isDecoded = decodes && head.headers.contains("content-encoding")
        let type = head.headers["content-type"]?.lowercased() ?? ""
        if let route, head.status < 300, type.hasPrefix("text/event-stream") {
            shape = .stream
            relay = StreamRelay(route, stripsUsage: stripsUsage)
            // Events may be taken out or put in, so a length that the provider knew no longer holds.
            self.head?.headers.remove("content-length")
        } else if route != nil, head.status >= 400, !type.contains("json") {
            shape = .foreignError
        } else if listsObjects, head.status < 300 {
            shape = .list
        } else {
            shape = .plain
        }
    }

    mutating func receive(_ bytes: ByteBuffer) -> Action {
        switch shape {
        case .unknown: return .breakOff
        case .stream: return relayed(relay?.receive(bytes) ?? .pieces([]), isWhole: false)
        case .foreignError:
            keepFirst(bytes)
            return .nothing
        case .list:
            scanned += bytes.readableBytes
            guard scanned <= Limits.objectListBytesMax else { return .breakOff }
            firstBytes.append(contentsOf: bytes.readableBytesView)
            return .nothing
        case .plain:
            read(bytes)
            if headWasSent { return .send(head: nil, pieces: [bytes], isWhole: false) }
            held.append(bytes)
            return .nothing
        }
    }

    /// All that came at one time has been received: what is held leaves.
    mutating func batchEnded() -> Action {
        guard shape == .plain, !headWasSent, let head else { return .nothing }
        return .send(head: sendingHead(head), pieces: takeHeld(), isWhole: false)
    }

    mutating func end() -> Action {
        switch shape {
        case .unknown: return .breakOff
        case .plain:
            return .send(head: headWasSent ? nil : head.map { sendingHead($0) }, pieces: takeHeld(), isWhole: true)
        case .list: return head.map { .list(head: $0, body: firstBytes) } ?? .breakOff
        case .foreignError: return .wrap(status: head?.status ?? 502, message: describeForeignError())
        case .stream:
            let wasSent = headWasSent
            let last = relayed(relay?.finish() ?? .pieces([]), isWhole: true)
            guard case .send = last else { return last }
            guard let inspector = relay?.inspector else { return .breakOff }
            // What passed unread is as whole as its HTTP framing says.
            if inspector.isComplete || inspector.errorEvent != nil || relay?.isBlind == true { return last }
            headWasSent = wasSent  // a torn first event does not leave, nor does its head
            return wasSent ? .breakOff : .wrap(status: 502, message: "ended its stream before it began")
        }
    }

    private mutating func relayed(_ output: StreamRelay.Output, isWhole: Bool) -> Action {
        switch output {
        case .firstError(let error): return .replace(status: StreamError.status(of: error), body: error)
        case .pieces(let pieces):
            if pieces.isEmpty && !isWhole { return .nothing }
            let first =
                headWasSent || (pieces.isEmpty && relay?.isCommitted != true) ? nil : head.map { sendingHead($0) }
            return .send(head: first, pieces: pieces, isWhole: isWhole)
        }
    }

    private mutating func sendingHead(_ head: ResponseHead) -> ResponseHead {
        headWasSent = true
        return head
    }

    private mutating func takeHeld() -> [ByteBuffer] {
        defer { held = [] }
        return held
    }

    // MARK: Reading along

    private mutating func read(_ bytes: ByteBuffer) {
        if let head, head.status >= 400 { keepFirst(bytes) }
        scanned += bytes.readableBytes
        guard scanned <= Limits.usageScanBytesMax else { return }
        bytes.withUnsafeReadableBytes { capture.feed($0) }
    }

    private mutating func keepFirst(_ bytes: ByteBuffer) {
        firstBytes.append(contentsOf: bytes.readableBytesView.prefix(Self.errorBytesMax - firstBytes.count))
    }

    var usage: TokenUsage? {
        if let relay { return relay.inspector.reader.usage }
        guard let raw = capture.values[0] else { return nil }
        var reader = UsageReader()
        reader.add(raw)
        return reader.usage
    }

    var model: String? { relay?.inspector.model ?? capture.values[1].flatMap { JSONText.decodeString($0) } }

    /// The id of what the provider made (a stored response, a file, a batch); nil for errors.
    var objectID: String? {
        guard let head, head.status < 300 else { return nil }
        return relay?.inspector.responseID ?? capture.values[2].flatMap { JSONText.decodeString($0) }
    }

    /// The files that a batch wrote.
    var writtenFileIDs: [String] {
        guard let head, head.status < 300 else { return [] }
        return capture.values[3...4].compactMap { $0.flatMap { JSONText.decodeString($0) } }
    }

    /// Four bytes of a plain answer, or one event of a stream, are about a token.
    var estimatedOutput: Int { relay?.inspector.contentEvents ?? scanned / 4 }

    func refusalCode(status: Int) -> String? {
        guard status >= 400, status != 499, !firstBytes.isEmpty else { return nil }
        return RefusalCause(status: status, body: firstBytes).rawValue
    }

    /// A short, clean extract: pages of proxies in between are long and say little.
    private func describeForeignError() -> String {
        let text = String(decoding: firstBytes.prefix(512), as: UTF8.self)
        let words = text.split { $0.isWhitespace || $0 == "<" || $0 == ">" }.prefix(12).joined(separator: " ")
        let clean = words.unicodeScalars.filter { $0.value >= 0x20 && $0.value < 0x7F }
        let status = head?.status ?? 502
        let extract = String(String.UnicodeScalarView(clean)).prefix(120)
        return extract.isEmpty ? "answered \(status) without a body" : "answered \(status), not in JSON: \(extract)"
    }
}
