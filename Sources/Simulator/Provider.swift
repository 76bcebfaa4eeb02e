import Base
import NIOCore
import NIOHTTP1

/// The simulated provider: a complete request goes in, an answer comes out. It does no input or output of its own.
final class Provider: Sendable {
    let options: SimulatorOptions
    let memory = ProviderMemory()
    let counters = CallCounters()
    private let clock = ClockTexts()

    init(_ options: SimulatorOptions) { self.options = options }

    /// What goes over the connection for one counted request.
    func transfer(for request: SimulatedRequest, _ connection: ConnectionTerms) -> Transfer {
        var behaviour = Behaviour()
        var answer: Answer
        do throws(Refusal) {
            let fields = try fields(of: request)
            try behaviour.apply(fields, request)
            try admit(request, &behaviour)
            answer = try self.answer(request, fields, behaviour)
        } catch {
            answer = Answer(error, request, requestID(request))
        }
        answer.take(behaviour, request)
        var head = HeadWriter(answer, behaviour, request, connection)
        head.requestID = requestID(request)
        head.processing = behaviour.latency ?? options.latency
        head.clock = clock
        return Transfer(answer, behaviour, options, connection, head)
    }

    /// The plain answer to a request that comes with no headers: a line of a batch.
    func plainAnswer(_ request: SimulatedRequest) -> Answer {
        do throws(Refusal) {
            return try answer(request, try fields(of: request), Behaviour(), streams: false)
        } catch {
            return Answer(error, request, requestID(request))
        }
    }

    private func requestID(_ request: SimulatedRequest) -> String {
        identifier("req_01", options.seed &+ UInt64(request.number) &* 0x9E37_79B9_7F4A_7C15, length: 22)
    }

    /// Scans the body where the route takes JSON.
    private func fields(of request: SimulatedRequest) throws(Refusal) -> RequestFields {
        guard request.bodyBytes == request.body.readableBytes else { throw Refusal.plain(413) }
        guard request.method == "POST", request.bodyBytes > 0,
            request.path != .files, request.path != .other
        else { return RequestFields() }
        do {
            return try RequestFields(request.body)
        } catch {
            throw Refusal(status: 400, message: "We could not parse the JSON body of your request: \(error.message)")
        }
    }

    /// Decides the call's fault and checks its key.
    private func admit(_ request: SimulatedRequest, _ behaviour: inout Behaviour) throws(Refusal) {
        switch options.faults.pick(seed: options.seed, call: request.number) {
        case .status(let status): behaviour.status = status
        case .reset: behaviour.reset = 0
        case nil: break
        }
        if let key = options.requiredKey, request.header("authorization") != "Bearer \(key)",
            request.header("x-api-key") != key
        {
            throw Refusal.plain(401)
        }
        if let status = behaviour.status { throw Refusal.plain(status) }
    }

    private func answer(
        _ request: SimulatedRequest, _ fields: RequestFields, _ behaviour: Behaviour, streams: Bool = true
    ) throws(Refusal) -> Answer {
        if let status = behaviour.html { return Answer(html: status) }
        let streams = streams && fields.isTrue(.stream)
        switch (request.method, request.path) {
        case ("POST", .chat):
            let answers = try ChatAnswers(plan(request, fields, behaviour))
            return streams ? Answer(answers.streamed()) : Answer(answers.plain())
        case ("POST", .completions):
            let answers = try CompletionAnswers(plan(request, fields, behaviour))
            return streams ? Answer(answers.streamed()) : Answer(answers.plain())
        case ("POST", .messages):
            let answers = try MessagesAnswers(plan(request, fields, behaviour)) { memory.hasSeen(prompt: $0) }
            return streams ? Answer(answers.streamed()) : Answer(answers.plain())
        case ("POST", .embeddings):
            return Answer(try EmbeddingAnswers(fields, behaviour, seed: options.seed).plain())
        case ("POST", .responses):
            return try response(plan(request, fields, behaviour), streams: streams)
        default: return try object(request, fields)
        }
    }

    /// The routes that have nothing to do with generated text.
    private func object(_ request: SimulatedRequest, _ fields: RequestFields) throws(Refusal) -> Answer {
        switch request.path {
        case .countTokens where request.method == "POST":
            return Answer(ByteBuffer(string: "{\"input_tokens\":\(MessagesAnswers.countTokens(fields))}"))
        case .responseTokens where request.method == "POST":
            let count = fields.promptTokens(.input, .instructions, .tools)
            return Answer(ByteBuffer(string: "{\"object\":\"response.input_tokens\",\"input_tokens\":\(count)}"))
        case .models, .model: return Answer(try ModelAnswers.answer(request, request.dialect))
        case .response, .responseCancel, .responseItems: return Answer(try memory.storedResponse(request))
        case .batches, .batch, .batchCancel: return Answer(try batchAnswer(request, fields))
        case .files, .file: return Answer(try memory.fileAnswer(request))
        case .fileContent: return Answer(try memory.fileAnswer(request), type: .octets)
        default: throw Refusal.wrongTarget(request)
        }
    }

    private func plan(_ request: SimulatedRequest, _ fields: RequestFields, _ behaviour: Behaviour) -> AnswerPlan {
        AnswerPlan(fields, request, behaviour, options)
    }

    private func response(_ plan: AnswerPlan, streams: Bool) throws(Refusal) -> Answer {
        let fields = plan.fields
        if let previous = fields.string(.previousResponseID), memory.response(previous) == nil {
            throw Refusal(
                status: 404, message: "Previous response with id '\(previous)' not found.",
                parameter: "previous_response_id", code: "previous_response_not_found")
        }
        let answers = try ResponsesAnswers(plan)
        let object = answers.plain()
        if fields[.store] == nil || fields.isTrue(.store) {
            memory.keep(StoredResponse(answers: answers, object: object))
        }
        if streams { return Answer(answers.streamed()) }
        return Answer(fields.isTrue(.background) ? answers.begun("queued") : object)
    }
}

extension Behaviour {
    /// What the body's `x_simulate` says, and over it what the header says.
    fileprivate mutating func apply(_ fields: RequestFields, _ request: SimulatedRequest) throws(Refusal) {
        do throws(BehaviourError) {
            if let text = fields.string(.simulate) { try apply(text) }
            for text in request.headers["x-simulate"] { try apply(text) }
        } catch {
            throw Refusal(status: 400, message: error.message, parameter: "x_simulate", code: error.code)
        }
    }
}
