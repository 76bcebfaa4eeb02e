import Base
package import NIOCore

/// One entry, every shape: a kept answer is a document or a stream of events, and serves callers of both kinds. The
/// document that a stream stands for is also the neutral form that other dialects start from. Pure, linear in the
/// answer; meant to be done once for each entry and shape.
package enum AnswerShapes {
    /// The answer as one JSON document: what was kept when it is one, else what the provider would have sent without
    /// `stream`. Nil when the recording is broken or has a form that we do not know: then it is a miss.
    package static func document(from answer: CachedAnswer) -> ByteBuffer? {
        guard answer.facts.shape == .events else { return answer.body }
        guard let stream = try? EventStream(Array(answer.body.readableBytesView)),
            let document = try? assemble(stream, answer.facts.family)
        else { return nil }
        let hasBrokenInput =
            answer.facts.family == .messages
            && AnswerReading.summary(document, family: .messages).hasInvalidToolArguments
        return hasBrokenInput ? nil : ByteBuffer(bytes: document.bytes)
    }

    /// The answer as server-sent events: the recording itself when there is one, else rendered.
    ///
    /// - Parameter includeUsage: `stream_options.include_usage` of the caller: without it a chunk that holds nothing
    ///   but usage is left out. Only chat and legacy completions have such chunks.
    /// - Returns: nil when the family is never streamed, or the document has a form that we do not know.
    package static func events(from answer: CachedAnswer, includeUsage: Bool) -> ByteBuffer? {
        let family = answer.facts.family
        let body = Array(answer.body.readableBytesView)
        if answer.facts.shape == .document {
            guard let document = JSONTree(object: body[...]) else { return nil }
            return (try? render(document, family, includeUsage: includeUsage)).map { ByteBuffer(bytes: $0) }
        }
        guard let stream = try? EventStream(body) else { return nil }
        switch family {
        case .chat, .completions: return replay(answer.body, stream, dropsUsage: !includeUsage)
        case .responses, .messages: return answer.body
        case .embeddings, .countTokens: return nil
        }
    }

    /// What the rules ask of an answer before it is kept. All but `isComplete` is blank for what is not whole.
    package static func summary(_ body: ByteBuffer, shape: AnswerShape, family: AnswerFamily) -> AnswerSummary {
        let bytes = Array(body.readableBytesView)
        guard String(validating: bytes, as: UTF8.self) != nil else { return AnswerSummary() }
        let document: JSONTree? =
            switch shape {
            case .document: JSONTree(object: bytes[...])
            case .events: (try? EventStream(bytes)).flatMap { try? assemble($0, family) }
            }
        return document.map { AnswerReading.summary($0, family: family) } ?? AnswerSummary()
    }

    /// Whether two documents say the same, their ids and times aside. O(n).
    static func haveSameContent(_ a: ByteBuffer, _ b: ByteBuffer, _ family: AnswerFamily) -> Bool {
        func content(_ body: ByteBuffer) -> [UInt8]? {
            guard let document = JSONTree(object: Array(body.readableBytesView)[...]) else { return nil }
            return switch family {
            case .chat, .completions: document["choices"]?.bytes
            case .embeddings: document["data"]?.bytes
            case .messages: document["content"]?.bytes
            case .countTokens: document.bytes
            case .responses: nil  // every item has an id of its own
            }
        }
        guard let first = content(a) else { return false }
        return first == content(b)
    }

    static func assemble(_ stream: EventStream, _ family: AnswerFamily) throws(ShapeFailure) -> JSONTree {
        switch family {
        case .chat, .completions: try ChunkAssembly.document(stream, family: family)
        case .responses: try ResponseEvents.document(stream)
        case .messages: try MessageAssembly.document(stream)
        case .embeddings, .countTokens: throw .unknownForm
        }
    }

    static func render(
        _ document: JSONTree, _ family: AnswerFamily, includeUsage: Bool
    ) throws(ShapeFailure) -> [UInt8] {
        switch family {
        case .chat, .completions:
            try ChunkRendering.events(document, family: family, includesUsage: includeUsage)
        case .responses: try ResponseEvents.events(document)
        case .messages: try MessageRendering.events(document)
        case .embeddings, .countTokens: throw .unknownForm
        }
    }

    /// The recorded bytes without chunks of usage alone, and with the empty line that a last `[DONE]` may lack.
    private static func replay(_ body: ByteBuffer, _ stream: EventStream, dropsUsage: Bool) -> ByteBuffer {
        let dropped = dropsUsage ? stream.events.filter(isUsageOnly) : []
        let isEnded =
            stream.bytes.hasSuffix([0x0A, 0x0A]) || stream.bytes.hasSuffix([0x0A, 0x0D, 0x0A])
            || stream.bytes.hasSuffix([0x0D, 0x0D])
        if dropped.isEmpty, isEnded { return body }
        var kept = ByteBuffer()
        kept.reserveCapacity(stream.bytes.count + 2)
        var start = 0
        for event in dropped {
            kept.writeBytes(stream.bytes[start..<event.range.lowerBound])
            start = event.range.upperBound
        }
        kept.writeBytes(stream.bytes[start...])
        if !isEnded { kept.writeBytes([0x0A, 0x0A]) }
        return kept
    }

    private static func isUsageOnly(_ event: EventStream.Event) -> Bool {
        guard let data = event.data, !event.isDone, let chunk = JSONTree(object: data) else { return false }
        return chunk["usage"]?.members != nil && chunk["choices"]?.elements?.isEmpty ?? true
    }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ end: [UInt8]) -> Bool { suffix(end.count).elementsEqual(end) }
}
