import Base
import Testing

/// Tenants share a provider's account and never see each other's objects in it.
@Suite struct TenantTests {
    private struct Two {
        let rig: Rig
        let a: HTTPClient
        let b: HTTPClient
        /// Another key of a's tenant.
        let sibling: HTTPClient

        init() throws {
            rig = try Rig()
            let server = rig.server
            func client(_ name: String, _ tenant: String) throws -> HTTPClient {
                server.client(key: try server.createKey(name, tenant: tenant))
            }
            a = try client("a", "team-a")
            b = try client("b", "team-b")
            sibling = try client("a2", "team-a")
        }
    }

    private static let upload =
        "--cut\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"
        + "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"in.jsonl\"\r\n\r\n"
        + #"{"custom_id":"1","method":"POST","url":"/v1/chat/completions","#
        + #""body":{"model":"gpt-4o-mini","messages":[]}}"#
        + "\n\r\n--cut--\r\n"

    private func uploadFile(_ client: HTTPClient) throws -> String {
        let answer = try client.post(
            "/v1/files", Self.upload, headers: [("Content-Type", "multipart/form-data; boundary=cut")])
        guard answer.status == 200, let id = try answer.json()["id"].string else { throw HarnessFailure(answer.text) }
        return id
    }

    @Test("S11: a stored response is its tenant's: for others its id does not exist, in any call")
    func responses() throws {
        let two = try Two()
        let id = try #require(try two.a.post("/v1/responses", Body.responses).json()["id"].string)
        let before = try two.rig.provider.calls().total
        for (method, path) in [
            ("GET", "/v1/responses/\(id)"), ("DELETE", "/v1/responses/\(id)"), ("POST", "/v1/responses/\(id)/cancel"),
            ("GET", "/v1/responses/\(id)/input_items"),
        ] {
            let foreign = try two.b.request(method, path, body: method == "POST" ? "{}" : nil)
            let missing = try two.b.request(
                method, path.replacing(id, with: "resp_none"), body: method == "POST" ? "{}" : nil)
            #expect(foreign.status == 404, "\(method) \(path): \(foreign.text)")
            #expect(foreign.text.replacing(id, with: "resp_none") == missing.text)
        }
        let chained = #"{"model":"gpt-4o-mini","input":"go on","previous_response_id":"\#(id)"}"#
        #expect(try two.b.post("/v1/responses", chained).status == 404)
        #expect(try two.rig.provider.calls().total == before)
        #expect(try two.a.get("/v1/responses/\(id)").json()["id"].string == id)
        #expect(try two.sibling.post("/v1/responses", chained).status == 200)
        #expect(try two.sibling.request("DELETE", "/v1/responses/\(id)").status == 200)
        #expect(try two.a.get("/v1/responses/\(id)").status == 404)
    }

    @Test("S11: files are their tenant's: foreign ids are 404 and lists show one's own only")
    func files() throws {
        let two = try Two()
        let (ofA, ofB) = (try uploadFile(two.a), try uploadFile(two.b))
        for (method, tail) in [("GET", ""), ("GET", "/content"), ("DELETE", "")] {
            #expect(try two.b.request(method, "/v1/files/\(ofA)\(tail)").status == 404, "\(method) \(tail)")
        }
        func ids(_ client: HTTPClient) throws -> [String?] {
            try client.get("/v1/files").json()["data"].elements.map { $0["id"].string }
        }
        #expect(try ids(two.a) == [ofA])
        #expect(try ids(two.sibling) == [ofA])
        #expect(try ids(two.b) == [ofB])
        #expect(try ids(two.rig.client).isEmpty)
        #expect(try two.sibling.get("/v1/files/\(ofA)/content").text.contains("custom_id"))
        #expect(try two.a.request("DELETE", "/v1/files/\(ofA)").status == 200)
        #expect(try ids(two.a).isEmpty)
    }

    @Test("S11: batches are their tenant's, and so is the file that one writes")
    func batches() throws {
        let two = try Two()
        let input = try uploadFile(two.a)
        let body = #"{"input_file_id":"\#(input)","endpoint":"/v1/chat/completions","completion_window":"24h"}"#
        let made = try two.a.post("/v1/batches", body)
        let id = try #require(try made.json()["id"].string, "\(made.text)")
        #expect(try two.b.get("/v1/batches/\(id)").status == 404)
        #expect(try two.b.post("/v1/batches/\(id)/cancel", "{}").status == 404)
        #expect(try two.b.get("/v1/batches").json()["data"].elements.isEmpty)
        let done = try awaited("the batch's end") {
            let batch = try two.a.get("/v1/batches/\(id)").json()
            return batch["status"].string == "completed" ? batch : nil
        }
        let output = try #require(done["output_file_id"].string)
        #expect(try eventually { try two.a.get("/v1/files/\(output)/content").status == 200 })
        #expect(try two.b.get("/v1/files/\(output)/content").status == 404)
    }

    @Test("S11: ownership outlives a restart of the server")
    func restart() throws {
        let provider = try Provider.start()
        let folder = try TemporaryFolder()
        let settings = "[auth]\nadmin-key = \"env:ADMIN_KEY\"\n\n" + provider.settings()
        let environment = ["ADMIN_KEY": "a-key-that-is-long-enough"]
        let first = try Serving(
            ["--listen", "127.0.0.1:0"], settings: settings, environment: environment, folder: folder)
        let admin = HTTPClient(port: try first.port(), key: "a-key-that-is-long-enough")
        let other = try #require(
            try admin.post("/keys", #"{"name":"other","scopes":["ai","passthrough"]}"#).json()["key"].string)
        let id = try #require(try admin.post("/v1/responses", Body.responses).json()["id"].string)
        first.child.signal(15)
        #expect(try first.child.waitForEnd() == 0)
        let second = try Serving(
            ["--listen", "127.0.0.1:0"], settings: settings, environment: environment, folder: folder)
        let port = try second.port()
        #expect(try HTTPClient(port: port, key: "a-key-that-is-long-enough").get("/v1/responses/\(id)").status == 200)
        #expect(try HTTPClient(port: port, key: other).get("/v1/responses/\(id)").status == 404)
    }
}
