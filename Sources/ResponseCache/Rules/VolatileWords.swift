/// Words by which a question asks for what changes. Whole words, without regard to case (ASCII and Latin-1); of scripts
/// that put no space between words, two characters anywhere.
///
/// Only the ends of a long message are searched: a question stands before or after what it is about, and a pasted
/// document nearly always holds a "now".
enum VolatileWords {
    /// Searched at the beginning of the first text of a message and at the end of its last one.
    static let windowBytes = 1_024

    private static let words = HashedWords([
        "today", "tonight", "tomorrow", "yesterday", "now", "nowadays", "current", "currently", "latest", "newest",
        "recent", "recently", "price", "prices", "weather", "forecast", "news", "version", "versions",
        "this week", "this weekend", "this month", "this quarter", "this year", "this morning", "this afternoon",
        "this evening", "last night", "last week", "next week", "the moment", "to date",
        // German
        "heute", "morgen", "gestern", "jetzt", "aktuell", "aktuelle", "aktuellen", "derzeit", "neueste",
        "neuesten", "wetter", "preis", "preise", "nachrichten", "diese woche",
        // French
        "aujourd", "demain", "maintenant", "actuel", "actuelle", "actuellement", "météo", "prix",
        "cette semaine",
        // Spanish, Portuguese, Italian
        "hoy", "ahora", "ayer", "mañana", "actualmente", "último", "última", "precio", "noticias", "esta semana",
        "hoje", "agora", "ontem", "amanhã", "atual", "preço", "notícias", "oggi", "adesso", "domani",
        "ieri", "attuale", "prezzo", "notizie",
        // Russian: only the usual spellings, its capitals are not folded.
        "сегодня", "Сегодня", "сейчас", "Сейчас", "погода", "новости",
    ])

    private static let pairs = HashedWords([
        "今天", "现在", "最新", "目前", "价格", "天气", "新闻", "今日", "現在", "価格", "天気",
        "오늘", "지금", "최신", "가격", "날씨",
    ])

    static func appear(in texts: SpokenTexts, of output: UnsafeMutablePointer<UInt8>) -> Bool {
        let (first, last) = (texts.first, texts.last)
        let head = first.prefix(windowBytes)
        let tail = last.suffix(windowBytes)
        if head.upperBound >= tail.lowerBound, first == last { return search(output, first, startsInside: false) }
        return search(output, head, startsInside: false)
            || search(output, tail, startsInside: tail.lowerBound > last.lowerBound)
    }

    /// - Parameter startsInside: the range may begin within a word, which is then no word of its own.
    private static func search(_ text: UnsafeMutablePointer<UInt8>, _ range: Range<Int>, startsInside: Bool) -> Bool {
        var position = range.lowerBound
        if startsInside { while position < range.upperBound, isLetter(text[position]) { position += 1 } }
        var before: UInt64 = 0
        while position < range.upperBound {
            guard isLetter(text[position]) else {
                // An escape's letter is not a word's first.
                let isEscape = text[position] == UInt8(ascii: "\\")
                position += isEscape ? (text[position + 1] == UInt8(ascii: "u") ? 6 : 2) : 1
                continue
            }
            var word = WordHash()
            while position < range.upperBound, isLetter(text[position]) {
                if text[position] >= 0xE3, position + 6 <= range.upperBound, isPair(text + position) { return true }
                word.add(text[position])
                position += 1
            }
            if words.contains(word.value) || words.contains(WordHash.phrase(before, word.value)) { return true }
            before = word.value
        }
        return false
    }

    private static func isPair(_ start: UnsafeMutablePointer<UInt8>) -> Bool {
        var pair = WordHash()
        for offset in 0..<6 { pair.add(start[offset]) }
        return pairs.contains(pair.value)
    }

    @inline(__always)
    private static func isLetter(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 || byte == UInt8(ascii: "_")
    }
}

/// FNV-1a of a word in lower case.
private struct WordHash {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325
    private var last: UInt8 = 0

    @inline(__always)
    mutating func add(_ byte: UInt8) {
        let isCapital = byte &- 65 < 26 || (last == 0xC3 && byte &- 0x80 < 0x1F && byte != 0x97)
        value = (value ^ UInt64(isCapital ? byte | 0x20 : byte)) &* 0x0000_0100_0000_01B3
        last = byte
    }

    static func phrase(_ first: UInt64, _ second: UInt64) -> UInt64 { (first &* 31) ^ second }
}

/// A set of words and of phrases of two, kept as hashes in a table with open addressing.
private struct HashedWords: Sendable {
    private var slots = [UInt64](repeating: 0, count: 512)

    init(_ words: [String]) {
        precondition(words.count < slots.count / 2, "the table is too full")
        for text in words {
            let hashes = text.utf8.split(separator: UInt8(ascii: " ")).map { part in
                var hash = WordHash()
                for byte in part { hash.add(byte) }
                return hash.value
            }
            let hash = hashes.dropFirst().reduce(hashes[0], WordHash.phrase)
            var slot = Int(hash & 511)
            while slots[slot] != 0 { slot = (slot + 1) & 511 }
            slots[slot] = hash
        }
    }

    @inline(__always)
    func contains(_ hash: UInt64) -> Bool {
        var slot = Int(hash & 511)
        while slots[slot] != 0 {
            if slots[slot] == hash { return true }
            slot = (slot + 1) & 511
        }
        return false
    }
}
