import NIOCore

/// The gzip format (RFC 1952) around deflate's stored blocks (RFC 1951, 3.2.4): nothing gets smaller, every reader
/// takes it. `begin`, `add` any number of times, `finish`.
struct StoredGzip {
    private static let blockBytesMax = 65_535
    private var checksum: UInt32 = 0xFFFF_FFFF
    private var length: UInt32 = 0

    func begin(_ output: inout ByteBuffer) {
        // Magic, deflate, no flags, no time, no extra flags, unknown system.
        output.writeBytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF])
    }

    mutating func add(_ bytes: ByteBufferView?, to output: inout ByteBuffer) {
        guard var rest = bytes else { return }
        for byte in rest { checksum = crcTable[Int((checksum ^ UInt32(byte)) & 0xFF)] ^ (checksum >> 8) }
        length &+= UInt32(truncatingIfNeeded: rest.count)
        while !rest.isEmpty {
            let block = rest.prefix(Self.blockBytesMax)
            writeBlockHead(UInt16(block.count), last: false, to: &output)
            output.writeBytes(block)
            rest = rest.dropFirst(block.count)
        }
    }

    func finish(_ output: inout ByteBuffer) {
        writeBlockHead(0, last: true, to: &output)
        output.writeInteger(~checksum, endianness: .little)
        output.writeInteger(length, endianness: .little)
    }

    private func writeBlockHead(_ count: UInt16, last: Bool, to output: inout ByteBuffer) {
        output.writeInteger(UInt8(last ? 1 : 0))
        output.writeInteger(count, endianness: .little)
        output.writeInteger(~count, endianness: .little)
    }
}

/// The CRC-32 of every byte value, polynomial 0xEDB88320.
private let crcTable: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
}
