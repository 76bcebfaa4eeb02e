import Base
import Testing

/// Item 41: large bodies and their limits.
@Suite struct LargeBodyTests {
    private func chat(_ size: Int) -> String {
        let frame = #"{"model":"gpt-4o","messages":[{"role":"user","content":""}]}"#
        let filler = String(repeating: "x", count: size - frame.utf8.count)
        return frame.replacing(#":""}"#, with: #":"\#(filler)"}"#)
    }

    private func messages(_ size: Int) -> String {
        let frame = #"{"model":"claude-x","max_tokens":5,"messages":[{"role":"user","content":""}]}"#
        let filler = String(repeating: "x", count: size - frame.utf8.count)
        return frame.replacing(#":""}"#, with: #":"\#(filler)"}"#)
    }

    @Test("item 41: a body of 10 MiB arrives whole, aliased or not, and the answer of 10 MiB too")
    func tenMebibytes() throws {
        let rig = try Rig("[models.fast]\ntargets = [{ provider = \"sim\", model = \"gpt-4o\" }]\n")
        let body = chat(10 << 20)
        let direct = try rig.direct.post("/v1/chat/completions", body, simulate: "big=10485760")
        let hash = try rig.provider.last().bodyHash
        for sent in [body, body.replacing("gpt-4o", with: "fast")] {
            let answer = try rig.client.post("/v1/chat/completions", sent, simulate: "big=10485760")
            #expect(answer.status == 200)
            #expect(answer.body.count == 10 << 20)
            #expect(answer.body == direct.body)
            #expect(try rig.provider.last().bodyHash == hash)
        }
    }

    private func send(
        _ rig: Rig, _ path: String, _ body: String, chunked: Bool
    ) throws -> (response: Response, connection: Connection) {
        let connection = try rig.client.connect()
        var wire = Array(body.utf8)
        if chunked {
            let half = wire.count / 2
            wire = Array((chunk(wire[..<half].map { $0 }.text) + chunk(wire[half...].map { $0 }.text) + lastChunk).utf8)
        }
        let headers = rig.client.headers(chunked ? [("Transfer-Encoding", "chunked")] : [])
        try connection.sendRequest("POST", path, headers: headers, body: wire)
        return (try connection.readResponse(), connection)
    }

    @Test("item 41: exactly the limit is taken, one byte more is 413 in the dialect", arguments: [false, true])
    func limit(chunked: Bool) throws {
        let rig = try Rig("[server]\nbody-limit = \"64KiB\"\n")
        let size = 64 << 10
        for (path, make) in [("/v1/chat/completions", chat), ("/v1/messages", messages)] {
            let exact = try send(rig, path, make(size), chunked: chunked)
            #expect(exact.response.status == 200, "\(exact.response.text)")
            #expect(try rig.provider.last().bodyBytes == size)
            let before = try rig.provider.calls().total
            let over = try send(rig, path, make(size + 1), chunked: chunked).response
            #expect(over.status == 413)
            let error = try over.json()["error"]
            if path == "/v1/messages" {
                #expect(error["type"].string == "request_too_large")
            } else {
                #expect(error["code"].string == "body_too_large")
            }
            #expect(over.header("connection") == "close")
            #expect(try rig.provider.calls().total == before)
        }
    }

    @Test("item 41: Expect: 100-continue is answered before the body, and not at all when the request is refused")
    func expectContinue() throws {
        let rig = try Rig("[server]\nbody-limit = \"64KiB\"\n")
        func head(_ path: String, _ length: Int, key: String) throws -> Connection {
            let connection = try rig.client.connect()
            try connection.sendRequest(
                "POST", path,
                headers: [
                    ("Expect", "100-continue"), ("Content-Length", "\(length)"), ("Authorization", "Bearer \(key)"),
                    ("Content-Type", "application/json"),
                ])
            return connection
        }
        let connection = try head("/v1/chat/completions", Body.chat.utf8.count, key: rig.server.adminKey)
        #expect(try connection.readHead().line == "HTTP/1.1 100 Continue")
        try connection.send(Body.chat)
        #expect(try connection.readResponse().status == 200)
        #expect(try rig.provider.last().header("expect") == nil)

        let tooLarge = try head("/v1/messages", 65_537, key: rig.server.adminKey)
        #expect(try tooLarge.readHead().line.hasPrefix("HTTP/1.1 413"))
        let revoked = try rig.server.createKey("gone", scopes: ["metrics"])
        let forbidden = try head("/v1/messages", 10, key: revoked)
        #expect(try forbidden.readHead().line.hasPrefix("HTTP/1.1 403"))

        let upload = try head("/v1/audio/speech", 10, key: rig.server.adminKey)
        #expect(try upload.readHead().line == "HTTP/1.1 100 Continue")
        try upload.send("0123456789")
        #expect(try upload.readResponse().status == 404, "the simulator has no such route")
        #expect(try rig.provider.last().body.text == "0123456789")
    }

    @Test("item 41: a compressed request body is refused in the dialect before any provider sees it")
    func compressedRequest() throws {
        let rig = try Rig()
        let connection = try rig.client.connect()
        let headers = rig.client.headers([("Content-Encoding", "gzip")])
        let gzip: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0]
        try connection.sendRequest("POST", "/v1/messages", headers: headers, body: gzip)
        let answer = try connection.readResponse()
        #expect(answer.status == 400 || answer.status == 415)
        #expect(try answer.json()["error"]["type"].string == "invalid_request_error")
        #expect(try rig.provider.calls().total == 0)
    }
}
