import Base
import NIOCore

/// A response that may be asked for again by its id.
struct StoredResponse: Kept {
    /// What it was made from: input items and other states are written when someone asks for them.
    let answers: ResponsesAnswers
    /// The object as `GET` answers it.
    var object: ByteBuffer

    var id: String { answers.id }
    var byteCount: Int { object.readableBytes + answers.plan.fields.document.text.readableBytes }
}

/// The routes about responses that exist already.
extension ProviderMemory {
    func storedResponse(_ request: SimulatedRequest) throws(Refusal) -> ByteBuffer {
        guard let stored = response(request.id) else { throw Self.unknownResponse(request.id) }
        switch (request.method, request.path) {
        case ("GET", .response): return stored.object
        case ("GET", .responseItems):
            let items = InputItems(stored.answers.plan)
            var buffer = ByteBuffer()
            buffer.put("{\"object\":\"list\",\"data\":")
            buffer.writeImmutableBuffer(items.json)
            buffer.put(",\"first_id\":\"\(items.first)\",\"last_id\":\"\(items.last)\",\"has_more\":false}")
            return buffer
        case ("POST", .responseCancel):
            guard stored.answers.plan.fields.isTrue(.background) else {
                throw Refusal(status: 400, message: "Only responses with background set to true can be cancelled.")
            }
            var cancelled = stored
            cancelled.object = stored.answers.begun("cancelled")
            keep(cancelled)
            return cancelled.object
        case ("DELETE", .response):
            _ = removeResponse(request.id)
            return ByteBuffer(string: "{\"id\":\"\(stored.id)\",\"object\":\"response\",\"deleted\":true}")
        default: throw Refusal.wrongTarget(request)
        }
    }

    static func unknownResponse(_ id: String) -> Refusal {
        Refusal(status: 404, message: "Response with id '\(id)' not found.", parameter: nil, code: nil)
    }
}

/// The input of a response as a list of items, each with an id.
struct InputItems {
    private(set) var json = ByteBuffer()
    private(set) var first = ""
    private(set) var last = ""
    private var count = 0

    init(_ plan: AnswerPlan) {
        let document = plan.fields.document
        json.put("[")
        if let input = plan.fields[.input] {
            if input.kind == .string {
                addMessage(role: "user", content: input, document, plan)
            }
            for element in document.elements(input) { add(element, document, plan) }
        }
        json.put("]")
    }

    private mutating func add(_ element: JSONValue, _ document: JSONDocument, _ plan: AnswerPlan) {
        if let content = document.member("content", of: element) {
            let role = document.string(document.member("role", of: element)) ?? "user"
            addMessage(role: role, content: content, document, plan)
            return
        }
        if count > 0 { json.put(",") }
        let known = document.string(document.member("id", of: element))
        let id = open(known ?? identifier("item_", plan.identity &+ UInt64(count) &+ 100, length: 48))
        var raw = document.raw(element)
        guard known == nil, element.kind == .object else { json.writeImmutableBuffer(raw); return }
        raw.moveReaderIndex(forwardBy: 1)
        json.put("{\"id\":\"\(id)\",")
        json.writeImmutableBuffer(raw)
    }

    private mutating func addMessage(
        role: String, content: JSONValue, _ document: JSONDocument, _ plan: AnswerPlan
    ) {
        if count > 0 { json.put(",") }
        let id = open(identifier("msg_", plan.identity &+ UInt64(count) &+ 100, length: 48))
        json.put("{\"id\":\"\(id)\",\"type\":\"message\",\"status\":\"completed\",\"role\":")
        json.putQuoted(role)
        json.put(",\"content\":")
        if content.kind == .string {
            let isOutput = role == "assistant"
            json.put(isOutput ? "[{\"type\":\"output_text\",\"annotations\":[]," : "[{\"type\":\"input_text\",")
            json.put("\"text\":")
            json.writeImmutableBuffer(document.raw(content))
            json.put("}]")
        } else {
            json.writeImmutableBuffer(document.raw(content))
        }
        json.put("}")
    }

    private mutating func open(_ id: String) -> String {
        if count == 0 { first = id }
        last = id
        count += 1
        return id
    }
}
