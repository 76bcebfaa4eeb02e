import Base
import Testing

struct ChecksumTests {
    private func crc(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { checksum($0, seed: seed) }
    }

    @Test("CRC-32C gives the values of RFC 3720, appendix B.4")
    func published() {
        #expect(crc(Array(repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(crc(Array(repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(crc(Array(0..<32)) == 0x46DD_794E)
        #expect(crc(Array((0..<32).reversed())) == 0x113F_DB5C)
        #expect(crc(Array("123456789".utf8)) == 0xE306_9283 && crc([]) == 0)
    }

    @Test("a checksum goes on from the one before, wherever the bytes are cut")
    func pieces() {
        let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for cut in [0, 1, 7, 8, 9, 500, 999, 1_000] {
            #expect(crc(Array(bytes[cut...]), seed: crc(Array(bytes[..<cut]))) == crc(bytes))
        }
    }
}
