import Base
import NIOCore
import NIOHTTP1

/// A complete request for the provider.
struct SimulatedRequest {
    var method: String
    var path: RoutePath
    /// What stands at `{id}` in the path.
    var id = ""
    var uri = ""
    var headers = HTTPHeaders()
    var body: ByteBuffer
    /// Of the whole body, also of what was too much to keep.
    var bodyBytes: Int
    var bodyHash: UInt64
    /// Which call this is since the start or the last reset, from 1.
    var number = 0

    func header(_ name: String) -> String? { headers.first(name: name) }

    /// Whose formats the answer has. The list of models is asked for in both.
    var dialect: Dialect {
        if path.isAnthropic { return .anthropic }
        let isModels = path == .models || path == .model
        return isModels && headers.contains(name: "anthropic-version") ? .anthropic : .openAI
    }
}

/// What one generated answer is made from, decided once before any of it is written. It depends on the seed and the
/// body alone, so that the same body gives the same answer.
struct AnswerPlan {
    let fields: RequestFields
    let behaviour: Behaviour
    let stamped: Bool
    /// The bits every identifier of the answer is made from.
    let identity: UInt64
    /// Seconds since 1970.
    let created: Int
    let tokenCount: Int
    /// The answer ends at the request's limit.
    let cutShort: Bool
    let toolCalls: [ToolCall]
    private let textSeed: UInt64

    init(_ fields: RequestFields, _ request: SimulatedRequest, _ behaviour: Behaviour, _ options: SimulatorOptions) {
        var random = SeededRandom(seed: options.seed ^ request.bodyHash)
        self.fields = fields
        self.behaviour = behaviour
        stamped = options.timestamps
        identity = random.next()
        created = 1_750_000_000 + Int(random.next() % 31_536_000)
        let natural = 20 + Int(random.next() % 41)
        let limit = max(1, fields.maxTokens ?? .max)
        tokenCount = behaviour.tokens ?? min(natural, limit)
        cutShort = behaviour.tokens == nil && limit < natural
        textSeed = random.next()
        toolCalls = ToolCall.plan(fields, seed: random.next(), wide: behaviour.utf8)
    }

    /// The tokens of one choice.
    func text(_ choice: Int = 0) -> TokenSource {
        TokenSource(
            seed: textSeed &+ UInt64(choice) &* 0xA24B_AED4_963E_E407, count: tokenCount, cutShort: cutShort,
            wide: behaviour.utf8)
    }

    /// The whole text of one choice, and `filler` more bytes.
    func writeText(_ choice: Int = 0, filler: Int = 0, to buffer: inout ByteBuffer) {
        for token in text(choice) { buffer.writeBytes(token) }
        if filler > 0 { buffer.writeRepeatingByte(UInt8(ascii: "x"), count: filler) }
    }

    /// An empty script in the style the request asks for.
    func script() -> EventScript {
        var style = behaviour.eventStyle
        style.stamped = stamped
        return EventScript(style: style)
    }

    /// Renders a plain answer, a second time with filler when it was asked to be bigger.
    func plain(_ render: (_ filler: Int, _ buffer: inout ByteBuffer) -> Void) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: 1_024)
        render(0, &buffer)
        guard let size = behaviour.big, size > buffer.readableBytes else { return buffer }
        let filler = size - buffer.readableBytes
        buffer.clear(minimumCapacity: size)
        render(filler, &buffer)
        return buffer
    }
}
