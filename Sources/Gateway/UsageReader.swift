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

    private enum Part { case whole, inputDetails, outputDetails, cacheCreation }

    /// Takes in a usage object; what came before stays unless this one says more (Anthropic's stream counts upwards).
    mutating func add(_ usage: [UInt8]) {
        usage.withUnsafeBytes { add($0, 0..<$0.count) }
    }

    /// The same for an object inside a larger text. One that does not parse is a provider's mistake: then there is no
    /// usage, and it is estimated.
    mutating func add(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) { read(bytes, range, .whole) }

    private mutating func read(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ part: Part) {
        var scanner = JSONScanner(bytes)
        try? scanner.scanObject(in: range) { note($0, bytes, part) }
    }

    private mutating func note(_ member: JSONMember, _ bytes: UnsafeRawBufferPointer, _ part: Part) {
        func named(_ name: StaticString) -> Bool { bytes.holds(name, at: member.key) }
        if member.kind == .object {
            guard part == .whole else { return }
            if named("prompt_tokens_details") || named("input_tokens_details") {
                read(bytes, member.value, .inputDetails)
            } else if named("completion_tokens_details") || named("output_tokens_details") {
                read(bytes, member.value, .outputDetails)
            } else if named("cache_creation") {
                read(bytes, member.value, .cacheCreation)
            }
            return
        }
        guard member.kind == .number, let value = bytes.count(at: member.value) else { return }
        switch part {
        case .whole: noteWhole(value, named)
        case .inputDetails: if named("cached_tokens") { cached = max(cached, value) }
        case .outputDetails: if named("reasoning_tokens") { reasoning = max(reasoning, value) }
        case .cacheCreation: if named("ephemeral_1h_input_tokens") { written1h = max(written1h, value) }
        }
    }

    private mutating func noteWhole(_ value: Int, _ named: (StaticString) -> Bool) {
        if named("prompt_tokens") || named("input_tokens") {
            input = max(input ?? 0, value)
        } else if named("completion_tokens") || named("output_tokens") {
            output = max(output ?? 0, value)
        } else if named("cache_read_input_tokens") {
            (cached, inputExcludesCache) = (max(cached, value), true)
        } else if named("cache_creation_input_tokens") {
            (written, inputExcludesCache) = (max(written, value), true)
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
