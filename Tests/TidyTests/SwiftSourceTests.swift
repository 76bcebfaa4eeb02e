import Testing

@Suite("Tidy's view of a source file")
struct SwiftSourceTests {
    private func source(_ text: String) -> SwiftSource { SwiftSource(path: "Sources/Base/A.swift", text: text) }

    @Test(
        "code, comments and strings are told apart",
        arguments: [
            ("a // b\nc", "a     \nc", "  // b\n ", []),
            ("a /* b /* c */ d */ e", "a                   e", "  /* b /* c */ d */  ", []),
            (#"f("a // b") // c"#, #"f("      ") "#, #"            // c"#, ["a // b"]),
            (#"f("a\"b") + c"#, #"f("    ") + c"#, "", [#"a\"b"#]),
            (#"f("a\(g(1))b")"#, #"f(" \(g(1)) ")"#, "", ["ab"]),
            (##"f(#"a\(b)"c"#)"##, ##"f(#"       "#)"##, "", [#"a\(b)"c"#]),
            ("\"\"\"\na \"b\"\n\"\"\" + c", "\"\"\"\n     \n\"\"\" + c", "", ["\na \"b\"\n"]),
            (#"c = '"'; d = "e""#, #"c = ' '; d = " ""#, "", ["e"]),
        ])
    func lexing(text: String, code: String, comments: String, strings: [String]) {
        func lines(_ text: SourceText) -> String { (0..<text.lineCount).map(text.line).joined(separator: "\n") }
        func trimEnd(_ text: String) -> Substring {
            text.lastIndex { !$0.isWhitespace }.map { text[...$0] } ?? ""
        }
        let file = source(text)
        #expect(trimEnd(lines(file.code)) == trimEnd(code))
        #expect(trimEnd(lines(file.comments)) == trimEnd(comments))
        #expect(file.strings.map(\.text) == strings)
    }

    @Test("an interpolation inside an interpolation is still a string of its own")
    func nestedInterpolation() {
        let strings = source(#"let a = "b\(c ? "d\(e)" : "f")g""#).strings
        #expect(Set(strings.map(\.text)) == ["bg", "d", "f"])
        #expect(strings.filter(\.isInterpolated).count == 2)
    }

    @Test("words are found whole, with their lines")
    func words() {
        let text = SourceText(Array("run rerun\nrunner\n  run(run)\n".utf8))
        #expect(text.offsets(of: "run") == [0, 19, 23])
        #expect(text.lines(of: "run") == [0, 2])
        #expect(text.lineCount == 3)
        #expect(text.line(1) == "runner")
        #expect(SourceText([]).lineCount == 0)
    }

    @Test("functions are measured from their name to their closing brace")
    func extents() {
        let file = source(
            """
            protocol P {
                func required(a: Int)
                subscript(a: Int) -> Int { get }
                var value: Int { get }
            }
            struct S {
                init(
                    f: () -> Void = {}
                ) {
                    f()
                }
                func outer() { // }
                    func inner() {}
                    let text = "}"
                }
            }
            """)
        #expect(
            functions(file) == [
                FunctionExtent(name: "subscript", line: 2, length: 1),
                FunctionExtent(name: "init", line: 6, length: 5),
                FunctionExtent(name: "outer", line: 11, length: 4),
                FunctionExtent(name: "inner", line: 12, length: 1),
            ])
    }
}
