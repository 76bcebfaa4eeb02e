import Base

extension CanonicalScanner {
    /// Copies a string, eight plain ASCII bytes at a time.
    mutating func string() throws(BypassReason) {
        take()
        while true {
            copyPlain()
            guard position < count else { throw .invalidJSON }
            let byte = input[position]
            if byte == UInt8(ascii: "\"") { return take() }
            if byte == UInt8(ascii: "\\") {
                try escape()
            } else if byte >= 0x80 {
                try multibyte()
            } else if byte < 0x20 {
                throw .invalidJSON
            } else {
                take()
            }
        }
    }

    /// Up to the next byte that needs a look, or fewer than eight bytes before the body's end. What is stored beyond
    /// the run is written over later.
    @inline(__always)
    private mutating func copyPlain() {
        let (ones, tops): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        while position + 8 <= count {
            let word = UInt64(littleEndian: UnsafeRawPointer(input + position).loadUnaligned(as: UInt64.self))
            UnsafeMutableRawPointer(output + end).storeBytes(of: word.littleEndian, as: UInt64.self)
            let (quote, backslash) = (word ^ (ones &* 0x22), word ^ (ones &* 0x5C))
            let below = (word &- ones &* 0x20) & ~word
            let special =
                (word | below | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)) & tops
            let run = special == 0 ? 8 : special.trailingZeroBitCount >> 3
            position += run
            end += run
            if run < 8 { return }
        }
    }

    /// One character of two to four bytes (RFC 3629, table of well-formed sequences).
    private mutating func multibyte() throws(BypassReason) {
        let (length, low, high): (Int, UInt8, UInt8) =
            switch input[position] {
            case 0xC2...0xDF: (2, 0x80, 0xBF)
            case 0xE0: (3, 0xA0, 0xBF)
            case 0xED: (3, 0x80, 0x9F)
            case 0xE1...0xEF: (3, 0x80, 0xBF)
            case 0xF0: (4, 0x90, 0xBF)
            case 0xF1...0xF3: (4, 0x80, 0xBF)
            case 0xF4: (4, 0x80, 0x8F)
            default: throw .invalidText
            }
        guard position + length <= count, input[position + 1] >= low, input[position + 1] <= high else {
            throw .invalidText
        }
        for offset in 2..<max(length, 2) where input[position + offset] & 0xC0 != 0x80 { throw .invalidText }
        for _ in 0..<length { take() }
    }

    private mutating func escape() throws(BypassReason) {
        guard position + 1 < count else { throw .invalidJSON }
        switch input[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            take()
            take()
        case UInt8(ascii: "/"):
            position += 1
            take()
        case UInt8(ascii: "u"):
            let unit = try codeUnit()
            switch unit {
            case 0xD800...0xDBFF:
                guard position + 1 < count, input[position] == UInt8(ascii: "\\") else { throw .invalidText }
                let low = input[position + 1] == UInt8(ascii: "u") ? try codeUnit() : 0
                guard low & 0xFC00 == 0xDC00 else { throw .invalidText }
                put(scalar: 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF))
            case 0xDC00...0xDFFF: throw .invalidText
            default: put(scalar: unit)
            }
        default: throw .invalidJSON
        }
    }

    /// The value of a `\u` escape and its four digits.
    private mutating func codeUnit() throws(BypassReason) -> UInt32 {
        guard position + 6 <= count else { throw .invalidJSON }
        var unit: UInt32 = 0
        for offset in 2..<6 {
            let byte = input[position + offset]
            switch byte {
            case 48...57: unit = unit << 4 | UInt32(byte - 48)
            case 65...70: unit = unit << 4 | UInt32(byte - 55)
            case 97...102: unit = unit << 4 | UInt32(byte - 87)
            default: throw .invalidJSON
            }
        }
        position += 6
        return unit
    }

    private mutating func put(scalar: UInt32) {
        switch scalar {
        case 0x08: put(escaped: UInt8(ascii: "b"))
        case 0x09: put(escaped: UInt8(ascii: "t"))
        case 0x0A: put(escaped: UInt8(ascii: "n"))
        case 0x0C: put(escaped: UInt8(ascii: "f"))
        case 0x0D: put(escaped: UInt8(ascii: "r"))
        case 0x22, 0x5C: put(escaped: UInt8(scalar))
        case 0..<0x20:
            put(escaped: UInt8(ascii: "u"))
            let digit = UInt8(scalar & 15)
            for byte in [48, 48, UInt8(48 + scalar >> 4), digit < 10 ? 48 + digit : 87 + digit] { put(byte) }
        case 0x20..<0x80: put(UInt8(scalar))
        case 0x80..<0x800:
            put(UInt8(0xC0 | scalar >> 6))
            put(UInt8(0x80 | scalar & 0x3F))
        case 0x800..<0x10000:
            put(UInt8(0xE0 | scalar >> 12))
            put(UInt8(0x80 | scalar >> 6 & 0x3F))
            put(UInt8(0x80 | scalar & 0x3F))
        default:
            put(UInt8(0xF0 | scalar >> 18))
            put(UInt8(0x80 | scalar >> 12 & 0x3F))
            put(UInt8(0x80 | scalar >> 6 & 0x3F))
            put(UInt8(0x80 | scalar & 0x3F))
        }
    }

    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        output[end] = byte
        end += 1
    }

    private mutating func put(escaped byte: UInt8) {
        put(UInt8(ascii: "\\"))
        put(byte)
    }

    // MARK: Numbers

    /// A number is its decimal digits without zeros at either end and, unless that is 0, an exponent of ten: `15e-1`,
    /// `1e2`, `7`. Zero has no sign. So 1, 1.0 and 10e-1 are one number, and 2^53 and 2^53 + 1 are two.
    mutating func number() throws(BypassReason) {
        let start = position
        let isNegative = peek() == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let whole = try digits()
        guard whole.count == 1 || input[whole.lowerBound] != UInt8(ascii: "0") else { throw .invalidJSON }
        let next = peek() | 0x20
        if next != UInt8(ascii: ".") | 0x20, next != UInt8(ascii: "e"), input[position - 1] != UInt8(ascii: "0") {
            position = start
            for _ in start..<whole.upperBound { take() }
            return
        }
        var (fraction, exponent) = (position..<position, 0)
        if peek() == UInt8(ascii: ".") {
            position += 1
            fraction = try digits()
        }
        if peek() | 0x20 == UInt8(ascii: "e") {
            position += 1
            let isBelow = peek() == UInt8(ascii: "-")
            if isBelow || peek() == UInt8(ascii: "+") { position += 1 }
            for place in try digits() { exponent = min(exponent * 10 + Int(input[place] - 48), 1 << 40) }
            if isBelow { exponent = -exponent }
        }
        let before = end
        if isNegative { put(UInt8(ascii: "-")) }
        let first = end
        for place in whole where end > first || input[place] != 48 { put(input[place]) }
        for place in fraction where end > first || input[place] != 48 { put(input[place]) }
        exponent -= fraction.count
        while end > first, output[end - 1] == 48 { (end, exponent) = (end - 1, exponent + 1) }
        if end == first {
            end = before
            put(48)
        } else if exponent != 0 {
            guard abs(exponent) <= 1_000_000_000 else { throw .numberOutOfRange }
            put(UInt8(ascii: "e"))
            for byte in "\(exponent)".utf8 { put(byte) }
        }
        precondition(end - before <= 2 * (position - start), "a number outgrew its room")
    }

    private mutating func digits() throws(BypassReason) -> Range<Int> {
        let start = position
        while position < count, input[position] &- 48 < 10 { position += 1 }
        guard position > start else { throw .invalidJSON }
        return start..<position
    }
}
