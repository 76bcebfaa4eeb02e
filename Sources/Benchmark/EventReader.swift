internal import Base

/// Cuts a body into server-sent events. Pure; takes bytes in pieces of any size; lines end with LF or CR LF.
struct EventReader {
    private var line: [UInt8] = []
    private var name = ""
    private var data: [String] = []

    /// - Returns: the events that these bytes complete.
    mutating func feed(_ bytes: some Sequence<UInt8>, received: MonotonicInstant) -> [PlainEvent] {
        var events: [PlainEvent] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                continue
            }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if line.isEmpty { endEvent(received, &events) } else { field(String(decoding: line, as: UTF8.self)) }
            line.removeAll(keepingCapacity: true)
        }
        return events
    }

    private mutating func field(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count == 2 ? String(parts[1].first == " " ? parts[1].dropFirst() : parts[1]) : ""
        if parts[0] == "event" { name = value }
        if parts[0] == "data" { data.append(value) }
    }

    private mutating func endEvent(_ received: MonotonicInstant, _ events: inout [PlainEvent]) {
        if !data.isEmpty {
            events.append(PlainEvent(name: name, data: data.joined(separator: "\n"), received: received))
        }
        name = ""
        data = []
    }
}
