import Base
import Glibc
import Testing

/// S6 and H6: names in a request are names, never paths, and never header lines.
@Suite struct PathTests {
    private static let payloads = [
        "..", ".", "%2e%2e", "%2E%2e%2F%2e%2e", "..%2f..%2fetc%2fpasswd", "../../../../etc/passwd", "..%5c..%5cx",
        "..\\..\\x",
        "%00", "key_1%00", "%c0%ae%c0%ae%c0%af", "%ff%fe", "....//....//etc", "..;/..;/x", "%252e%252e%252f",
        "/etc/passwd",
        "%2fetc%2fpasswd", "lock", "weir.db", "control.sock", "~root", "key_1/../../lock", "%0d%0aX-Evil:%201", "%",
        "%zz",
        String(repeating: "a", count: 4_000), "%e2%80%ae", "$(id)", "'%20OR%201=1--",
    ]

    @Test("S6: a key's id that is a path, an escape or a quote is not found, and nothing on disk changes")
    func keyIDs() throws {
        let server = try WeirServer.start()
        _ = try server.createKey("kept")
        let before = names(in: server.dataFolder)
        for payload in Self.payloads {
            let answer = try server.client.request("DELETE", "/keys/\(payload)")
            #expect([400, 404, 405].contains(answer.status), "\(payload): \(answer.status)")
            #expect(answer.header("X-Evil") == nil)
        }
        #expect(names(in: server.dataFolder) == before)
        #expect(try server.client.get("/keys").json()["keys"].elements.count == 1)
        #expect(try server.client.get("/keys").json()["keys"][0]["revoked"].isNull)
    }

    @Test("S6: under /v1/ a path either reaches the provider exactly as it was sent, or is refused and never sent")
    func providerPaths() throws {
        let rig = try Rig()
        for payload in Self.payloads {
            try rig.provider.reset()
            let path = "/v1/vector_stores/\(payload)"
            let answer = try rig.client.get(path)
            #expect(answer.status < 500, "\(payload): \(answer.status)")
            if try rig.provider.calls().total == 1 {
                #expect(try rig.provider.last().uri == path)
                let lower = payload.lowercased()
                let isTricky =
                    ["..", "%2e", "%2f", "%5c", "%00", "\\"].contains { lower.contains($0) } || payload == "."
                #expect(!isTricky || payload.contains("..;"), "\(payload) was sent on")
            }
        }
        for path in ["/v1//files", "/v1/./files", "/v1/../keys", "/v1/%2e%2e/keys", "/v1/files/../../keys"] {
            try rig.provider.reset()
            #expect(try rig.client.get(path).status == 400, "\(path)")
            #expect(try rig.provider.calls().total == 0, "\(path)")
        }
    }

    @Test("S6: an object's id in the path is looked up as a name only")
    func objectIDs() throws {
        let rig = try Rig()
        for payload in Self.payloads {
            for path in ["/v1/files/\(payload)", "/v1/responses/\(payload)", "/v1/models/\(payload)"] {
                let answer = try rig.client.get(path)
                #expect([400, 404].contains(answer.status), "\(path): \(answer.text)")
                #expect(answer.header("X-Evil") == nil)
            }
        }
        #expect(try rig.provider.calls().byRoute.keys.allSatisfy { $0 == "/v1/models" })
    }

    @Test("H6: what a client sends never becomes a header line of the answer")
    func nothingIsReflectedIntoHeaders() throws {
        let rig = try Rig()
        for text in [
            #"gpt-4o\r\nX-Evil: 1"#, #"nobody\r\nX-Evil: 1\r\n\r\nHTTP/1.1 200 OK"#, #"nobody\u0000\nX-Evil: 1"#,
        ] {
            let answer = try rig.client.post("/v1/chat/completions", #"{"model":"\#(text)"}"#)
            #expect(answer.status >= 400 || answer.status == 200)
            #expect(answer.header("X-Evil") == nil)
            #expect(answer.headers.allSatisfy { !$0.value.contains("Evil") })
        }
        let raw = try rig.server.raw(
            rig.server.head("GET /v1/models/x%0d%0aX-Evil:%201 HTTP/1.1", ["X-Request-Id: a\rX-Evil: 1"]))
        #expect(raw.status == 400)
        #expect(!raw.text.contains("\nX-Evil"))
    }
}
