import Base

/// How deltas become values. One rule for all members, so that those we have never heard of survive:
///
/// - null says nothing; a text that is known to grow is continued; any other scalar replaces what was there, unless it
///   is blank;
/// - objects are merged member by member;
/// - lists grow, except that an element with the `index` of an earlier one is merged into it.
extension JSONTree {
    /// Texts that come in pieces: of OpenAI's messages and tool calls, and of the reasoning that other providers add.
    private static let growing: [StaticString] = [
        "content", "refusal", "arguments", "input", "text", "reasoning_content", "reasoning", "thinking", "summary",
        "data", "transcript",
    ]

    mutating func merge(_ delta: JSONTree, as key: Bytes, depth: Int = 0) throws(ShapeFailure) {
        guard !delta.isNull else { return }
        guard depth < ShapeLimits.mergeDepthMax else { throw .tooLarge }
        switch delta.opened {
        case .object(let members):
            open()
            guard case .object = self else {
                self = .object([])
                return try mergeMembers(members, depth: depth + 1)
            }
            try mergeMembers(members, depth: depth + 1)
        case .array(let elements):
            open()
            if isBlank { self = .array([]) }
            try mergeElements(elements, isCalls: key.holds("tool_calls"), depth: depth + 1)
        default:
            guard let content = delta.content else { return self = delta }
            if key.isOne(of: Self.growing) {
                try grow(content)
            } else if isNull || !content.isEmpty {
                self = delta
            }
        }
    }

    mutating func mergeMembers(_ delta: [Member], depth: Int = 0) throws(ShapeFailure) {
        for member in delta {
            try update(member.key) { value throws(ShapeFailure) in
                try value.merge(member.value, as: member.key, depth: depth)
            }
        }
    }

    /// Continues a text. Amortised O(length of the piece).
    mutating func grow(_ piece: Bytes) throws(ShapeFailure) {
        if isNull { self = .text([]) }
        var content: [UInt8]
        if case .text(let known) = self {
            content = known
        } else if let known = self.content {
            content = Array(known)
        } else if piece.isEmpty {
            return
        } else {
            throw .unknownForm
        }
        self = .null  // Leaves `content` the only holder: nothing is copied.
        content += piece
        self = .text(content)
    }

    private mutating func mergeElements(
        _ delta: [JSONTree], isCalls: Bool, depth: Int
    ) throws(ShapeFailure) {
        guard case .array(var elements) = self else { throw .unknownForm }
        self = .null
        for element in delta {
            let opened = element.opened
            if let place = Self.place(of: opened, in: elements, isCalls: isCalls) {
                try elements[place].mergeMembers(opened.members ?? [], depth: depth)
                continue
            }
            let isPart = isCalls || opened["index"] != nil
            guard elements.count < (isPart ? ShapeLimits.partsMax : ShapeLimits.entriesMax) else { throw .tooLarge }
            elements.append(isPart ? opened : element)
        }
        self = .array(elements)
    }

    /// Which element a delta belongs to: the last with the same index. Calls of some providers all have index 0, or
    /// none at all; then an id of its own begins a new call.
    private static func place(of delta: JSONTree, in elements: [JSONTree], isCalls: Bool) -> Int? {
        guard case .object = delta else { return nil }
        let index = delta["index"]?.count
        guard index != nil || isCalls else { return nil }
        let id = isCalls ? delta["id"]?.content ?? [] : []
        guard let place = elements.lastIndex(where: { index == nil || $0["index"]?.count == index }) else { return nil }
        guard isCalls, !id.isEmpty, let known = elements[place]["id"]?.content, !known.isEmpty else { return place }
        return known == id ? place : nil
    }
}
