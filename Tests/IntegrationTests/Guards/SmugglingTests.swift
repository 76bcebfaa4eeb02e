import Base
import Testing

/// H3: no byte stream is read in two ways. Whatever is doubtful is refused once, and what follows it is not answered.
@Suite struct SmugglingTests {
    /// Request line and framing fields, then the bytes after the head; `SMUGGLED` stands for a request of its own.
    private static let doubtful: [(name: String, line: String, fields: [String], rest: String)] = [
        (
            "CL.TE", "POST /v1/completions HTTP/1.1", ["Content-Length: 6", "Transfer-Encoding: chunked"],
            "0\r\n\r\nSMUGGLED"
        ),
        (
            "TE.CL", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding: chunked", "Content-Length: 3"],
            "1\r\na\r\n0\r\n\r\nSMUGGLED"
        ),
        ("two lengths", "POST /v1/completions HTTP/1.1", ["Content-Length: 0", "Content-Length: 5"], "SMUGGLED"),
        ("lengths in a list", "POST /v1/completions HTTP/1.1", ["Content-Length: 0, 5"], "SMUGGLED"),
        ("length with a plus", "POST /v1/completions HTTP/1.1", ["Content-Length: +0"], "SMUGGLED"),
        ("negative length", "POST /v1/completions HTTP/1.1", ["Content-Length: -1"], "SMUGGLED"),
        ("hexadecimal length", "POST /v1/completions HTTP/1.1", ["Content-Length: 0x0"], "SMUGGLED"),
        ("length with a space inside", "POST /v1/completions HTTP/1.1", ["Content-Length: 0 5"], "SMUGGLED"),
        ("length above 64 bits", "POST /v1/completions HTTP/1.1", ["Content-Length: 18446744073709551616"], "SMUGGLED"),
        ("length that is a word", "POST /v1/completions HTTP/1.1", ["Content-Length: none"], "SMUGGLED"),
        ("unknown coding", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding: xchunked"], "0\r\n\r\nSMUGGLED"),
        (
            "coding after chunked", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding: chunked, identity"],
            "0\r\n\r\nSMUGGLED"
        ),
        ("identity", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding: identity"], "0\r\n\r\nSMUGGLED"),
        (
            "vertical tab before chunked", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding: \u{0B}chunked"],
            "0\r\n\r\nSMUGGLED"
        ),
        ("quoted chunked", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding: \"chunked\""], "0\r\n\r\nSMUGGLED"),
        (
            "two codings fields", "POST /v1/completions HTTP/1.1",
            ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], "0\r\n\r\nSMUGGLED"
        ),
        (
            "space before the colon", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding : chunked"],
            "0\r\n\r\nSMUGGLED"
        ),
        ("length, space before the colon", "POST /v1/completions HTTP/1.1", ["Content-Length : 0"], "SMUGGLED"),
        (
            "folded field", "POST /v1/completions HTTP/1.1",
            ["X-A: 1\r\n Transfer-Encoding: chunked", "Content-Length: x"], "0\r\n\r\nSMUGGLED"
        ),
        (
            "folded coding", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding:\r\n chunked", "Content-Length: 4"],
            "0\r\n\r\nSMUGGLED"
        ),
        ("field without a name", "POST /v1/completions HTTP/1.1", [": x", "Content-Length: 0"], "SMUGGLED"),
        ("field without a colon", "POST /v1/completions HTTP/1.1", ["Content-Length 0"], "SMUGGLED"),
        ("NUL in a value", "POST /v1/completions HTTP/1.1", ["X-A: a\0b", "Content-Length: 0"], "SMUGGLED"),
        (
            "bare CR in a value", "POST /v1/completions HTTP/1.1", ["X-A: a\rContent-Length: 50", "Content-Length: 0"],
            "SMUGGLED"
        ),
        (
            "chunk size above 64 bits", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding: chunked"],
            "10000000000000000\r\na\r\nSMUGGLED"
        ),
        (
            "chunk size with 0x", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding: chunked"],
            "0x1\r\na\r\n0\r\n\r\nSMUGGLED"
        ),
        (
            "negative chunk size", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding: chunked"],
            "-1\r\na\r\n0\r\n\r\nSMUGGLED"
        ),
        (
            "chunk longer than its size", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding: chunked"],
            "1\r\nabc\r\n0\r\n\r\nSMUGGLED"
        ),
        (
            "chunk size without a number", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding: chunked"],
            "\r\na\r\n0\r\n\r\nSMUGGLED"
        ),
        (
            "chunk size ended by a bare LF", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding: chunked"],
            "1\na\r\n0\r\n\r\nSMUGGLED"
        ),
        (
            "chunk extension with a bare LF", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding: chunked"],
            "1;x=\nSMUGGLED"
        ),
        (
            "chunk data ended by a bare LF", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding: chunked"],
            "1\r\na\n0\r\n\r\nSMUGGLED"
        ),
        (
            "framing in trailers", "POST /v1/completions HTTP/1.1", ["Transfer-Encoding: chunked"],
            "1\r\na\r\n0\r\nContent-Length: 5\r\n\r\nSMUGGLED"
        ),
        (
            "chunked in HTTP/1.0", "POST /v1/completions HTTP/1.0",
            ["Transfer-Encoding: chunked", "Content-Length: 4"], "0\r\n\r\nSMUGGLED"
        ),
        ("CONNECT", "CONNECT 127.0.0.1:1 HTTP/1.1", [], "SMUGGLED"),
        ("HTTP/2 preface", "PRI * HTTP/2.0", [], "SM\r\n\r\nSMUGGLED"),
        ("HTTP/1.2", "POST /v1/completions HTTP/1.2", ["Content-Length: 0"], "SMUGGLED"),
        ("HTTP/0.9", "GET /health/live", [], "SMUGGLED"),
        ("three words and one more", "GET /health/live HTTP/1.1 x", [], "SMUGGLED"),
        ("space in the target", "GET /health /live HTTP/1.1", [], "SMUGGLED"),
        ("space before the method", " GET /health/live HTTP/1.1", [], "SMUGGLED"),
        ("method that is none", "G@T /health/live HTTP/1.1", [], "SMUGGLED"),
        ("lower-case method", "get /health/live HTTP/1.1", [], "SMUGGLED"),
        (
            "h2c upgrade", "GET /health/live HTTP/1.1",
            ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"],
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        ),
    ]

    @Test("H3: doubtful framing is refused with at most one answer, and the request hidden in it is never done")
    func doubtfulFraming() throws {
        let rig = try Rig()
        let smuggled =
            rig.server.head("POST /v1/embeddings HTTP/1.1", ["Content-Length: 45"])
            + #"{"model":"text-embedding-3-small","input":"s"}"#.prefix(45)
        for (name, line, fields, rest) in Self.doubtful {
            let text = rig.server.head(line, fields) + rest.replacing("SMUGGLED", with: smuggled)
            let answer = try rig.server.raw(text, within: .seconds(2))
            #expect(answer.count <= 1, "\(name): \(answer.text)")
            #expect(answer.status.map { $0 >= 400 } ?? true, "\(name): \(answer.text)")
            #expect(answer.end != .timedOut, "\(name) leaves the connection open: \(answer.text)")
            #expect(try rig.provider.calls().total == 0, "\(name) reached the provider")
        }
        #expect(try rig.client.get("/health/live").status == 200)
        #expect(try eventually { try rig.server.metric("weir_requests_active") == 0 })
    }

    @Test("H3: on a route that streams its body the same bytes reach no provider as a second request")
    func doubtfulFramingWhenPassedThrough() throws {
        let rig = try Rig()
        let key = "Authorization: Bearer \(rig.server.adminKey)"
        let smuggled = rig.server.head("GET /v1/smuggled HTTP/1.1", [key])
        for (name, line, fields, rest) in Self.doubtful where line.contains("/v1/completions") {
            let target = line.replacing("/v1/completions", with: "/v1/vector_stores")
            let text = rig.server.head(target, fields + [key]) + rest.replacing("SMUGGLED", with: smuggled)
            let answer = try rig.server.raw(text, within: .seconds(2))
            #expect(answer.count <= 1, "\(name): \(answer.text)")
            #expect(answer.end != .timedOut, "\(name) leaves the connection open: \(answer.text)")
            #expect(!(try rig.provider.client.get("/simulator/last").text.contains("smuggled")), "\(name)")
        }
        #expect(try eventually { try rig.server.metric("weir_upstream_transfers") == 0 })
        #expect(try eventually { try rig.server.metric("weir_requests_active") == 0 })
    }

    @Test("H3: framing that has one reading only is served, what follows it as a request of its own")
    func plainFraming() throws {
        let rig = try Rig()
        let next = rig.server.head("GET /health/live HTTP/1.1")
        let body = Body.chat
        let size = String(body.utf8.count, radix: 16)
        let cases: [(name: String, fields: [String], rest: String)] = [
            ("length", ["Content-Length: \(body.utf8.count)"], body),
            ("length with white space around", ["Content-Length:   \(body.utf8.count)  "], body),
            ("chunks", ["Transfer-Encoding: chunked"], "\(size)\r\n\(body)\r\n0\r\n\r\n"),
            ("chunked in capitals", ["transfer-encoding: CHUNKED"], "\(size.uppercased())\r\n\(body)\r\n0\r\n\r\n"),
            ("chunk size with zeros", ["Transfer-Encoding: chunked"], "000\(size)\r\n\(body)\r\n0\r\n\r\n"),
            ("chunk extension", ["Transfer-Encoding: chunked"], "\(size);name=value\r\n\(body)\r\n0\r\n\r\n"),
            (
                "trailers", ["Transfer-Encoding: chunked"],
                "\(size)\r\n\(body)\r\n0\r\nX-Sum: 1\r\nHost: evil.example\r\n\r\n"
            ),
        ]
        for (name, fields, rest) in cases {
            let answer = try rig.server.raw(rig.server.head("POST /v1/chat/completions HTTP/1.1", fields) + rest + next)
            #expect(answer.status == 200, "\(name): \(answer.text)")
            #expect(answer.count == 2, "\(name): \(answer.text)")
        }
        let last = try rig.provider.last()
        #expect(last.body.text == body)
        #expect(
            last.headers.filter { ["content-length", "transfer-encoding"].contains($0.name.lowercased()) }.count == 1)
    }

    @Test("H2: a request in single bytes or in twenty pieces is read as the whole one is")
    func splitAnywhere() throws {
        let rig = try Rig()
        let request = Array(
            (rig.server.head(
                "POST /v1/chat/completions HTTP/1.1", ["Transfer-Encoding: chunked", "Connection: close"])
                + "10\r\n\(Body.chat.prefix(16))\r\n\(String(Body.chat.utf8.count - 16, radix: 16))\r\n"
                + "\(Body.chat.dropFirst(16))\r\n0\r\n\r\n")
                .utf8)
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        let plans =
            [Array(1..<request.count)]
            + (0..<20).map { _ in (0..<20).map { _ in Int.random(in: 1..<request.count, using: &random) }.sorted() }
        for plan in plans {
            let connection = try Connection(port: rig.server.port)
            var position = 0
            for cut in plan + [request.count] where cut > position {
                try connection.send(Array(request[position..<cut]))
                position = cut
            }
            let answer = try connection.readResponse()
            #expect(answer.status == 200, "seed \(seed): \(answer.text)")
            #expect(connection.waitForEnd() == .closed)
        }
        #expect(try rig.provider.last().body.text == Body.chat)
    }

    @Test("H2: a body that breaks off is never handed on as if it were whole")
    func brokenBody() throws {
        let rig = try Rig()
        for fields in [["Content-Length: 500"], ["Transfer-Encoding: chunked"]] {
            let connection = try Connection(port: rig.server.port)
            try connection.send(rig.server.head("POST /v1/chat/completions HTTP/1.1", fields) + "20\r\n" + Body.chat)
            connection.finishSending()
            let (bytes, end) = connection.readToEnd()
            #expect(end != .timedOut)
            #expect(bytes.isEmpty || bytes.text.hasPrefix("HTTP/1.1 4"))
        }
        #expect(try rig.provider.calls().total == 0)
    }
}
