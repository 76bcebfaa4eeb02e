import Base
import Testing

/// Items 6 to 8: errors as they are, in the words of the route; paths that nobody knows.
@Suite struct ErrorTests {
    private static let providerErrors: [(status: Int, body: String)] = [
        (400, #"{ "error" : {"message":"maximum context length","code":"context_length_exceeded","x":1e-3} }"#),
        (401, #"{"error":{"message":"Incorrect API key provided"}}"#),
        (403, #"{"type":"error","error":{"type":"permission_error","message":"no"}}"#),
        (404, #"{"detail":"Not Found"}"#),
        (409, #"{}"#), (422, #"[]"#),
        (429, #"{"type":"error","error":{"type":"rate_limit_error","message":"slow down"},"request_id":"req_1"}"#),
        (500, #"{"error":"a plain word"}"#), (503, "{}\n"),
        (529, #"{"type":"error","error":{"type":"overloaded_error"}}"#),
    ]

    @Test("item 6: a provider's error passes with its status and its body byte for byte", arguments: providerErrors)
    func providerErrorIsUntouched(status: Int, body: String) throws {
        let scripted = try ScriptedProvider.start(
            answering: plainAnswer(status, body, headers: [("request-id", "req_p")]))
        let server = try WeirServer.start(scripted.settings())
        for kind in StreamKind.allCases {
            for request in [kind.plainBody, kind.body] {
                let answer = try server.client.post(kind.path, request)
                #expect(answer.status == status)
                #expect(answer.text == body)
                #expect(answer.header("request-id") == "req_p")
            }
        }
    }

    private static let mistakes: [(body: String, status: Int, word: String)] = [
        ("{", 400, "invalid_json"), ("[]", 400, "invalid_json"), ("", 400, "invalid_json"),
        (#"{"model":"gpt-4o","x":01}"#, 400, "invalid_json"), (#"{"messages":[]}"#, 400, "missing_model"),
        (#"{"model":7}"#, 400, "invalid_type"), (#"{"model":"gpt-4o","stream":"yes"}"#, 400, "invalid_type"),
        (#"{"model":"gpt-4o","model":"gpt-4o"}"#, 400, "duplicate_field"),
        (#"{"model":"nobody-has-it"}"#, 404, "model_not_found"),
    ]

    @Test("item 6: an error of the gateway's own has the shape of the route's dialect", arguments: mistakes)
    func ownErrors(body: String, status: Int, word: String) throws {
        let rig = try Rig()
        for path in ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"] {
            let answer = try rig.client.post(path, body)
            let error = try answer.json()["error"]
            #expect(answer.status == status, "\(answer.text)")
            #expect(answer.header("content-type") == "application/json")
            #expect(error.keys == ["message", "type", "param", "code"])
            #expect(error["code"].string == word)
            #expect(error["type"].string == "invalid_request_error")
        }
        for path in ["/v1/messages", "/v1/messages/count_tokens"] {
            let answer = try rig.client.post(path, body)
            let json = try answer.json()
            #expect(answer.status == status)
            #expect(json["type"].string == "error")
            #expect(json["error"]["type"].string == (status == 404 ? "not_found_error" : "invalid_request_error"))
            #expect(json["error"]["message"].string?.isEmpty == false)
            #expect(json["request_id"].string == answer.header("X-Request-Id"))
        }
        #expect(try rig.provider.calls().total == 0)
    }

    @Test("item 6: a model of the other dialect is a clear 400 that names the right route")
    func wrongDialect() throws {
        let rig = try Rig()
        let chat = try rig.client.post("/v1/chat/completions", #"{"model":"claude-x","messages":[]}"#)
        #expect(chat.status == 400)
        #expect(try chat.json()["error"]["code"].string == "wrong_dialect")
        #expect(chat.text.contains("/v1/messages"))
        let messages = try rig.client.post("/v1/messages", #"{"model":"gpt-4o","messages":[]}"#)
        #expect(messages.status == 400)
        #expect(messages.text.contains("/v1/chat/completions"))
    }

    @Test("item 7: an HTML error page keeps its status and is wrapped in the dialect", arguments: [500, 502, 503, 524])
    func htmlErrors(status: Int) throws {
        let rig = try Rig()
        for kind in StreamKind.allCases {
            for body in [kind.plainBody, kind.body] {
                let answer = try rig.client.post(kind.path, body, simulate: "html=\(status)")
                #expect(answer.status == status)
                #expect(answer.header("content-type") == "application/json")
                let json = try answer.json()
                #expect(json["error"]["message"].string?.contains("\(status)") == true)
                #expect(!answer.text.contains("<html"))
                #expect(json["type"].string == (kind == .messages ? "error" : nil))
            }
        }
    }

    @Test(
        "item 7: an error without a body or in plain text is wrapped too",
        arguments: [
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            plainAnswer(504, "upstream request timeout", type: "text/plain"),
            "HTTP/1.1 520 Unknown\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<ht \r\n0\r\n\r\n",
        ])
    func bareErrors(wire: String) throws {
        let scripted = try ScriptedProvider.start(answering: wire)
        let server = try WeirServer.start(scripted.settings())
        let status = wire.split(separator: " ")[1]
        for kind in StreamKind.allCases {
            let answer = try server.client.post(kind.path, kind.plainBody)
            #expect("\(answer.status)" == status)
            #expect(try kind.errorWord(answer.json())?.isEmpty == false)
        }
    }

    @Test("item 8: any other path under /v1 passes with method, query and body, given the scope")
    func passThrough() throws {
        let scripted = try ScriptedProvider.start(answering: plainAnswer(201, "made", type: "text/plain"))
        let server = try WeirServer.start(scripted.settings())
        let allowed = server.client(key: try server.createKey("alice"))
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let body = method == "GET" ? nil : "a=\(method)"
            let answer = try allowed.request(
                method, "/v1/audio/x%20y/z?b=2&a=%2F1&b=", headers: [("X-New", "1")], body: body)
            #expect(answer.status == 201)
            #expect(answer.text == "made")
            let received = try #require(scripted.requests.last)
            #expect(received.method == method)
            #expect(received.uri == "/v1/audio/x%20y/z?b=2&a=%2F1&b=")
            #expect(received.body.text == body ?? "")
            #expect(received.header("x-new") == "1")
        }
        let count = scripted.requests.count
        let limited = server.client(key: try server.createKey("bob", scopes: ["ai"]))
        let refused = try limited.post("/v1/images/generations", "{}")
        #expect(refused.status == 403)
        #expect(try refused.json()["error"]["code"].string == "scope_missing")
        #expect(try server.client(key: nil).post("/v1/images/generations", "{}").status == 401)
        #expect(scripted.requests.count == count)
    }

    @Test("item 8: without a pass-through provider other paths are a clean 404 in the dialect")
    func noPassThrough() throws {
        let provider = try Provider.start()
        let server = try WeirServer.start("[gateway]\npassthrough = \"\"\n" + provider.settings(passthrough: false))
        let answer = try server.client.post("/v1/images/generations", "{}")
        #expect(answer.status == 404)
        #expect(try answer.json()["error"]["code"].string == "no_passthrough")
        let anthropic = try server.client.get("/v1/organizations", headers: [("anthropic-version", "2023-06-01")])
        #expect(anthropic.status == 404)
        #expect(try anthropic.json()["error"]["type"].string == "not_found_error")
    }

    @Test(
        "item 8: a path with two readings is refused before any provider sees it",
        arguments: [
            "/v1/../admin", "/v1//files", "/v1/a/%2e%2e/b", "/v1/a%2fb", "/v1/a%5Cb", "/v1/a/./b",
        ])
    func dirtyPaths(path: String) throws {
        let rig = try Rig()
        #expect(try rig.client.get(path).status == 400)
        #expect(try rig.provider.calls().total == 0)
    }

    @Test("item 8: a multipart body is handed on piece by piece, before its end exists")
    func uploadIsStreamed() throws {
        let arrived = Gate()
        let scripted = try ScriptedProvider.start { connection in
            let head = try connection.raw.readHead()
            connection.raw.expectBody(head.headers, isRequest: true)
            var body: [UInt8] = []
            while let piece = try connection.raw.readSome() {
                body += piece
                if body.text.contains("first half") { arrived.open() }
            }
            try connection.send(plainAnswer(200, "\(body.count)", type: "text/plain"))
        }
        let server = try WeirServer.start(scripted.settings())
        for chunked in [false, true] {
            let connection = try server.client.connect()
            let half = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nfirst half"
            let framing = chunked ? ("Transfer-Encoding", "chunked") : ("Content-Length", "\(half.utf8.count + 9)")
            let headers = server.client.headers([framing, ("Content-Type", "multipart/form-data; boundary=b")])
            try connection.sendRequest("POST", "/v1/audio/transcriptions", headers: headers)
            try connection.send(chunked ? chunk(half) : half)
            #expect(arrived.wait(), "the first half reaches the provider while the second does not exist")
            try connection.send(chunked ? chunk("\r\n--b--\r\n") + lastChunk : "\r\n--b--\r\n")
            let answer = try connection.readResponse()
            #expect(answer.status == 200)
            #expect(answer.text == "\(half.utf8.count + 9)")
        }
    }
}
