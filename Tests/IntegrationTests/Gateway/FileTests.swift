import Base
import Testing

/// Item 40: files and batches of many tenants at one provider account.
@Suite struct FileTests {
    let rig: Rig
    let alice: HTTPClient
    let bob: HTTPClient

    init() throws {
        rig = try Rig("[server]\nbody-limit = \"1MiB\"\n")
        alice = rig.server.client(key: try rig.server.createKey("alice"))
        bob = rig.server.client(key: try rig.server.createKey("bob"))
    }

    private func form(_ content: [UInt8], purpose: String = "batch") -> [UInt8] {
        Array("--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n\(purpose)\r\n--b\r\n".utf8)
            + Array("Content-Disposition: form-data; name=\"file\"; filename=\"f.jsonl\"\r\n\r\n".utf8)
            + content + Array("\r\n--b--\r\n".utf8)
    }

    private func upload(_ client: HTTPClient, _ content: [UInt8], headers: [(String, String)] = []) throws -> Response {
        let connection = try client.connect()
        defer { connection.close() }
        let all = client.headers(headers + [("Content-Type", "multipart/form-data; boundary=b")])
        try connection.sendRequest("POST", "/v1/files", headers: all, body: form(content))
        return try connection.readResponse()
    }

    private func uploadedID(_ client: HTTPClient, _ text: String) throws -> String {
        let answer = try upload(client, Array(text.utf8))
        #expect(answer.status == 200, "\(answer.text)")
        return try #require(try answer.json()["id"].string)
    }

    private func listed(_ client: HTTPClient, _ path: String) throws -> [String] {
        let answer = try client.get(path)
        #expect(answer.status == 200, "\(answer.text)")
        let json = try answer.json()
        let ids = json["data"].elements.compactMap { $0["id"].string }
        #expect(json["first_id"].string == ids.first)
        #expect(json["last_id"].string == ids.last)
        return ids
    }

    @Test("item 40: a tenant sees, reads and deletes its own files only; lists are filtered")
    func filesByTenant() throws {
        _ = try upload(HTTPClient(port: rig.provider.port, key: nil), Array("made past the gateway".utf8))
        let first = try uploadedID(alice, "one")
        let second = try uploadedID(alice, "two")
        let foreign = try uploadedID(bob, "three")
        #expect(try listed(alice, "/v1/files") == [second, first])
        #expect(try listed(bob, "/v1/files?limit=10") == [foreign])
        #expect(try alice.get("/v1/files/\(first)/content").text == "one")
        #expect(try alice.get("/v1/files/\(first)").json()["filename"].string == "f.jsonl")
        let before = try rig.provider.calls().total
        for (method, path) in [
            ("GET", "/v1/files/\(first)"), ("GET", "/v1/files/\(first)/content"), ("DELETE", "/v1/files/\(first)"),
            ("GET", "/v1/files/file-never"), ("POST", "/v1/files/\(first)/anything"),
        ] {
            let refused = try bob.request(method, path, body: method == "POST" ? "{}" : nil)
            #expect(refused.status == 404, "\(method) \(path)")
        }
        #expect(try rig.provider.calls().total == before, "no provider was asked")
        #expect(try alice.request("DELETE", "/v1/files/\(first)").status == 200)
        #expect(try alice.get("/v1/files/\(first)").status == 404)
        #expect(try listed(alice, "/v1/files") == [second])
    }

    @Test("item 40: an upload of 20 MiB passes a body limit of 1 MiB unbuffered, and comes back whole")
    func bigUpload() throws {
        let content = (0..<(20 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        _ = try uploadedID(alice, "warm")
        let before = rig.server.residentBytes
        let answer = try upload(alice, content)
        #expect(answer.status == 200, "\(answer.text)")
        let id = try #require(try answer.json()["id"].string)
        #expect(try answer.json()["bytes"].int == content.count)
        let call = try rig.provider.last()
        #expect(call.bodyBytes == form(content).count)
        #expect(call.header("content-length") == "\(form(content).count)")
        #expect(try alice.get("/v1/files/\(id)/content").body == content)
        let grown = rig.server.residentBytes - before
        #expect(grown < 10 << 20, "\(grown >> 20) MiB more")
        #expect(try rig.server.ledgerRow(answer.requestID)["bytesIn"].int == form(content).count)
    }

    @Test("item 40: an upload whose answer comes compressed is understood and leaves readable")
    func compressedAnswer() throws {
        let compressed = [("X-Simulate", "gzip=force"), ("Accept-Encoding", "gzip")]
        let answer = try upload(alice, Array("x".utf8), headers: compressed)
        #expect(answer.status == 200)
        #expect(answer.header("content-encoding") == nil)
        let id = try #require(try answer.json()["id"].string)
        #expect(try alice.get("/v1/files/\(id)").status == 200)
        #expect(try alice.get("/v1/files", headers: [("X-Simulate", "gzip=force")]).json()["data"].elements.count == 1)
    }

    private static let line =
        #"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","#
        + #""body":{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}}"#

    private func batch(_ client: HTTPClient, _ file: String) throws -> Response {
        try client.post(
            "/v1/batches", #"{"input_file_id":"\#(file)","endpoint":"/v1/chat/completions","completion_window":"24h"}"#)
    }

    @Test("item 40: batches are scoped to their tenant, and so are the files they write")
    func batchesByTenant() throws {
        let file = try uploadedID(alice, Self.line)
        let made = try batch(alice, file)
        #expect(made.status == 200, "\(made.text)")
        let id = try #require(try made.json()["id"].string)
        for (method, path) in [("GET", "/v1/batches/\(id)"), ("POST", "/v1/batches/\(id)/cancel")] {
            #expect(try bob.request(method, path, body: method == "POST" ? "{}" : nil).status == 404)
        }
        #expect(try listed(alice, "/v1/batches") == [id])
        #expect(try listed(bob, "/v1/batches") == [])
        let done = try alice.get("/v1/batches/\(id)").json()
        #expect(done["status"].string == "completed")
        let output = try #require(done["output_file_id"].string)
        #expect(try bob.get("/v1/files/\(output)/content").status == 404)
        let content = try alice.get("/v1/files/\(output)/content")
        #expect(content.status == 200, "\(content.text)")
        #expect(content.text.contains(#""custom_id":"a""#))
    }

    @Test("item 40: a batch of another tenant's file is refused as if there were no such file")
    func foreignInput() throws {
        let file = try uploadedID(alice, Self.line)
        #expect(try batch(bob, file).status == 404)
        let twice = #"{"input_file_id":"file-x","input_file_\u0069d":"\#(file)","endpoint":"/v1/chat/completions"}"#
        #expect(try bob.post("/v1/batches", twice).status == 400)
        #expect(try bob.post("/v1/batches", "{").status == 400)
        #expect(try bob.post("/v1/batches", #"{"pad":"\#(String(repeating: "x", count: 300_000))"}"#).status == 413)
        #expect(try rig.provider.calls().byRoute["/v1/batches"] == nil)
        #expect(try bob.post("/v1/batches", "{}").status == 400, "the provider says what is missing")
        #expect(try rig.provider.calls().byRoute["/v1/batches"] == 1)
    }

    @Test("item 40: a filtered list keeps its other members, in whatever order they come")
    func listOrder() throws {
        let kept = #"{"id":"file-a","x":1.0},{"id":"file-b"}"#
        let list =
            #"{"has_more":true,"last_id":"file-z","data":[\#(kept),{"id":"file-z"}],"#
            + #""first_id":"file-a","object":"list"}"#
        let scripted = try ScriptedProvider.start { connection in
            while let request = try connection.readRequest() {
                let made = #"{"id":"file-\#(request.body.text)"}"#
                try connection.send(plainAnswer(200, request.method == "GET" ? list : made))
            }
        }
        let server = try WeirServer.start(scripted.settings())
        for name in ["a", "b"] { #expect(try server.client.post("/v1/files", name).status == 200) }
        let expected = #"{"has_more":true,"last_id":"file-b","data":[\#(kept)],"first_id":"file-a","object":"list"}"#
        #expect(try server.client.get("/v1/files").text == expected)
    }
}
