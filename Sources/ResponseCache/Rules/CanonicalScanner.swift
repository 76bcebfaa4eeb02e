import Base
import NIOCore

/// Writes a JSON object in its one spelling (RFC 8785 in spirit) and notes on the way what the rules ask.
///
/// - Members are sorted by the UTF-8 bytes of their keys as spelled here; a key that stands twice is refused.
/// - No white space. Strings hold UTF-8, with `\"`, `\\`, `\b \t \n \f \r` and `\u00xx` for the other control
///   characters and no other escape.
/// - Numbers are compared as decimals, never through `Double`: see `number()`.
///
/// The pass over the body writes all tokens to `output` in the order they came and remembers the objects whose
/// members must move; `write(into:)` then copies each byte once to its place. So the work is linear, but for sorting
/// the members of one object. A number is never written twice as long as it was, and nothing else grows.
struct CanonicalScanner {
    /// Positions in `output`: the key's quotes, the value's end; and the first of `moved` inside the value.
    struct Member {
        var start, keyEnd, end, moved: Int
        var isDropped = false
    }

    /// An object, at its place in document order. Its members are in order when there are none here.
    struct Object {
        var start, end: Int
        var members: Range<Int>
        /// The first object after this one and all within it.
        var next: Int
    }

    /// More members than this in a body, or objects with their members out of order, and it is not worth it.
    static let membersMax = 1 << 17

    let input: UnsafePointer<UInt8>
    let count: Int
    let output: UnsafeMutablePointer<UInt8>
    let fields: FieldTable
    /// How far the scanner has read and written.
    var position = 0
    var end = 0
    var traits: RequestTraits = []
    /// What is said in the message that is being read, and by whom; and what the user said last.
    var spoken = SpokenTexts()
    var speakerIsUser = false
    var question = SpokenTexts()

    private var depth = 0
    private var open: [Member] = []
    private var sorted: [Member] = []
    private var moved: [Object] = []

    static func capacity(for count: Int) -> Int { count * 2 + 64 }

    /// - Parameter output: room for `capacity(for: input.count)` bytes.
    init(_ input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, family: AnswerFamily) {
        precondition(input.baseAddress != nil, "an empty body is refused before")
        self.input = input.baseAddress.unsafelyUnwrapped
        count = input.count
        self.output = output
        fields = FieldTable.of(family)
        open.reserveCapacity(32)
    }

    mutating func scan() throws(BypassReason) {
        if count >= 3, input[0] == 0xEF, input[1] == 0xBB, input[2] == 0xBF { position = 3 }
        skipSpace()
        guard peek() == UInt8(ascii: "{") else { throw .invalidJSON }
        try object(.plain)
        skipSpace()
        guard position == count else { throw .invalidJSON }
    }

    private mutating func value(_ reading: ValueReading) throws(BypassReason) {
        let start = end
        let kind: JSONKind
        switch peek() {
        case UInt8(ascii: "\""):
            kind = .string
            try string()
        case UInt8(ascii: "{"):
            kind = .object
            try object(reading)
        case UInt8(ascii: "["):
            kind = .array
            try array(reading.element)
        case UInt8(ascii: "t"):
            kind = .bool
            try word("true")
        case UInt8(ascii: "f"):
            kind = .bool
            try word("false")
        case UInt8(ascii: "n"):
            kind = .null
            try word("null")
        default:
            kind = .number
            try number()
        }
        if reading != .plain { note(reading, kind, start..<end) }
    }

    private mutating func array(_ reading: ValueReading) throws(BypassReason) {
        try enter()
        if peek() != UInt8(ascii: "]") {
            while true {
                try value(reading)
                guard try another(before: UInt8(ascii: "]")) else { break }
            }
        }
        leave()
    }

    private mutating func object(_ reading: ValueReading) throws(BypassReason) {
        if reading == .message { (spoken, speakerIsUser) = (SpokenTexts(), false) }
        let (index, first) = (moved.count, open.count)
        var inOrder = true
        moved.append(Object(start: end, end: end, members: 0..<0, next: 0))
        try enter()
        if peek() != UInt8(ascii: "}") {
            while true {
                guard peek() == UInt8(ascii: "\"") else { throw .invalidJSON }
                var member = Member(start: end, keyEnd: 0, end: 0, moved: moved.count)
                try string()
                member.keyEnd = end - 1
                if inOrder, open.count > first { inOrder = Self.precedes(open[open.count - 1], member, output) }
                skipSpace()
                guard peek() == UInt8(ascii: ":") else { throw .invalidJSON }
                take()
                skipSpace()
                let inner = depth == 1 ? field(&member) : reading.member(key(member))
                guard open.count + sorted.count + moved.count < Self.membersMax else { throw .tooComplex }
                open.append(member)
                try value(inner)
                open[open.count - 1].end = end
                inOrder = inOrder && !member.isDropped
                guard try another(before: UInt8(ascii: "}")) else { break }
            }
        }
        leave()
        if !inOrder { try sort(from: first, index) } else if moved.count == index + 1 { moved.removeLast() }
        open.removeLast(open.count - first)
    }

    /// A field of the request itself: whether it enters the key, and how it is read.
    private func field(_ member: inout Member) -> ValueReading {
        switch fields.place(key(member)) {
        case .key: return .plain
        case .ignored, .model:
            member.isDropped = true
            return .plain
        case .bypass(let reading), .policy(let reading): return reading
        }
    }

    private func key(_ member: Member) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: output + member.start + 1, count: member.keyEnd - member.start - 1)
    }

    private mutating func sort(from first: Int, _ index: Int) throws(BypassReason) {
        let output = output
        open[first...].sort { Self.precedes($0, $1, output) }
        for later in (first + 1)..<max(open.count, first + 1) {
            guard Self.precedes(open[later - 1], open[later], output) else { throw .duplicateMember }
        }
        let start = sorted.count
        sorted.append(contentsOf: open[first...])
        moved[index].end = end
        moved[index].members = start..<sorted.count
        moved[index].next = moved.count
    }

    private static func precedes(_ a: Member, _ b: Member, _ text: UnsafeMutablePointer<UInt8>) -> Bool {
        let (left, right) = (a.keyEnd - a.start, b.keyEnd - b.start)
        var offset = 1
        while offset < left, offset < right {
            let (x, y) = (text[a.start + offset], text[b.start + offset])
            if x != y { return x < y }
            offset += 1
        }
        return left < right
    }

    // MARK: Tokens

    @inline(__always)
    func peek() -> UInt8 { position < count ? input[position] : 0 }

    /// Writes the byte that was read.
    @inline(__always)
    mutating func take() {
        output[end] = input[position]
        end += 1
        position += 1
    }

    private mutating func enter() throws(BypassReason) {
        depth += 1
        guard depth <= Limits.jsonDepthMax else { throw .tooDeep }
        take()
        skipSpace()
    }

    private mutating func leave() {
        take()
        depth -= 1
    }

    /// After an element: true after a comma, false before the closing bracket.
    @inline(__always)
    private mutating func another(before close: UInt8) throws(BypassReason) -> Bool {
        skipSpace()
        if peek() == close { return false }
        guard peek() == UInt8(ascii: ",") else { throw .invalidJSON }
        take()
        skipSpace()
        return true
    }

    private mutating func word(_ word: StaticString) throws(BypassReason) {
        for offset in 0..<word.utf8CodeUnitCount {
            guard peek() == word.utf8Start[offset] else { throw .invalidJSON }
            take()
        }
    }

    @inline(__always)
    private mutating func skipSpace() {
        while position < count {
            switch input[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    // MARK: The second step

    /// Appends the canonical text. O(n).
    func write(into buffer: inout ByteBuffer) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: end) { room in
            guard let base = room.baseAddress else { return 0 }
            var written = 0
            copy(0..<end, moved: 0, to: base, &written)
            return written
        }
    }

    /// - Parameter index: the first of `moved` that lies at or after the range's start.
    private func copy(_ range: Range<Int>, moved index: Int, to base: UnsafeMutableRawPointer, _ written: inout Int) {
        func put(_ range: Range<Int>) {
            (base + written).copyMemory(from: output + range.lowerBound, byteCount: range.count)
            written += range.count
        }
        var (index, position) = (index, range.lowerBound)
        while index < moved.count, moved[index].start < range.upperBound {
            let object = moved[index]
            guard !object.members.isEmpty else { index += 1; continue }
            put(position..<(object.start + 1))
            var isFirst = true
            for place in object.members {
                let member = sorted[place]
                if member.isDropped { continue }
                if !isFirst { base.storeBytes(of: UInt8(ascii: ","), toByteOffset: written, as: UInt8.self) }
                written += isFirst ? 0 : 1
                isFirst = false
                copy(member.start..<member.end, moved: member.moved, to: base, &written)
            }
            position = object.end - 1
            index = object.next
        }
        put(position..<range.upperBound)
    }
}
