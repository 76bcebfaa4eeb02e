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
    /// Events of a response so far: the `sequence_number` of the next.
    private(set) var responseEvents = 0
    private(set) var sawTerminal = false
    /// A finish reason has been seen: the answer is whole even when a local server leaves out `[DONE]`.
    private(set) var sawFinish = false
    private(set) var errorEvent: [UInt8]?

    init(_ route: AIRoute) { self.route = route }

    var isComplete: Bool { sawTerminal || sawFinish }

    mutating func read(_ event: UnsafeRawBufferPointer) -> Meaning {
        EventFields.withData(event) { readData($0) } ?? .filler
    }

    private mutating func readData(_ data: UnsafeRawBufferPointer) -> Meaning {
        if data.holds("[DONE]", at: 0..<data.count) {
            sawTerminal = true
            return .terminal
        }
        let members = Members(data)
        return switch route {
        case .messages, .countTokens: readMessages(data, members)
        case .responses, .responseInputTokens: readResponses(data, members)
        default: readChunk(data, members)
        }
    }

    /// The top-level members that any dialect's events are told apart by; all nil when the data is no JSON object (it
    /// passes all the same).
    private struct Members {
        var type: JSONMember?
        var error: JSONMember?
        var model: JSONMember?
        var usage: JSONMember?
        var choices: JSONMember?
        var message: JSONMember?
        var response: JSONMember?

        init(_ bytes: UnsafeRawBufferPointer) {
            var found = Self()
            var scanner = JSONScanner(bytes)
            do throws(JSONError) { try scanner.scanObject { found.note($0, bytes) } } catch { return }
            self = found
        }

        private init() {}

        private mutating func note(_ member: JSONMember, _ bytes: UnsafeRawBufferPointer) {
            switch member.key.count {
            case 4 where bytes.holds("type", at: member.key): type = member
            case 5:
                if bytes.holds("error", at: member.key) { error = member }
                if bytes.holds("model", at: member.key) { model = member }
                if bytes.holds("usage", at: member.key) { usage = member }
            case 7:
                if bytes.holds("choices", at: member.key) { choices = member }
                if bytes.holds("message", at: member.key) { message = member }
            case 8 where bytes.holds("response", at: member.key): response = member
            default: break
            }
        }
    }

    private func text(_ member: JSONMember?, _ bytes: UnsafeRawBufferPointer) -> String? {
        guard let member, member.kind == .string else { return nil }
        return JSONText.decodeString(bytes[member.value])
    }

    private mutating func fail(_ bytes: UnsafeRawBufferPointer) -> Meaning {
        errorEvent = Array(bytes)
        return .error
    }

    private mutating func readChunk(_ bytes: UnsafeRawBufferPointer, _ found: Members) -> Meaning {
        if let error = found.error, error.kind != .null { return fail(bytes) }
        if model == nil { model = text(found.model, bytes) }
        let hasUsage = found.usage?.kind == .object
        if let usage = found.usage, hasUsage { reader.add(bytes, usage.value) }
        guard let choices = found.choices, choices.kind == .array else { return hasUsage ? .usageOnly : .content }
        let isEmpty = bytes[choices.value].dropFirst().first { $0 > 0x20 } == UInt8(ascii: "]")
        if isEmpty { return hasUsage ? .usageOnly : .content }
        contentEvents += 1
        if !sawFinish { sawFinish = Self.hasFinishReason(bytes, choices.value) }
        return .content
    }

    /// Looks for `"finish_reason":"` outside strings; inside one its quotes would be escaped.
    private static func hasFinishReason(_ bytes: UnsafeRawBufferPointer, _ choices: Range<Int>) -> Bool {
        let name: StaticString = "\"finish_reason\""
        let length = name.utf8CodeUnitCount
        guard choices.count > length else { return false }
        for start in choices.lowerBound..<(choices.upperBound - length)
        where bytes[start] == 0x22 && bytes[start + 1] == 0x66 && bytes.holds(name, at: start..<(start + length)) {
            let value = bytes[(start + length)..<choices.upperBound].drop { $0 == 0x20 || $0 == 0x3A }
            if value.first == 0x22 { return true }
        }
        return false
    }

    private mutating func readMessages(_ bytes: UnsafeRawBufferPointer, _ found: Members) -> Meaning {
        switch text(found.type, bytes) {
        case "error": return fail(bytes)
        case "ping": return .filler
        case "message_start":
            if let message = found.message, message.kind == .object { readInner(message, bytes) }
        case "message_delta":
            if let usage = found.usage, usage.kind == .object { reader.add(bytes, usage.value) }
        case "message_stop":
            sawTerminal = true
            return .terminal
        case "content_block_delta": contentEvents += 1
        default: break
        }
        return .content
    }

    private mutating func readResponses(_ bytes: UnsafeRawBufferPointer, _ found: Members) -> Meaning {
        let type = text(found.type, bytes)
        responseEvents += 1
        switch type {
        case "error": return fail(bytes)
        case "response.created", "response.completed", "response.failed", "response.incomplete":
            if let response = found.response, response.kind == .object { readInner(response, bytes) }
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
            if member.kind == .string, bytes.holds("model", at: member.key) {
                model = JSONText.decodeString(bytes[member.value])
            } else if member.kind == .string, bytes.holds("id", at: member.key) {
                responseID = JSONText.decodeString(bytes[member.value])
            } else if member.kind == .object, bytes.holds("usage", at: member.key) {
                usage = member.value
            }
        }
        if let usage { reader.add(bytes, usage) }
    }
}
