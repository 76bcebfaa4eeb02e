import Glibc

/// Text that is searched as bytes by the C library, so that a debug build reads the whole tree in a moment.
struct SourceText: Sendable {
    /// With a zero at the end, for C.
    private let bytes: [UInt8]
    private let lineStarts: [Int]

    var count: Int { bytes.count - 1 }
    var lineCount: Int { lineStarts.count }

    init(_ text: [UInt8]) {
        bytes = text + [0]
        var starts: [Int] = text.isEmpty ? [] : [0]
        bytes.withUnsafeBytes { buffer in
            var next = 0
            while next < text.count, let end = memchr(buffer.baseAddress! + next, 0x0A, text.count - next) {
                next = end - UnsafeMutableRawPointer(mutating: buffer.baseAddress!) + 1
                if next < text.count { starts.append(next) }
            }
        }
        lineStarts = starts
    }

    subscript(offset: Int) -> UInt8 { bytes[offset] }

    /// The index (from 0) of the line that holds the byte.
    func line(at offset: Int) -> Int {
        var low = 0, high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        return low
    }

    func start(ofLine line: Int) -> Int { lineStarts[line] }

    /// Without its line end.
    func line(_ line: Int) -> String {
        let end = line + 1 < lineStarts.count ? lineStarts[line + 1] : count
        let hasNewline = end > lineStarts[line] && bytes[end - 1] == 0x0A
        return String(decoding: bytes[lineStarts[line]..<(hasNewline ? end - 1 : end)], as: UTF8.self)
    }

    /// How many bytes from `offset` on are none of `stops`.
    func run(from offset: Int, until stops: String) -> Int {
        let length = bytes.withUnsafeBytes { buffer in
            Int(strcspn(buffer.baseAddress!.assumingMemoryBound(to: CChar.self) + offset, stops))
        }
        return min(length, count - offset)
    }

    /// Where `word` stands as a word of its own, not as a part of a longer identifier.
    func offsets(of word: String) -> [Int] {
        let wanted = Array(word.utf8)
        guard let first = wanted.first, let last = wanted.last else { return [] }
        return occurrences(of: wanted).filter { start in
            let end = start + wanted.count
            let joinsBefore = start > 0 && isIdentifierByte(first) && isIdentifierByte(bytes[start - 1])
            return !joinsBefore && !(isIdentifierByte(last) && isIdentifierByte(bytes[end]))
        }
    }

    /// The lines (from 0, each once) in which one of the words stands.
    func lines(of words: String...) -> [Int] { Set(words.flatMap(offsets(of:)).map(line(at:))).sorted() }

    private func occurrences(of wanted: [UInt8]) -> [Int] {
        bytes.withUnsafeBytes { buffer in
            let base = buffer.baseAddress!.assumingMemoryBound(to: CChar.self)
            let needle = (wanted + [0]).map { CChar(bitPattern: $0) }
            var found: [Int] = []
            var next = 0
            while next < count, let hit = strstr(base + next, needle) {
                found.append(UnsafePointer(hit) - base)
                next = found[found.count - 1] + wanted.count
            }
            return found
        }
    }
}

func isIdentifierByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...: true
    default: false
    }
}

extension String {
    /// Words and single punctuation marks: `static func < (a: Int)` gives static func < ( a : Int ).
    var tokens: [String] {
        var tokens: [String] = []
        var word: [UInt8] = []
        for byte in utf8 {
            if isIdentifierByte(byte) { word.append(byte); continue }
            if !word.isEmpty { tokens.append(String(decoding: word, as: UTF8.self)); word = [] }
            if byte > 0x20 { tokens.append(String(UnicodeScalar(byte))) }
        }
        if !word.isEmpty { tokens.append(String(decoding: word, as: UTF8.self)) }
        return tokens
    }

    var trimmed: Substring {
        guard let start = utf8.firstIndex(where: { $0 > 0x20 }), let end = utf8.lastIndex(where: { $0 > 0x20 }) else {
            return ""
        }
        return self[start...end]
    }
}
