/// Picks named top-level members out of a JSON object that arrives in pieces, and keeps nothing else: how the
/// gateway finds `usage` in an answer that it passes on as it comes. It trusts the grammar (the provider wrote it)
/// and only tracks strings and nesting. A pure state machine: O(1) a byte, memory bounded by the captured values.
package struct JSONMemberCapture: Sendable {
    /// A captured value longer than this is dropped: what we look for is small.
    package static let valueBytesMax = 16 << 10

    /// Raw text of each member found so far, by position in the list of names.
    package private(set) var values: [[UInt8]?]
    /// The closing bracket of the object has been seen.
    package private(set) var isComplete = false

    private let names: [[UInt8]]
    private var depth = 0
    private var inString = false
    private var escaped = false
    private var expectsKey = false
    private var key: [UInt8] = []
    private var readsKey = false
    /// Index of the name whose value is being captured.
    private var target: Int?
    private var buffer: [UInt8] = []

    package init(_ names: [String]) { self.init(encoded: names.map { Array($0.utf8) }) }

    /// The same for names kept as bytes: a caller on the hot path makes them once.
    package init(encoded names: [[UInt8]]) {
        self.names = names
        values = Array(repeating: nil, count: names.count)
    }

    /// The next bytes of the object.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        guard !isComplete else { return }
        for byte in bytes { feed(byte) }
    }

    private mutating func feed(_ byte: UInt8) {
        if inString { feedString(byte) } else if !isComplete { feedStructure(byte) }
    }

    private mutating func feedString(_ byte: UInt8) {
        if escaped {
            escaped = false
        } else if byte == UInt8(ascii: "\\") {
            escaped = true
        } else if byte == UInt8(ascii: "\"") {
            inString = false
        }
        if readsKey {
            if inString { if key.count < 64 { key.append(byte) } } else { readsKey = false }
        } else {
            capture(byte)
        }
    }

    private mutating func feedStructure(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""):
            inString = true
            readsKey = depth == 1 && expectsKey
            if readsKey { key.removeAll(keepingCapacity: true) } else { capture(byte) }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            if depth == 0 { expectsKey = true } else { capture(byte) }
            depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            if depth > 0 { capture(byte) } else { finishValue(); isComplete = true }
        case UInt8(ascii: ":") where depth == 1 && expectsKey:
            expectsKey = false
            target = names.firstIndex(of: key)
            buffer.removeAll(keepingCapacity: true)
        case UInt8(ascii: ",") where depth == 1:
            finishValue()
            expectsKey = true
        default: capture(byte)
        }
    }

    private mutating func capture(_ byte: UInt8) {
        guard target != nil else { return }
        if buffer.count == Self.valueBytesMax { target = nil } else { buffer.append(byte) }
    }

    private mutating func finishValue() {
        if let index = target {
            let spaces: [UInt8] = [0x20, 0x0A, 0x0D, 0x09]
            values[index] = Array(
                buffer.drop { spaces.contains($0) }.reversed().drop { spaces.contains($0) }.reversed())
        }
        target = nil
    }
}
