import Base
import NIOCore

/// The top-level members of a body that some answer depends on.
enum Field: String, CaseIterable {
    case model, messages, system, stream, n, tools, input, prompt, dimensions, thinking, store, background, text
    case instructions, metadata, temperature, endpoint
    case maxTokens = "max_tokens"
    case maxCompletionTokens = "max_completion_tokens"
    case maxOutputTokens = "max_output_tokens"
    case toolChoice = "tool_choice"
    case parallelToolCalls = "parallel_tool_calls"
    case streamOptions = "stream_options"
    case encodingFormat = "encoding_format"
    case previousResponseID = "previous_response_id"
    case topP = "top_p"
    case inputFileID = "input_file_id"
    case completionWindow = "completion_window"
    case simulate = "x_simulate"

}

/// A request body, scanned once: where each member of interest stands.
struct RequestFields {
    let document: JSONDocument
    private var values: [Field: JSONValue] = [:]

    /// Of a request that has no JSON body.
    init() { document = JSONDocument(text: ByteBuffer()) }

    /// Throws when the body is not one JSON object. Of a name that comes twice the last counts.
    init(_ body: ByteBuffer) throws(JSONError) {
        document = JSONDocument(text: body)
        var found: [Field: JSONValue] = [:]
        try document.scan { name, value in
            guard value.kind != .null, let field = Field(rawValue: name) else { return }
            found[field] = value
        }
        values = found
    }

    subscript(_ field: Field) -> JSONValue? { values[field] }

    func integer(_ field: Field) -> Int? { document.integer(values[field]) }
    func string(_ field: Field) -> String? { document.string(values[field]) }
    func isTrue(_ field: Field) -> Bool { document.isTrue(values[field]) }

    /// The model exactly as the request spells it, quotes included.
    var model: ByteBuffer { raw(.model, else: "\"\"") }

    /// A member as written, or another text when it is missing or null.
    func raw(_ field: Field, else fallback: String) -> ByteBuffer {
        guard let value = values[field] else { return ByteBuffer(string: fallback) }
        return document.raw(value)
    }

    /// The answer's length limit, by whichever name the dialect has for it.
    var maxTokens: Int? {
        integer(.maxCompletionTokens) ?? integer(.maxTokens) ?? integer(.maxOutputTokens)
    }

    var includesUsage: Bool {
        values[.streamOptions] != nil
            && document.isTrue(document.member("include_usage", of: values[.streamOptions]))
    }

    /// A guess as good as most: four bytes of prompt a token.
    func promptTokens(_ fields: Field...) -> Int {
        let bytes = fields.reduce(0) { $0 + (values[$1]?.range.count ?? 0) }
        return max(1, bytes / 4)
    }

    /// Throws the error both dialects give for a member that must be there.
    func require(_ fields: Field...) throws(Refusal) {
        for field in fields where values[field] == nil { throw Refusal.missing(field) }
    }
}
