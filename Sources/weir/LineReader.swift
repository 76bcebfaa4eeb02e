import Base
import Glibc

/// The lines of a file of any size, one at a time.
final class LineReader {
    /// Longer lines are passed over: an answer may have at most 64 MiB, and an honest one has far less.
    static let lineBytesMax = 16 << 20
    private static let chunkBytes = 256 << 10

    /// The file's size when it was opened.
    let size: Int
    /// Bytes of the lines so far.
    private(set) var position = 0
    private let path: String
    private let descriptor: Int32
    private var number = 0
    private var chunk: ArraySlice<UInt8> = []

    struct Line {
        /// From 1 on.
        var number: Int
        /// Without its end; nil when it is too long.
        var bytes: [UInt8]?
    }

    init(_ path: String) throws(SystemFailure) {
        self.path = path
        size = SmallFile.size(path) ?? 0
        descriptor = retryingInterrupts { open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw SystemFailure("open \(path)", errorNumber: errno) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Nil at the end of the file.
    func next() throws(SystemFailure) -> Line? {
        var bytes: [UInt8]? = []
        var isBegun = false
        while true {
            if chunk.isEmpty {
                try fill()
                guard !chunk.isEmpty else { break }
            }
            isBegun = true
            let end = chunk.firstIndex(of: UInt8(ascii: "\n"))
            let piece = chunk[..<(end ?? chunk.endIndex)]
            if (bytes?.count ?? 0) + piece.count <= Self.lineBytesMax {
                bytes?.append(contentsOf: piece)
            } else {
                bytes = nil
            }
            position += piece.count + (end == nil ? 0 : 1)
            chunk = end.map { chunk[($0 + 1)...] } ?? []
            if end != nil { break }
        }
        guard isBegun else { return nil }
        number += 1
        return Line(number: number, bytes: bytes)
    }

    private func fill() throws(SystemFailure) {
        var room = [UInt8](repeating: 0, count: Self.chunkBytes)
        let count = retryingInterrupts { read(descriptor, &room, room.count) }
        guard count >= 0 else { throw SystemFailure("read \(path)", errorNumber: errno) }
        chunk = room[..<count]
    }
}
