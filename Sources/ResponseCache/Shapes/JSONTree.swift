import Base

/// JSON as an ordered tree over the bytes it was read from, parsed one level at a time. What nobody touches is written
/// out as it came: unknown members, their order, the spelling of numbers and of escapes survive. The neutral form that
/// every shape of an answer is made from.
enum JSONTree: Sendable {
    typealias Bytes = ArraySlice<UInt8>

    struct Member: Sendable {
        /// As written between its quotes.
        var key: Bytes
        var value: JSONTree
    }

    /// A value as written; its grammar has been checked.
    case raw(Bytes)
    case object([Member])
    case array([JSONTree])
    /// A string as it stands between its quotes. Such texts are joined without resolving their escapes, so that a
    /// pair of surrogates which a provider cut in two comes together again.
    case text([UInt8])

    static let null = JSONTree.raw([0x6E, 0x75, 0x6C, 0x6C])

    // MARK: Reading

    /// The object that is the whole text; nil when it is none, or not JSON. O(n).
    init?(object text: Bytes) {
        var members: [Member] = []
        do {
            try text.withUnsafeBytes { bytes in
                var scanner = JSONScanner(bytes)
                try scanner.scanObject { member in
                    members.append(
                        Member(key: text.slice(member.key), value: .raw(text.slice(member.value))))
                }
            }
        } catch { return nil }
        self = .object(members)
    }

    /// Splits an object or array that is still raw into its parts. O(n) the first time, then nothing.
    mutating func open() {
        guard case .raw(let text) = self else { return }
        if text.first == UInt8(ascii: "{"), let object = JSONTree(object: text) { self = object }
        guard text.first == UInt8(ascii: "[") else { return }
        var elements: [JSONTree] = []
        text.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            try? scanner.scanArray(in: 0..<bytes.count) { range, _ in elements.append(.raw(text.slice(range))) }
        }
        self = .array(elements)
    }

    var opened: JSONTree {
        var tree = self
        tree.open()
        return tree
    }

    /// Nil unless it is an object. Open it first when this is asked for more than once.
    var members: [Member]? {
        if case .object(let members) = opened { members } else { nil }
    }

    /// Nil unless it is an array.
    var elements: [JSONTree]? {
        if case .array(let elements) = opened { elements } else { nil }
    }

    /// A string's content with its escapes as written; nil for anything else.
    var content: Bytes? {
        switch self {
        case .text(let content): content[...]
        case .raw(let text) where text.first == UInt8(ascii: "\""): text.dropFirst().dropLast()
        default: nil
        }
    }

    /// A string's meaning; nil for anything else.
    var string: String? { content.flatMap(JSONText.decodeContent) }

    /// A whole number that is not negative.
    var count: Int? {
        guard case .raw(let text) = self else { return nil }
        return text.withUnsafeBytes { $0.count(at: 0..<$0.count) }
    }

    var isNull: Bool {
        if case .raw(let text) = self { text.first == UInt8(ascii: "n") } else { false }
    }

    /// It says nothing: null, `""`, `0`, `[]`, `{}`.
    var isBlank: Bool {
        switch opened {
        case .raw(let text): isNull || text.elementsEqual([0x30]) || text.elementsEqual([0x22, 0x22])
        case .object(let members): members.isEmpty
        case .array(let elements): elements.isEmpty
        case .text(let content): content.isEmpty
        }
    }

    /// The member of that name, the last when there are several; nil when it is no object. A name written with escapes
    /// is a member that we do not know.
    subscript(_ key: StaticString) -> JSONTree? { members?.last { $0.key.holds(key) }?.value }

    // MARK: Changing

    /// Changes the member where it lies; one that is not there begins as null.
    mutating func update(
        _ key: Bytes, _ change: (inout JSONTree) throws(ShapeFailure) -> Void
    ) throws(ShapeFailure) {
        open()
        guard case .object(var members) = self else { throw .unknownForm }
        self = .null  // Leaves `members` the only holder: nothing is copied.
        let place = members.lastIndex { $0.key == key } ?? members.count
        if place == members.count {
            guard place < ShapeLimits.membersMax else { throw .tooLarge }
            members.append(Member(key: key, value: .null))
        }
        try change(&members[place].value)
        self = .object(members)
    }

    mutating func update(
        _ key: StaticString, _ change: (inout JSONTree) throws(ShapeFailure) -> Void
    ) throws(ShapeFailure) {
        try update(Bytes(key), change)
    }

    mutating func set(_ key: StaticString, _ value: JSONTree) throws(ShapeFailure) {
        try update(Bytes(key)) { $0 = value }
    }

    /// The members that `isWanted` keeps.
    func filtered(_ isWanted: (Bytes) -> Bool) -> JSONTree {
        .object((members ?? []).filter { isWanted($0.key) })
    }

    static func + (a: JSONTree, b: JSONTree) -> JSONTree { .object((a.members ?? []) + (b.members ?? [])) }

    // MARK: Writing

    func write(to text: inout [UInt8]) {
        switch self {
        case .raw(let bytes): text += bytes
        case .text(let content): text.appendQuoted(content[...])
        case .array(let elements):
            text.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                element.write(to: &text)
            }
            text.append(UInt8(ascii: "]"))
        case .object(let members):
            text.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                text.appendQuoted(member.key)
                text.append(UInt8(ascii: ":"))
                member.value.write(to: &text)
            }
            text.append(UInt8(ascii: "}"))
        }
    }

    var bytes: [UInt8] {
        var text: [UInt8] = []
        write(to: &text)
        return text
    }
}

/// Literals of our own: keys and texts in them need no escapes.
extension JSONTree: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral {
    init(dictionaryLiteral elements: (StaticString, JSONTree)...) {
        self = .object(elements.map { Member(key: Bytes($0.0), value: $0.1) })
    }

    init(arrayLiteral elements: JSONTree...) { self = .array(elements) }

    init(stringLiteral value: StaticString) { self = .text(Array(Bytes(value))) }

    init(_ number: Int) { self = .raw(Array("\(number)".utf8)[...]) }
}

extension ArraySlice<UInt8> {
    init(_ text: StaticString) {
        self = Array(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))[...]
    }

    func holds(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount
            && elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// One of these words.
    func isOne(of words: [StaticString]) -> Bool { words.contains { holds($0) } }

    /// The range counted from the slice's beginning.
    fileprivate func slice(_ range: Range<Int>) -> ArraySlice<UInt8> {
        self[(startIndex + range.lowerBound)..<(startIndex + range.upperBound)]
    }
}

extension [UInt8] {
    fileprivate mutating func appendQuoted(_ content: ArraySlice<UInt8>) {
        append(UInt8(ascii: "\""))
        append(contentsOf: content)
        append(UInt8(ascii: "\""))
    }
}
