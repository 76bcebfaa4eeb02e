import Base
import NIOCore

/// `POST /embeddings`: a unit vector made from a hash of each input, so that equal inputs have equal vectors
/// whatever batch they come in.
struct EmbeddingAnswers {
    static let inputsMax = 2_048
    static let dimensionsMax = 8_192

    private let fields: RequestFields
    private let inputs: [JSONValue]
    private let dimensions: Int
    private let isBase64: Bool
    private let seed: UInt64
    private let hasUsage: Bool

    init(_ fields: RequestFields, _ behaviour: Behaviour, seed: UInt64) throws(Refusal) {
        try fields.require(.model, .input)
        guard let input = fields[.input] else { throw Refusal.missing(.input) }
        let elements = fields.document.elements(input)
        inputs = input.kind == .string || elements.first?.kind == .number ? [input] : elements
        guard !inputs.isEmpty, inputs.count <= Self.inputsMax,
            inputs.allSatisfy({ $0.kind == .string || $0.kind == .array })
        else {
            throw Refusal.invalid(.input, "'$.input' is invalid: expected a string, tokens, or up to 2048 of them.")
        }
        let isLarge = fields.string(.model)?.hasSuffix("3-large") ?? false
        dimensions = fields.integer(.dimensions) ?? (isLarge ? 3_072 : 1_536)
        guard (1...Self.dimensionsMax).contains(dimensions) else {
            throw Refusal.invalid(.dimensions, "Invalid 'dimensions': expected 1 to \(Self.dimensionsMax).")
        }
        isBase64 = fields.string(.encodingFormat) == "base64"
        hasUsage = !behaviour.noUsage
        self.fields = fields
        self.seed = seed
    }

    func plain() -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.put("{\"object\":\"list\",\"data\":[")
        for (index, input) in inputs.enumerated() {
            buffer.put(index == 0 ? "{" : ",{")
            buffer.put("\"object\":\"embedding\",\"index\":\(index),\"embedding\":")
            let vector = Self.vector(seed: seed ^ hash(input), dimensions: dimensions)
            if isBase64 { Self.putBase64(vector, to: &buffer) } else { Self.putNumbers(vector, to: &buffer) }
            buffer.put("}")
        }
        buffer.put("],\"model\":")
        buffer.writeImmutableBuffer(fields.model)
        if hasUsage {
            let tokens = inputs.reduce(0) { $0 + tokenCount($1) }
            buffer.put(",\"usage\":{\"prompt_tokens\":\(tokens),\"total_tokens\":\(tokens)}")
        }
        buffer.put("}")
        return buffer
    }

    /// Of what the input says, not of how it is spelled.
    private func hash(_ input: JSONValue) -> UInt64 {
        if let text = fields.document.string(input) { return FNV1a.hash(text) }
        var hash = FNV1a()
        hash.add(fields.document.raw(input).readableBytesView.lazy.filter { $0 > 0x20 })
        return hash.value
    }

    private func tokenCount(_ input: JSONValue) -> Int {
        input.kind == .array ? fields.document.elements(input).count : max(1, (input.range.count - 2 + 3) / 4)
    }

    /// A vector of length 1, the same for one seed.
    static func vector(seed: UInt64, dimensions: Int) -> [Float] {
        var random = SeededRandom(seed: seed)
        var vector = [Float](repeating: 0, count: dimensions)
        var square: Double = 0
        for index in vector.indices {
            let value = random.nextUnit() * 2 - 1
            vector[index] = Float(value)
            square += value * value
        }
        let scale = Float(1 / max(square.squareRoot(), .leastNormalMagnitude))
        for index in vector.indices { vector[index] *= scale }
        return vector
    }

    private static func putNumbers(_ vector: [Float], to buffer: inout ByteBuffer) {
        buffer.put("[")
        for (index, value) in vector.enumerated() {
            if index > 0 { buffer.put(",") }
            buffer.put(value.description)
        }
        buffer.put("]")
    }

    /// Little-endian float32 values as one base64 string.
    private static func putBase64(_ vector: [Float], to buffer: inout ByteBuffer) {
        buffer.put("\"")
        let encoded: [UInt8] = vector.withUnsafeBytes { bytes in
            var text = [UInt8](repeating: UInt8(ascii: "="), count: (bytes.count + 2) / 3 * 4)
            for group in 0..<(bytes.count + 2) / 3 {
                let start = group * 3
                let known = min(3, bytes.count - start)
                var bits = UInt32(bytes[start]) << 16
                if known > 1 { bits |= UInt32(bytes[start + 1]) << 8 }
                if known > 2 { bits |= UInt32(bytes[start + 2]) }
                for position in 0...known {
                    text[group * 4 + position] = base64Alphabet[Int(bits >> UInt32(18 - 6 * position)) & 63]
                }
            }
            return text
        }
        buffer.writeBytes(encoded)
        buffer.put("\"")
    }
}

private let base64Alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
