import Base
import Ledger

/// What the events of one stream say: which model answers, the usage, whether it ended as it should, whether it broke.
/// It reads what passes and changes nothing. A pure state machine.
struct StreamInspector {
    /// What an event is to the relay.
    enum Meaning: Equatable {
        case content
        /// A comment, a ping, an event without data.
        case filler
        /// The chunk with usage and `choices: []` that ends a stream whose usage was asked for.
        case usageOnly
        case error
        /// `[DONE]`, `message_stop`, `response.completed` …
        case terminal
    }

    private let route: AIRoute
    private(set) var reader = UsageReader()
    private(set) var model: String?
    /// The id of a stored response (`/v1/responses`).
    private(set) var responseID: String?
    /// Events that carried content: an estimate of the tokens when the provider tells none.
    private(set) var contentEvents = 0
    private(set) var sawTerminal = false
    /// A finish reason has been seen: the answer is whole even when a local server leaves out `[DONE]`.
    private(set) var sawFinish = false
    private(set) var errorEvent: [UInt8]?

    init(_ route: AIRoute) { self.route = route }

    var isComplete: Bool { sawTerminal || sawFinish }

    mutating func read(_ event: UnsafeRawBufferPointer) -> Meaning {
        guard let data = EventFields.data(event) else { return .filler }
        if data.elementsEqual("[DONE]".utf8) {
            sawTerminal = true
            return .terminal
        }
        return data.withUnsafeBytes { bytes in
            switch route {
            case .messages, .countTokens: readMessages(bytes)
            case .responses, .responseInputTokens: readResponses(bytes)
            default: readChunk(bytes)
            }
        }
    }

    /// Every top-level member of a chunk that is JSON; none when it is not (it passes all the same).
    private func members(_ bytes: UnsafeRawBufferPointer) -> [String: JSONMember] {
        var found: [String: JSONMember] = [:]
        var scanner = JSONScanner(bytes)
        do { try scanner.scanObject { member in
            if member.key.count <= 12 { found[String(decoding: bytes[member.key], as: UTF8.self)] = member }
        } } catch { return [:] }
        return found
    }

    private func text(_ member: JSONMember?, _ bytes: UnsafeRawBufferPointer) -> String? {
        guard let member, member.kind == .string else { return nil }
        return JSONText.decodeString(bytes[member.value])
    }

    private mutating func fail(_ bytes: UnsafeRawBufferPointer) -> Meaning {
        errorEvent = Array(bytes)
        return .error
    }

    private mutating func readChunk(_ bytes: UnsafeRawBufferPointer) -> Meaning {
        let found = members(bytes)
        if let error = found["error"], error.kind != .null { return fail(bytes) }
        if model == nil { model = text(found["model"], bytes) }
        let hasUsage = found["usage"]?.kind == .object
        if let usage = found["usage"], hasUsage { reader.add(bytes[usage.value]) }
        guard let choices = found["choices"], choices.kind == .array else { return hasUsage ? .usageOnly : .content }
        let isEmpty = bytes[choices.value].allSatisfy { [0x5B, 0x5D, 0x20, 0x0A, 0x0D, 0x09].contains($0) }
        if isEmpty { return hasUsage ? .usageOnly : .content }
        contentEvents += 1
        if !sawFinish { sawFinish = Self.hasFinishReason(bytes[choices.value]) }
        return .content
    }

    /// Looks for `"finish_reason":"` outside strings; inside one its quotes would be escaped.
    private static func hasFinishReason(_ choices: Slice<UnsafeRawBufferPointer>) -> Bool {
        let name = Array(#""finish_reason""#.utf8)
        let bytes = UnsafeRawBufferPointer(rebasing: choices)
        guard bytes.count > name.count else { return false }
        for start in 0..<(bytes.count - name.count) where bytes[start] == 0x22 && bytes[start + 1] == 0x66 {
            guard bytes[start..<(start + name.count)].elementsEqual(name) else { continue }
            let value = bytes[(start + name.count)...].drop { $0 == 0x20 || $0 == 0x3A }
            if value.first == 0x22 { return true }
        }
        return false
    }

    private mutating func readMessages(_ bytes: UnsafeRawBufferPointer) -> Meaning {
        let found = members(bytes)
        switch text(found["type"], bytes) {
        case "error": return fail(bytes)
        case "ping": return .filler
        case "message_start":
            if let message = found["message"], message.kind == .object { readInner(message, bytes) }
        case "message_delta":
            if let usage = found["usage"], usage.kind == .object { reader.add(bytes[usage.value]) }
        case "message_stop":
            sawTerminal = true
            return .terminal
        case "content_block_delta": contentEvents += 1
        default: break
        }
        return .content
    }

    private mutating func readResponses(_ bytes: UnsafeRawBufferPointer) -> Meaning {
        let found = members(bytes)
        let type = text(found["type"], bytes)
        switch type {
        case "error": return fail(bytes)
        case "response.created", "response.completed", "response.failed", "response.incomplete":
            if let response = found["response"], response.kind == .object { readInner(response, bytes) }
            guard type != "response.created" else { return .content }
            sawTerminal = true
            return .terminal
        default:
            if type?.hasSuffix(".delta") == true { contentEvents += 1 }
            return .content
        }
    }

    /// `message` or `response`: an object with model, id and usage.
    private mutating func readInner(_ object: JSONMember, _ bytes: UnsafeRawBufferPointer) {
        var scanner = JSONScanner(bytes)
        var usage: Range<Int>?
        try? scanner.scanObject(in: object.value) { member in
            switch String(decoding: bytes[member.key], as: UTF8.self) {
            case "model" where member.kind == .string: model = JSONText.decodeString(bytes[member.value])
            case "id" where member.kind == .string: responseID = JSONText.decodeString(bytes[member.value])
            case "usage" where member.kind == .object: usage = member.value
            default: break
            }
        }
        if let usage { reader.add(bytes[usage]) }
    }
}
