import Base
import Testing

struct HeaderFieldsTests {
    private let fields = HeaderFields([("Content-Type", "a"), ("X-One", "1"), ("content-type", "b"), ("X-Two", "2")])

    private func text(_ fields: HeaderFields) -> [String] { fields.fields.map { "\($0.name)=\($0.value)" } }

    @Test("Names are found whatever their case; the first value counts")
    func lookUp() {
        #expect(fields["CONTENT-TYPE"] == "a")
        #expect(fields.contains("x-two"))
        #expect(fields["x-three"] == nil && !fields.contains("x-three"))
        #expect(fields[""] == nil)
    }

    @Test("Adding keeps duplicates, removing takes all of a name, replacing leaves one")
    func changes() {
        var changed = fields
        changed.add("x-one", "3")
        #expect(text(changed) == ["Content-Type=a", "X-One=1", "content-type=b", "X-Two=2", "x-one=3"])
        changed.remove("CONTENT-type")
        #expect(text(changed) == ["X-One=1", "X-Two=2", "x-one=3"])
        changed.replace("X-ONE", "4")
        #expect(text(changed) == ["X-Two=2", "X-ONE=4"])
    }

    @Test(
        "Only ASCII letters match across case",
        arguments: [
            ("Abc", "aBC", true), ("", "", true), ("a", "ab", false), ("[", "{", false), ("@", "`", false),
            ("k", "\u{212A}", false),
            ("É", "é", false), ("a-1", "A-1", true),
        ])
    func ignoringCase(_ a: String, _ b: String, _ isEqual: Bool) {
        #expect(equalIgnoringCase(a, b) == isEqual)
    }

    @Test(
        "A header value holds no control character but a tab",
        arguments: [
            ("", true), ("a b\tc", true), ("é", true), ("a\r\nSet-Cookie: x", false), ("a\n", false), ("a\u{0}", false),
            ("\u{7F}", false), ("\u{1B}[0m", false),
        ])
    func values(_ value: String, _ isValid: Bool) {
        #expect(isHeaderValue(value) == isValid)
    }
}
