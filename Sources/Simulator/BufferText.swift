import Base
import NIOCore

/// JSON is written straight into the answer's buffer: nothing is built first.
extension ByteBuffer {
    mutating func put(_ text: String) { writeString(text) }

    mutating func put(_ number: Int) { writeString(String(number)) }

    mutating func putQuoted(_ text: String) { writeString(JSONText.quote(text)) }

    /// `length` letters and digits made from `bits`: the tail of an identifier.
    mutating func putIdentifier(_ bits: UInt64, length: Int = 24) {
        var random = SeededRandom(seed: bits)
        var word: UInt64 = 0
        for index in 0..<length {
            if index % 10 == 0 { word = random.next() }
            writeInteger(identifierAlphabet[Int(word % 62)])
            word /= 62
        }
    }

    /// Lower-case hexadecimal, as chunk sizes are written.
    mutating func putHexadecimal(_ number: Int) { writeString(String(number, radix: 16)) }
}

private let identifierAlphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

/// A prefix and the letters of `putIdentifier`.
func identifier(_ prefix: String, _ bits: UInt64, length: Int = 24) -> String {
    var buffer = ByteBuffer()
    buffer.put(prefix)
    buffer.putIdentifier(bits, length: length)
    return String(buffer: buffer)
}

/// FNV-1a, 64 bits: the identity of a body. Never for secrets.
struct FNV1a {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }

    static func hash(_ buffer: ByteBuffer) -> UInt64 {
        buffer.withUnsafeReadableBytes { bytes in
            var hash = FNV1a()
            hash.add(bytes)
            return hash.value
        }
    }

    static func hash(_ text: String) -> UInt64 {
        var hash = FNV1a()
        hash.add(text.utf8)
        return hash.value
    }
}
