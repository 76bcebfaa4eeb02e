import Base
import NIOCore
import Testing

@testable import ResponseCache

/// Short ways to make kept answers and to look at their shapes.
enum Shaped {
    static func answer(_ body: String, _ shape: AnswerShape, _ family: AnswerFamily) -> CachedAnswer {
        answer(Array(body.utf8), shape, family)
    }

    static func answer(_ body: [UInt8], _ shape: AnswerShape, _ family: AnswerFamily) -> CachedAnswer {
        let time = UnixTime(microseconds: 0)
        let facts = AnswerFacts(
            family: family, shape: shape, life: .ordinary, tenant: "t", model: "m", provider: "p", contentType: "",
            created: time, freshUntil: time, usableUntil: time)
        return CachedAnswer(request: ByteBuffer(), body: ByteBuffer(bytes: body), facts: facts)
    }

    /// The document that a recording stands for.
    static func document(_ events: String, _ family: AnswerFamily) -> String? {
        AnswerShapes.document(from: answer(events, .events, family)).map { String(buffer: $0) }
    }

    /// The stream that a document is rendered to.
    static func events(_ document: String, _ family: AnswerFamily, usage: Bool = true) -> String? {
        AnswerShapes.events(from: answer(document, .document, family), includeUsage: usage).map { String(buffer: $0) }
    }

    /// A recording as a streaming caller gets it.
    static func replayed(_ events: String, _ family: AnswerFamily, usage: Bool) -> String? {
        AnswerShapes.events(from: answer(events, .events, family), includeUsage: usage).map { String(buffer: $0) }
    }

    static func summary(_ body: String, _ shape: AnswerShape, _ family: AnswerFamily) -> AnswerSummary {
        AnswerShapes.summary(ByteBuffer(string: body), shape: shape, family: family)
    }

    /// Events of these data, as the families without event names have them.
    static func stream(_ data: [String], end: String = "\n") -> String {
        data.map { "data: \($0)\(end)\(end)" }.joined()
    }

    /// Events that are named after their `type`.
    static func named(_ data: [String]) -> String {
        data.map { "event: \(JSONTree(object: Array($0.utf8)[...])?["type"]?.string ?? "?")\ndata: \($0)\n\n" }.joined()
    }

    /// The objects of a stream's events.
    static func objects(_ events: String) throws -> [JSONTree] {
        try EventStream(Array(events.utf8)).events.compactMap { $0.data }.compactMap { JSONTree(object: $0) }
    }

    static func types(_ events: String) throws -> [String] { try objects(events).compactMap { $0["type"]?.string } }
}

/// A text of JSON that is equal for equal values: members sorted, no white space, escapes resolved. Numbers keep their
/// spelling.
func canonical(_ text: String?) -> String? { text.map { canonical(.raw(Array($0.utf8)[...])) } }

func canonical(_ tree: JSONTree) -> String {
    if let members = tree.members {
        let lines = members.map { "\"\(String(decoding: $0.key, as: UTF8.self))\":\(canonical($0.value))" }
        return "{\(lines.sorted().joined(separator: ","))}"
    }
    if let elements = tree.elements { return "[\(elements.map { canonical($0) }.joined(separator: ","))]" }
    return tree.string.map { JSONText.quote($0) } ?? String(decoding: tree.bytes, as: UTF8.self)
}
