import Base
import Testing

@testable import Upstream

struct ResponseHeadTests {
    private func parse(_ text: String) -> (status: Int, fields: [String])? {
        Array(text.utf8).withUnsafeBytes { ResponseHead(lines: $0) }.map { head in
            (head.status, head.headers.fields.map { "\($0.name)=\($0.value)" })
        }
    }

    @Test(
        "The status is the three digits after the version",
        arguments: [
            ("HTTP/1.1 200 OK\r\n", 200), ("HTTP/1.1 404\r\n", 404), ("HTTP/2 503 \r\n", 503),
            ("HTTP/1.0 100 Continue\n", 100),
            ("HTTP/1.1 999 Odd: reason\r\n", 999),
        ])
    func status(_ text: String, _ status: Int) {
        #expect(parse(text)?.status == status)
        #expect(parse(text)?.fields == [])
    }

    @Test(
        "Without one there is no head",
        arguments: [
            "", "\r\n", "HTTP/1.1\r\n", "HTTP/1.1 20\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 OK\r\n",
            "HTTP/1.1 -20\r\n", "garbage",
            "Content-Type: x\r\n",
        ])
    func noStatus(_ text: String) {
        #expect(parse(text) == nil)
    }

    @Test("Fields keep their order, spelling and duplicates; space around a value goes, space in it stays")
    func fields() {
        let head = parse(
            "HTTP/1.1 200 OK\r\nContent-Type:text/plain\r\nX-A: \t 1 2 \t\r\nset-cookie: a=1\r\nSet-Cookie: b=2: 3\r\n"
                + "Empty:\r\nBlank:  \r\n")
        #expect(
            head?.fields == [
                "Content-Type=text/plain", "X-A=1 2", "set-cookie=a=1", "Set-Cookie=b=2: 3", "Empty=", "Blank=",
            ])
    }

    @Test("Lines that are no fields are dropped")
    func odd() {
        #expect(parse("HTTP/1.1 200 OK\r\nno colon\r\n: no name\r\nA: 1\r\n\r\n")?.fields == ["A=1"])
    }
}
