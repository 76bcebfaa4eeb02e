import NIOCore

/// `GET /models` and `/models/{id}` in both dialects.
enum ModelAnswers {
    private static let openAI = [
        "gpt-4o-mini", "gpt-4o", "gpt-4.1-mini", "gpt-4.1", "text-embedding-3-small", "text-embedding-3-large",
        "gpt-3.5-turbo-instruct",
    ]
    private static let anthropic = [
        ("claude-opus-4-1-20250805", "Claude Opus 4.1"), ("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5"),
        ("claude-haiku-4-5-20251001", "Claude Haiku 4.5"),
    ]

    static func answer(_ request: SimulatedRequest, _ dialect: Dialect) throws(Refusal) -> ByteBuffer {
        guard request.method == "GET" else { throw Refusal.wrongTarget(request) }
        var buffer = ByteBuffer()
        switch dialect {
        case .openAI: try openAI(request, &buffer)
        case .anthropic: try anthropic(request, &buffer)
        }
        return buffer
    }

    private static func openAI(_ request: SimulatedRequest, _ buffer: inout ByteBuffer) throws(Refusal) {
        func put(_ id: String) {
            buffer.put("{\"id\":\"\(id)\",\"object\":\"model\",\"created\":1715367049,\"owned_by\":\"simulator\"}")
        }
        guard request.path == .models else {
            guard openAI.contains(request.id) else { throw unknown(request.id) }
            put(request.id)
            return
        }
        buffer.put("{\"object\":\"list\",\"data\":[")
        for (index, id) in openAI.enumerated() {
            if index > 0 { buffer.put(",") }
            put(id)
        }
        buffer.put("]}")
    }

    private static func anthropic(_ request: SimulatedRequest, _ buffer: inout ByteBuffer) throws(Refusal) {
        func put(_ id: String, _ name: String) {
            buffer.put("{\"type\":\"model\",\"id\":\"\(id)\",\"display_name\":\"\(name)\",")
            buffer.put("\"created_at\":\"2025-08-05T00:00:00Z\",\"lifecycle\":\"active\",")
            buffer.put("\"max_input_tokens\":200000,\"max_tokens\":64000}")
        }
        guard request.path == .models else {
            guard let known = anthropic.first(where: { $0.0 == request.id }) else { throw unknown(request.id) }
            put(known.0, known.1)
            return
        }
        buffer.put("{\"data\":[")
        for (index, model) in anthropic.enumerated() {
            if index > 0 { buffer.put(",") }
            put(model.0, model.1)
        }
        buffer.put("],\"has_more\":false,\"first_id\":\"\(anthropic[0].0)\",\"last_id\":\"\(anthropic[2].0)\"}")
    }

    private static func unknown(_ id: String) -> Refusal {
        Refusal(
            status: 404, message: "The model '\(id)' does not exist or you do not have access to it.",
            parameter: "model", code: "model_not_found")
    }
}
