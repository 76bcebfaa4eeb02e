import Base
import Ledger

/// Reads the `usage` object of any dialect into one shape. Missing members count as zero; a member that is not a
/// number is ignored. Input is always the whole prompt, what came from a cache included.
struct UsageReader {
    private var input: Int?
    private var output: Int?
    private var cached = 0
    private var written = 0
    private var written1h = 0
    private var reasoning = 0
    private var inputExcludesCache = false

    /// Takes in a usage object; what came before stays unless this one says more (Anthropic's stream counts upwards).
    mutating func add(_ usage: some Collection<UInt8>) {
        Array(usage).withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            // An object that does not parse is a provider's mistake: then there is no usage, and it is estimated.
            try? scanner.scanObject { note($0, in: bytes, prefix: "") }
        }
    }

    private mutating func note(_ member: JSONMember, in bytes: UnsafeRawBufferPointer, prefix: String) {
        guard let key = JSONText.decodeContent(bytes[member.key]) else { return }
        if member.kind == .object, prefix.isEmpty {
            var inner = JSONScanner(bytes)
            try? inner.scanObject(in: member.value) { note($0, in: bytes, prefix: key + ".") }
            return
        }
        guard member.kind == .number, let number = Double(String(decoding: bytes[member.value], as: UTF8.self)),
            number >= 0, number < 1e15
        else { return }
        let value = Int(number)
        switch prefix + key {
        case "prompt_tokens", "input_tokens": input = max(input ?? 0, value)
        case "completion_tokens", "output_tokens": output = max(output ?? 0, value)
        case "prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens": cached = max(cached, value)
        case "cache_read_input_tokens":
            cached = max(cached, value)
            inputExcludesCache = true
        case "cache_creation_input_tokens":
            written = max(written, value)
            inputExcludesCache = true
        case "cache_creation.ephemeral_1h_input_tokens": written1h = max(written1h, value)
        case "completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens":
            reasoning = max(reasoning, value)
        default: break
        }
    }

    /// Nil until a usage object held at least one count.
    var usage: TokenUsage? {
        guard input != nil || output != nil else { return nil }
        var usage = TokenUsage()
        usage.input = (input ?? 0) + (inputExcludesCache ? cached + written : 0)
        usage.output = output ?? 0
        usage.cachedInput = cached
        usage.cacheWrite5m = max(0, written - written1h)
        usage.cacheWrite1h = written1h
        usage.reasoning = reasoning
        return usage
    }
}
