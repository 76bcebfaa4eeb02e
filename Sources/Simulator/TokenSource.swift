import Base

/// The words of one answer, drawn from a seed: the same seed, the same text. Every token is JSON-safe as it stands
/// and brings its own leading space, as a tokenizer's tokens do.
struct TokenSource: IteratorProtocol, Sequence {
    private var random: SeededRandom
    private let words: [[UInt8]]
    private let count: Int
    private let endsSentence: Bool
    private var index = 0

    /// - Parameters:
    ///   - cutShort: the answer hit its length limit, so that no full stop ends it.
    ///   - wide: words outside ASCII, up to four bytes a character.
    init(seed: UInt64, count: Int, cutShort: Bool, wide: Bool) {
        random = SeededRandom(seed: seed)
        words = wide ? wideWords : plainWords
        self.count = count
        endsSentence = !cutShort && count > 1
    }

    mutating func next() -> ArraySlice<UInt8>? {
        guard index < count else { return nil }
        defer { index += 1 }
        if endsSentence && index == count - 1 { return fullStop }
        let word = words[Int(random.next() % UInt64(words.count))]
        return index == 0 ? word.dropFirst() : word[...]
    }
}

private let fullStop = Array(".".utf8)[...]

private func withLeadingSpace(_ text: String) -> [[UInt8]] {
    text.split(separator: " ").map { Array((" " + $0).utf8) }
}

private let plainWords = withLeadingSpace(
    """
    the a this every one water river stone field morning evening small quiet bright open cold warm slow early late \
    answer question model token request window garden bridge letter number signal market island harbour engine paper \
    lamp road field cloud summer winter forest valley mountain train station city village people children friends \
    walks runs writes reads keeps holds brings shows turns opens closes follows carries measures counts waits begins \
    and but because while before after under over near beside between through with without toward against always \
    often seldom again together quickly gently clearly simply almost enough
    """)

private let wideWords = withLeadingSpace(
    """
    Zürich naïve façade señor Ærø œuvre Łódź Ångström Ωμέγα русский слово 日本語 東京 世界 한국어 안녕 ελληνικά עברית \
    العربية हिन्दी ไทย Tiếng 🙂 🚀 👩‍🚀 🇨🇭 𝔘nicode 𠜎 €5 ½ “quoted” … naïveté ĳ ﬁne é
    """)
