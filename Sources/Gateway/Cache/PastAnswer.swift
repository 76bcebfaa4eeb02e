import Base
import NIOCore
import ResponseCache
import Settings

/// One line of past traffic: a request and what was answered to it, as their bytes were.
///
///     {"route":"/v1/messages","request":{…},"response":{…}|"events":"…"}
///
/// and, if known, `headers` (an object of texts) and `query` of the request, `model` and `provider` that answered, and
/// `created`, when that was. Other members are ignored.
struct PastAnswer {
    let route: AIRoute
    let request: ByteBuffer
    /// One JSON document, or server-sent events.
    let body: ByteBuffer
    let isEvents: Bool
    var headers: HeaderFields
    let query: String?
    /// The model that answered, for answers that do not tell.
    let model: String?
    let provider: String?
    let created: UnixTime?

    /// What every request of Anthropic's clients says, unless the line says otherwise; it stands in the key.
    private static let anthropicVersion = "2023-06-01"

    init(_ line: ByteBuffer) throws(AnswerImport.Refusal) {
        let members = try Members(line)
        guard let path = members.text("route"), let route = AIRoute(path: path) else {
            let known = AIRoute.allCases.map(\.path).joined(separator: ", ")
            throw .init("unknown_route", #""route" must be one of \#(known)"#)
        }
        guard let request = members.object("request") else {
            throw .init("invalid_line", #""request" must be the JSON object that was sent"#)
        }
        let (document, events) = (members.object("response"), members.text("events"))
        guard let body = document ?? events.map(ByteBuffer.init(string:)), (document == nil) != (events == nil) else {
            throw .init("invalid_line", #"there must be either "response", a JSON object, or "events", a text"#)
        }
        (self.route, self.request, self.body, isEvents) = (route, request, body, events != nil)
        (query, model, provider) = (members.text("query"), members.text("model"), members.text("provider"))
        created = try members.time("created")
        headers = try members.fields("headers")
        if route.dialect == .anthropic, !headers.contains("anthropic-version") {
            headers.add("anthropic-version", Self.anthropicVersion)
        }
    }

    /// The members of an object, and the line that they stand in.
    private struct Members {
        private let bytes: [UInt8]
        private var values: [String: (range: Range<Int>, kind: JSONKind)] = [:]

        init(_ line: ByteBuffer) throws(AnswerImport.Refusal) {
            bytes = Array(line.readableBytesView)
            var found = values
            let failure: JSONError? = bytes.withUnsafeBytes { bytes in
                var scanner = JSONScanner(bytes)
                do throws(JSONError) {
                    try scanner.scanObject { member in
                        guard let name = JSONText.decodeContent(bytes[member.key]) else { return }
                        found[name] = (member.value, member.kind)
                    }
                    return nil
                } catch { return error }
            }
            if let failure { throw .init(failure.code, failure.message) }
            values = found
        }

        func text(_ name: String) -> String? { values[name].flatMap { JSONText.decodeString(bytes[$0.range]) } }

        /// A copy, so that what is kept does not hold the whole line.
        func object(_ name: String) -> ByteBuffer? {
            guard let value = values[name], value.kind == .object else { return nil }
            return ByteBuffer(bytes: bytes[value.range])
        }

        func time(_ name: String) throws(AnswerImport.Refusal) -> UnixTime? {
            guard let value = values[name], value.kind != .null else { return nil }
            let text = String(decoding: bytes[value.range], as: UTF8.self)
            guard let seconds = Double(text), (0..<1e11).contains(seconds) else {
                throw .init("invalid_line", #""\#(name)" must be a time in seconds since 1970"#)
            }
            return UnixTime(microseconds: Int64(seconds * 1e6))
        }

        func fields(_ name: String) throws(AnswerImport.Refusal) -> HeaderFields {
            guard let object = object(name) else { return HeaderFields() }
            let members = try Members(object)
            let fields = members.values.keys.sorted().map { (name: $0, value: members.text($0)) }
            return HeaderFields(
                try fields.map { name, value throws(AnswerImport.Refusal) in
                    if let value { return (name, value) }
                    throw .init("invalid_line", "the header \(name) must be a text")
                })
        }
    }
}
