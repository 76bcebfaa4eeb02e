import Base
import NIOCore
import NIOHTTP1
import Testing

@testable import Simulator

@Suite("Files, batches, models and unknown paths")
struct ProviderObjectsTests {
    private let desk = Desk()

    private func upload(_ content: String, purpose: String = "batch") throws -> JSONTree {
        let body =
            "--XX\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n\(purpose)\r\n"
            + "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"in.jsonl\"\r\n"
            + "Content-Type: application/octet-stream\r\n\r\n\(content)\r\n--XX--\r\n"
        return try desk.post("/v1/files", body, ["Content-Type": "multipart/form-data; boundary=XX"]).json()
    }

    @Test("a file is counted, listed, read back byte for byte and deleted")
    func files() throws {
        let content = "line one\r\n--X no boundary\r\n\r\nend"
        let file = try upload(content)
        let id = try #require(file["id"].string)
        #expect(file["bytes"].integer == content.utf8.count && file["filename"].string == "in.jsonl")
        #expect(file["object"].string == "file" && file["purpose"].string == "batch")
        #expect(try desk.get("/v1/files/\(id)/content").body == content)
        #expect(try desk.get("/v1/files/\(id)").json() == file)
        #expect(try desk.get("/v1/files").json()["data"].items == [file])
        #expect(try desk.call("DELETE", "/v1/files/\(id)", []).json()["deleted"] == .bool(true))
        #expect(try desk.get("/v1/files/\(id)").status == 404)
    }

    @Test("an upload without a file or a purpose is refused")
    func badUpload() throws {
        #expect(try desk.post("/v1/files", "hello").status == 400)
        let body = "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--XX--\r\n"
        let reply = try desk.post("/v1/files", body, ["Content-Type": "multipart/form-data; boundary=\"XX\""])
        #expect(try reply.json()["error"]["param"].string == "purpose")
    }

    @Test("a batch answers its lines and puts the failed ones aside")
    func batches() throws {
        let chat = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}"
        let good = "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":\(chat)}"
        let bad = "{\"custom_id\":\"b\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{}}"
        let file = try upload("\(good)\n\(bad)\nnot json\n")["id"].string ?? ""
        let body =
            "{\"input_file_id\":\"\(file)\",\"endpoint\":\"/v1/chat/completions\","
            + "\"completion_window\":\"24h\",\"metadata\":{\"k\":\"v\"}}"
        let created = try desk.post("/v1/batches", body).json()
        let id = created["id"].string ?? ""
        #expect(created["status"].string == "validating" && created["metadata"]["k"].string == "v")
        let done = try desk.get("/v1/batches/\(id)").json()
        #expect(done["status"].string == "completed" && done["request_counts"]["completed"].integer == 1)
        #expect(done["request_counts"]["failed"].integer == 2)
        let output = try desk.get("/v1/files/\(done["output_file_id"].string ?? "")/content").bodyBytes
        let line = try JSONTree.parse(output)
        #expect(line["custom_id"].string == "a")
        #expect(line["response"]["body"] == (try desk.post("/v1/chat/completions", chat).json()))
        #expect(try desk.get("/v1/batches").json()["data"].items == [done])
        #expect(try desk.post("/v1/batches", body.replacing(file, with: "file-none")).status == 404)
        let second = try desk.post("/v1/batches", body).json()["id"].string ?? ""
        #expect(try desk.post("/v1/batches/\(second)/cancel", "").json()["status"].string == "cancelled")
    }

    @Test("models come in the shape of the dialect that asks")
    func models() throws {
        let openAI = try desk.get("/v1/models").json()
        #expect(openAI["object"].string == "list" && openAI["data"][0]["object"].string == "model")
        let anthropic = try desk.get("/v1/models", ["anthropic-version": "2023-06-01"]).json()
        #expect(anthropic["data"][0]["type"].string == "model" && anthropic["has_more"] == .bool(false))
        #expect(try desk.get("/models/gpt-4o").json()["id"].string == "gpt-4o")
        #expect(try desk.get("/v1/models/none").json()["error"]["code"].string == "model_not_found")
        let missing = try desk.get("/v1/models/none", ["anthropic-version": "2023-06-01"])
        #expect(try missing.json()["error"]["type"].string == "not_found_error")
    }

    @Test(
        "what is no route is a 404 that names it",
        arguments: ["/v1/audio/speech", "/", "/v1/files/a/b/c", "/v1/{id}"])
    func unknown(uri: String) throws {
        let reply = try desk.post(uri, "{}")
        #expect(reply.status == 404)
        #expect(try reply.json()["error"]["message"].string?.contains(uri) == true)
        #expect(try desk.get("/v1/chat/completions").status == 404)
    }

    @Test("every path is found with and without /v1 and with a query")
    func paths() {
        for path in RoutePath.allCases where path != .other {
            let target = path.rawValue.replacing("{id}", with: "abc")
            let id = path.rawValue.contains("{id}") ? "abc" : ""
            for form in [target, target + "?limit=2", String(target.dropFirst(3))] {
                let found = RoutePath.find(form)
                #expect(found.path == path && found.id == id, "\(form)")
            }
        }
    }
}
