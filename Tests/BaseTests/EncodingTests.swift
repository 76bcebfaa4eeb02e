import Base
import Testing

struct EncodingTests {
    @Test(
        "Base64 as in RFC 4648, section 10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func base64Vectors(_ text: String, _ encoded: String) {
        #expect(base64(Array(text.utf8)) == encoded)
    }

    @Test("Base64 uses its whole alphabet")
    func base64Alphabet() {
        #expect(base64([0xFB, 0xFF, 0xBF]) == "+/+/")
        var packed: [UInt8] = []
        for start in stride(from: UInt8(0), to: 64, by: 4) {
            let bits = (0..<4).reduce(UInt32(0)) { $0 << 6 | UInt32(start) + UInt32($1) }
            packed += [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
        }
        #expect(base64(packed) == "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    }

    @Test("Hexadecimal is two lower-case digits a byte")
    func hex() {
        #expect(hexadecimal([0x00, 0x0F, 0xA5, 0xFF]) == "000fa5ff")
        #expect(hexadecimal([]) == "")
    }

    @Test("Equal in constant time means equal")
    func constantTime() {
        #expect(constantTimeEqual([UInt8](), [UInt8]()))
        #expect(constantTimeEqual("secret".utf8, Array("secret".utf8)))
        #expect(!constantTimeEqual("secret".utf8, "secres".utf8))
        #expect(!constantTimeEqual("secret".utf8, "Secret".utf8))
        #expect(!constantTimeEqual("secret".utf8, "secret1".utf8))
        #expect(!constantTimeEqual("".utf8, "a".utf8))
        for bit in 0..<8 { #expect(!constantTimeEqual([0, 0], [0, UInt8(1 << bit)])) }
    }

    @Test(
        "A name is 1 to 128 of A-Z a-z 0-9 . _ -, beginning with a letter or digit",
        arguments: [
            ("a", true), ("0", true), ("A.b_c-9", true), (String(repeating: "x", count: 128), true), ("", false),
            (String(repeating: "x", count: 129), false), (".a", false), ("-a", false), ("_a", false), ("a b", false),
            ("a/b", false), ("a\n", false), ("é", false), ("aé", false), ("a*", false), ("a:b", false),
            ("a\u{0}", false),
        ])
    func names(_ name: String, _ isValid: Bool) {
        #expect(isValidName(name) == isValid)
    }

    @Test("A seeded generator gives SplitMix64's numbers, the same on every run")
    func seededRandom() {
        var random = SeededRandom(seed: 1_234_567)
        #expect(
            (0..<5).map { _ in random.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
        var copy = random
        #expect(random.next() == copy.next())
        let units = (0..<10_000).map { _ in random.nextUnit() }
        #expect(units.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(units.reduce(0, +) / 10_000 - 0.5) < 0.02)
    }

    @Test("Secure bytes have the length that was asked for and do not repeat")
    func secureBytes() {
        #expect(secureRandomBytes(0).isEmpty)
        #expect(secureRandomBytes(1_000).count == 1_000)
        #expect(Set((0..<100).map { _ in hexadecimal(secureRandomBytes(16)) }).count == 100)
    }
}
