import Base
import NIOCore

/// What the gateway reads of a request body, found in one pass. Values are byte ranges into the body where they may
/// have to be replaced; the rest of the body is never looked at again.
struct RequestFields: Sendable {
    var model: String?
    var modelRange: Range<Int>?
    var isStream = false
    /// Just after the value of `stream`: where a new member can be put.
    var streamEnd: Int?
    var streamOptions: (range: Range<Int>, kind: JSONKind)?
    /// They are an object with nothing in it.
    var streamOptionsAreEmpty = true
    /// `stream_options.include_usage` as the client wrote it.
    var includeUsage: (range: Range<Int>, value: Bool)?
    var previousResponseID: String?
    /// The work has an effect beyond its answer, so it must not be done twice unasked.
    var isBackground = false
    var isStored: Bool?

    /// - Throws: `GatewayError` 400 for what is not a JSON object or names a field of ours twice.
    init(scanning body: ByteBuffer) throws(GatewayError) {
        var found = Self.Members()
        let failure: JSONError? = body.withUnsafeReadableBytes { bytes in
            var scanner = JSONScanner(bytes)
            do throws(JSONError) {
                try scanner.scanObject { found.note($0, in: bytes) }
                if let options = found.streamOptions, options.kind == .object {
                    try scanner.scanObject(in: options.range) { found.noteOption($0, in: bytes) }
                }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw GatewayError(400, failure.code, failure.message) }
        if let twice = found.duplicate {
            throw GatewayError(
                400, "duplicate_field", "the field '\(twice)' stands twice in the body; send it once",
                parameter: twice)
        }
        if let wrong = found.wrongType {
            throw GatewayError(400, "invalid_type", "the field '\(wrong.0)' must be \(wrong.1)", parameter: wrong.0)
        }
        (model, modelRange, isStream, streamEnd) = (
            found.model, found.modelRange, found.stream ?? false, found.streamEnd
        )
        (streamOptions, includeUsage) = (found.streamOptions, found.includeUsage)
        streamOptionsAreEmpty = found.streamOptionsAreEmpty
        (previousResponseID, isBackground, isStored) = (
            found.previousResponseID, found.background ?? false, found.store
        )
    }

    private struct Members {
        var model: String?
        var modelRange: Range<Int>?
        var stream: Bool?
        var streamEnd: Int?
        var streamOptions: (range: Range<Int>, kind: JSONKind)?
        var streamOptionsAreEmpty = true
        var includeUsage: (range: Range<Int>, value: Bool)?
        var previousResponseID: String?
        var background: Bool?
        var store: Bool?
        /// The rarer fields of ours that have been seen.
        private var once: Set<String> = []
        var duplicate: String?
        var wrongType: (String, String)?

        mutating func note(_ member: JSONMember, in bytes: UnsafeRawBufferPointer) {
            guard let key = name(member, in: bytes) else { return }
            switch key {
            case "model":
                if modelRange != nil { duplicate = key }
                modelRange = member.value
                model = member.kind == .string ? JSONText.decodeString(bytes[member.value]) : nil
                if model == nil { wrongType = (key, "a string") }
            case "stream":
                if streamEnd != nil { duplicate = key }
                streamEnd = member.value.upperBound
                stream = boolean(member, in: bytes)
                if stream == nil && member.kind != .null { wrongType = (key, "true or false") }
            case "stream_options":
                if streamOptions != nil { duplicate = key }
                streamOptions = (member.value, member.kind)
            case "previous_response_id":
                if !once.insert(key).inserted { duplicate = key }
                previousResponseID = member.kind == .string ? JSONText.decodeString(bytes[member.value]) : nil
            case "background":
                if !once.insert(key).inserted { duplicate = key }
                background = boolean(member, in: bytes)
            case "store":
                if !once.insert(key).inserted { duplicate = key }
                store = boolean(member, in: bytes)
            default: break
            }
        }

        mutating func noteOption(_ member: JSONMember, in bytes: UnsafeRawBufferPointer) {
            streamOptionsAreEmpty = false
            guard JSONText.decodeContent(bytes[member.key]) == "include_usage" else { return }
            includeUsage = (member.value, boolean(member, in: bytes) ?? false)
        }

        private func boolean(_ member: JSONMember, in bytes: UnsafeRawBufferPointer) -> Bool? {
            member.kind == .bool ? bytes[member.value.lowerBound] == UInt8(ascii: "t") : nil
        }

        /// The key, if it is one of ours. Compared as bytes; only a key with escapes is decoded first.
        private func name(_ member: JSONMember, in bytes: UnsafeRawBufferPointer) -> String? {
            if member.keyIsEscaped { return JSONText.decodeContent(bytes[member.key]) }
            switch member.key.count {
            case 5:
                return bytes.holds("model", at: member.key)
                    ? "model" : bytes.holds("store", at: member.key) ? "store" : nil
            case 6: return bytes.holds("stream", at: member.key) ? "stream" : nil
            case 10: return bytes.holds("background", at: member.key) ? "background" : nil
            case 14: return bytes.holds("stream_options", at: member.key) ? "stream_options" : nil
            case 20: return bytes.holds("previous_response_id", at: member.key) ? "previous_response_id" : nil
            default: return nil
            }
        }
    }
}
