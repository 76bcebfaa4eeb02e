import Base
import Testing

struct HeaderLinesTests {
    private func lines(_ text: String) -> HeaderLines {
        var lines = HeaderLines()
        Array(text.utf8).withUnsafeBytes { lines.add(lines: $0) }
        return lines
    }

    @Test("lines keep their order, spelling and duplicates; blanks around a value are none of it")
    func reading() {
        let head = lines("B:  x y \t\r\nb: 2\r\nno colon\r\n: nameless\r\nEmpty:\r\nLast: z")
        #expect(head.fields.map { "\($0.name)=\($0.value)" } == ["B=x y", "b=2", "Empty=", "Last=z"])
        #expect(head["b"] == "x y" && head["LAST"] == "z" && head["none"] == nil)
        #expect(head.contains("empty") && !head.contains("no colon"))
    }

    @Test("removing takes every field of the name and leaves the others as they were")
    func removing() {
        var head = lines("A: 1\r\na: 2\r\nB: 3\r\n")
        head.remove("a")
        #expect(String(decoding: head.bytes, as: UTF8.self) == "B: 3\r\n")
        head.replace("B", "4")
        head.add("C", 5)
        #expect(String(decoding: head.bytes, as: UTF8.self) == "B: 4\r\nC: 5\r\n")
    }

    @Test("lines of another head follow as they are")
    func joining() {
        var head = HeaderLines([("A", "1")])
        head.add(HeaderLines([("B", "2")]))
        #expect(head.fields.map(\.name) == ["A", "B"])
    }
}
