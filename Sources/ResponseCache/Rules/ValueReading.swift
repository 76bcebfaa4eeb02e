import Base

/// What the rules want to know of a request, gathered while its canonical form is written.
struct RequestTraits: OptionSet, Sendable {
    var rawValue: UInt16

    static let background = Self(rawValue: 1 << 0)
    static let storeIsTrue = Self(rawValue: 1 << 1)
    static let storeIsFalse = Self(rawValue: 1 << 2)
    static let serverState = Self(rawValue: 1 << 3)
    static let storedPrompt = Self(rawValue: 1 << 4)
    static let serverTool = Self(rawValue: 1 << 5)
    static let fileID = Self(rawValue: 1 << 6)
    static let remoteURL = Self(rawValue: 1 << 7)
    static let audioOutput = Self(rawValue: 1 << 8)
    static let temperatureIsZero = Self(rawValue: 1 << 9)
    static let temperatureIsNotZero = Self(rawValue: 1 << 10)
    static let seed = Self(rawValue: 1 << 11)
    static let severalChoices = Self(rawValue: 1 << 12)
    static let volatileWording = Self(rawValue: 1 << 13)
}

/// How the scanner reads the value it stands before.
package enum ValueReading: UInt8, Sendable {
    /// Nothing in it matters to the rules.
    case plain
    // Fields read as a whole.
    case background, store, serverState, storedPrompt, serverTool, audioOutput, temperature, seed, choices
    // Fields that are walked into, and what they hold.
    case prompt, messages, message, messageContent, part, content, imageURL, source, tools, tool, modalities
    // What is looked for in those.
    case role, itemType, text, fileID, remoteURL, sourceType, toolType, audioReference

    /// How a member of an object that is read so is read itself.
    func member(_ key: UnsafeBufferPointer<UInt8>) -> ValueReading {
        switch self {
        case .message:
            if key.holds("role") { return .role }
            if key.holds("content") { return .messageContent }
            if key.holds("type") { return .itemType }
            return key.holds("audio") ? .audioReference : Self.contentMember(key)
        case .part: return key.holds("text") ? .text : Self.contentMember(key)
        case .messageContent, .content: return Self.contentMember(key)
        case .imageURL: return key.holds("url") ? .remoteURL : .plain
        case .source:
            if key.holds("type") { return .sourceType }
            return key.holds("url") ? .remoteURL : Self.contentMember(key)
        case .tool: return key.holds("type") ? .toolType : .plain
        default: return .plain
        }
    }

    /// Files and links may lie at any depth of a message, but not in `input`: the arguments of a tool call are words.
    private static func contentMember(_ key: UnsafeBufferPointer<UInt8>) -> ValueReading {
        switch key.count {
        case 5: key.holds("input") ? .plain : .content
        case 6: key.holds("source") ? .source : .content
        case 7: key.holds("file_id") ? .fileID : .content
        case 8: key.holds("file_url") ? .remoteURL : .content
        case 9: key.holds("image_url") ? .imageURL : .content
        default: .content
        }
    }

    /// How an element of an array that is read so is read itself.
    var element: ValueReading {
        switch self {
        case .messages: .message
        case .messageContent: .part
        case .tools: .tool
        case .prompt, .part, .content, .imageURL, .modalities: self
        default: .plain
        }
    }
}

extension CanonicalScanner {
    /// Looks at a value that has been written: what it says to the rules.
    mutating func note(_ reading: ValueReading, _ kind: JSONKind, _ range: Range<Int>) {
        let text = UnsafeBufferPointer(start: output + range.lowerBound, count: range.count)
        // `web_search_options: {}` is how a search with its defaults is asked for; `[]` and `""` ask for nothing.
        let isPresent = kind != .null && !text.holds("false") && !text.holds("[]") && !text.holds(#""""#)
        switch reading {
        case .background where text.holds("true"): traits.insert(.background)
        case .store where text.holds("true"): traits.insert(.storeIsTrue)
        case .store where text.holds("false"): traits.insert(.storeIsFalse)
        case .serverState where isPresent, .audioReference where isPresent: traits.insert(.serverState)
        case .storedPrompt where isPresent: traits.insert(.storedPrompt)
        case .serverTool where isPresent: traits.insert(.serverTool)
        case .audioOutput where isPresent, .modalities where text.holds(#""audio""#): traits.insert(.audioOutput)
        case .temperature where kind != .null:
            traits.insert(text.holds("0") ? .temperatureIsZero : .temperatureIsNotZero)
        case .seed where kind != .null: traits.insert(.seed)
        case .choices where kind != .null && !text.holds("1"): traits.insert(.severalChoices)
        case .fileID where isPresent: traits.insert(.fileID)
        case .remoteURL where kind == .string, .imageURL where kind == .string:
            if !text.begins(with: #""data:"#) { traits.insert(.remoteURL) }
        case .sourceType where text.holds(#""file""#): traits.insert(.fileID)
        case .sourceType where text.holds(#""url""#): traits.insert(.remoteURL)
        case .itemType where text.holds(#""item_reference""#): traits.insert(.serverState)
        case .toolType where !Self.runsAtTheClient(text): traits.insert(.serverTool)
        case .role: speakerIsUser = text.holds(#""user""#)
        case .text where kind == .string, .messageContent where kind == .string: spoken.add(range)
        case .prompt where kind == .string, .messages where kind == .string: question.add(range)
        case .message where speakerIsUser && !spoken.isEmpty: question = spoken
        default: break
        }
    }

    /// A tool that the client runs itself. Any other type, one we have not heard of included, may run at the provider
    /// and look at a world that changes.
    private static func runsAtTheClient(_ type: UnsafeBufferPointer<UInt8>) -> Bool {
        for name: StaticString in [#""function""#, #""custom""#, #""local_shell""#, #""apply_patch""#]
        where type.holds(name) { return true }
        for prefix: StaticString in [#""bash_"#, #""text_editor_"#, #""memory_"#]
        where type.begins(with: prefix) { return true }
        return type.holds("null")
    }
}

/// The first and the last text of a message, as ranges of strings with their quotes.
struct SpokenTexts: Sendable {
    private(set) var first = 0..<0
    private(set) var last = 0..<0
    var isEmpty: Bool { first.isEmpty }

    mutating func add(_ range: Range<Int>) {
        if first.isEmpty { first = range }
        last = range
    }
}

extension UnsafeBufferPointer<UInt8> {
    @inline(__always)
    func holds(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && begins(with: text)
    }

    @inline(__always)
    func begins(with text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        for offset in 0..<text.utf8CodeUnitCount where self[offset] != text.utf8Start[offset] { return false }
        return true
    }
}
