import Base
import Testing

/// Providers over real TLS: HTTP/1.1 and HTTP/2, certificates that do not fit, connections and sessions used again.
@Suite struct TLSTests {
    private func start(
        http2: Bool = false, requests: Int = 1_000, lines: String = ""
    ) throws -> (provider: Provider, proxy: TLSProxy, server: WeirServer) {
        let provider = try Provider.start()
        let proxy = try TLSProxy.start(to: provider.port, http2: http2, requests: requests)
        let version = http2 ? "http-version = \"2\"\n" : ""
        let server = try WeirServer.start(proxy.settings(lines: version + lines))
        server.companions = [provider, proxy]
        return (provider, proxy, server)
    }

    @Test("plain answers and streams over TLS, all of them over one connection", arguments: [false, true])
    func answers(http2: Bool) throws {
        let (provider, proxy, server) = try start(http2: http2)
        for _ in 0..<20 {
            #expect(
                try server.client.post("/v1/chat/completions", Body.chat).json()["object"].string == "chat.completion")
        }
        let (head, stream) = try server.client.stream("/v1/chat/completions", Body.chatStream)
        var events = stream
        #expect(head.status == 200)
        #expect(try events.rest().last == "data: [DONE]\n\n")
        #expect(try provider.calls().total == 21)
        #expect(try server.metric("weir_upstream_connections_opened_total") == 1)
        #expect(try server.metric("weir_upstream_connections_reused_total") == 20)
        #expect(eventually { proxy.log.count == 21 })
        #expect(proxy.log.allSatisfy { $0.contains(http2 ? "HTTP/2.0 200" : "HTTP/1.1 200") })
    }

    @Test("a provider that offers no HTTP/2 is spoken to in HTTP/1.1 though the settings ask for 2")
    func http2NotOffered() throws {
        let provider = try Provider.start()
        let proxy = try TLSProxy.start(to: provider.port)
        let server = try WeirServer.start(proxy.settings(lines: "http-version = \"2\""))
        #expect(try server.client.post("/v1/chat/completions", Body.chat).status == 200)
        #expect(eventually { proxy.log == [". HTTP/1.1 200"] })
    }

    @Test("without http-version = \"2\" an offer of HTTP/2 is not taken")
    func http2NotWanted() throws {
        let provider = try Provider.start()
        let proxy = try TLSProxy.start(to: provider.port, http2: true)
        let server = try WeirServer.start(proxy.settings())
        #expect(try server.client.post("/v1/chat/completions", Body.chat).status == 200)
        #expect(eventually { proxy.log == [". HTTP/1.1 200"] })
    }

    @Test(
        "a certificate for another host, and one of an unknown authority, are 502 tls_failed; no request is sent",
        arguments: ["elsewhere", "unknown", "none"])
    func badCertificates(kind: String) throws {
        let provider = try Provider.start()
        let proxy = try TLSProxy.start(to: provider.port, certificate: kind == "elsewhere" ? "elsewhere" : "here")
        let certificates = try TLSProxy.Certificates.shared.get()
        var settings = proxy.settings(authority: kind == "unknown" ? certificates.otherAuthority : nil)
        if kind == "none" {
            settings =
                settings.split(separator: "\n").filter { !$0.hasPrefix("ca-file") }.joined(separator: "\n") + "\n"
        }
        let server = try WeirServer.start(settings)
        let answer = try server.client.post("/v1/chat/completions", Body.chat)
        #expect(answer.status == 502, "\(answer.text)")
        #expect(try answer.json()["error"]["code"].string == "tls_failed")
        #expect(try provider.calls().total == 0)
        #expect(try server.ledgerRow { _ in true }["error"].string == "tls_failed")
    }

    @Test("plain HTTP behind an https address is 502 tls_failed")
    func plainBehindTLS() throws {
        let scripted = try ScriptedProvider.start { connection in try connection.send(plainAnswer(400, "{}")) }
        let server = try WeirServer.start(
            "[providers.x]\ndialect = \"openai\"\nbase-url = \"https://127.0.0.1:\(scripted.port)/v1\"\n")
        let answer = try server.client.post("/v1/chat/completions", Body.chat)
        #expect(answer.status == 502)
        #expect(try answer.json()["error"]["code"].string == "tls_failed", "\(answer.text)")
    }

    @Test("a provider that ends each connection after one request: its TLS session is resumed every time")
    func sessionReuse() throws {
        let (_, proxy, server) = try start(requests: 1)
        for _ in 0..<10 { #expect(try server.client.post("/v1/chat/completions", Body.chat).status == 200) }
        #expect(try server.metric("weir_upstream_connections_opened_total") == 10)
        #expect(eventually { proxy.log.count == 10 })
        #expect(proxy.log.count { $0.hasPrefix("r ") } == 9, "\(proxy.log)")
    }

    @Test("HTTP/2: twenty streams at the same time share one connection, each with its own end")
    func multiplexed() throws {
        let (provider, _, server) = try start(http2: true)
        #expect(try server.client.post("/v1/chat/completions", Body.chat).status == 200)
        let client = server.client
        try concurrently(20) { _ in
            let (_, stream) = try client.stream("/v1/chat/completions", Body.chatStream, simulate: "tokens=20,tps=200")
            var events = stream
            let all = try events.rest()
            guard all.last == "data: [DONE]\n\n", all.count > 20 else {
                throw HarnessFailure("\(all.count): \(all.last ?? "")")
            }
        }
        #expect(try server.metric("weir_upstream_connections_opened_total") == 1)
        #expect(try provider.calls().total == 21)
    }

    @Test("HTTP/2: a client that does not read is cut; the streams beside it do not notice")
    func slowClientOnSharedConnection() throws {
        let (_, _, server) = try start(http2: true)
        let slow = try Connection(port: server.port, receiveBuffer: 4_096)
        try slow.sendRequest(
            "POST", "/v1/chat/completions", headers: server.client.headers([("X-Simulate", "big=40000000")]),
            body: Array(Body.chat.utf8))
        #expect(try slow.readResponseHead().status == 200)
        for _ in 0..<5 {
            let (_, stream) = try server.client.stream(
                "/v1/chat/completions", Body.chatStream, simulate: "tokens=50,tps=500")
            var events = stream
            #expect(try events.rest(within: .seconds(5)).last == "data: [DONE]\n\n")
        }
        let row = try server.ledgerRow { $0["error"].string == "client_too_slow" }
        #expect(row["bytesOut"].int ?? .max < 40_000_000)
        #expect(throws: Connection.End.self) { try slow.readBody() }
        #expect(try server.client.post("/v1/chat/completions", Body.chat).status == 200)
    }

    @Test("HTTP/2: a client that keeps reading gets a large answer whole, every time")
    func largeAnswers() throws {
        let (_, _, server) = try start(http2: true)
        for _ in 0..<20 {
            let answer = try server.client.post("/v1/chat/completions", Body.chat, simulate: "big=5000000")
            #expect(answer.status == 200, "\(answer.text.prefix(300))")
            #expect(answer.body.count == 5_000_000)
        }
    }

    @Test("HTTP/2: a client that goes away ends its own stream only")
    func cancelledStream() throws {
        let (provider, _, server) = try start(http2: true)
        let (_, kept) = try server.client.stream("/v1/chat/completions", Body.chatStream, simulate: "tokens=60,tps=60")
        var events = kept
        #expect(try events.next() != nil)
        for _ in 0..<10 {
            let (_, stream) = try server.client.stream("/v1/chat/completions", Body.chatStream, simulate: "stall=2")
            var gone = stream
            #expect(try gone.next() != nil)
            gone.connection.reset()
        }
        #expect(try eventually { try server.metric("weir_clients_gone_total") == 10 })
        #expect(try events.rest().last == "data: [DONE]\n\n")
        #expect(try server.metric("weir_upstream_connections_opened_total") == 1)
        #expect(try eventually { try provider.calls().cancelled == 10 })
    }

    @Test("HTTPS_PROXY, and gateway.proxy before it, get a CONNECT for the provider; an empty proxy means none")
    func proxy() throws {
        let proxy = try ScriptedProvider.start(answering: plainAnswer(403, "no"))
        let unused = try ScriptedProvider.start(answering: plainAnswer(403, "no"))
        let provider = try Provider.start()
        let tls = try TLSProxy.start(to: provider.port)
        let (url, other) = ("http://127.0.0.1:\(proxy.port)", "http://127.0.0.1:\(unused.port)")
        for (settings, environment) in [
            ("", ["HTTPS_PROXY": url]), ("", ["https_proxy": url]),
            ("[gateway]\nproxy = \"\(url)\"\n", ["HTTPS_PROXY": other]),
        ] {
            let before = proxy.requests.count
            let server = try WeirServer.start(settings + tls.settings(), environment: environment)
            let answer = try server.client.post("/v1/chat/completions", Body.chat)
            #expect(answer.status == 502, "\(answer.text)")
            let seen = try #require(proxy.requests.dropFirst(before).first)
            #expect(seen.method == "CONNECT")
            #expect(seen.uri == "127.0.0.1:\(tls.port)")
            #expect(!seen.headers.contains { $0.name.lowercased() == "authorization" })
        }
        #expect(unused.connections == 0)
        let direct = try WeirServer.start(
            "[gateway]\nproxy = \"\"\n" + tls.settings(), environment: ["HTTPS_PROXY": url, "ALL_PROXY": other])
        #expect(try direct.client.post("/v1/chat/completions", Body.chat).status == 200)
        #expect(try provider.calls().total == 1)
    }

    @Test("a provider at an http address is reached directly, whatever proxy the environment names")
    func proxyIsForHTTPSOnly() throws {
        let proxy = try ScriptedProvider.start(answering: plainAnswer(403, "no"))
        let url = "http://127.0.0.1:\(proxy.port)"
        let rig = try Rig(environment: ["HTTPS_PROXY": url, "HTTP_PROXY": url, "http_proxy": url, "ALL_PROXY": url])
        #expect(try rig.client.post("/v1/chat/completions", Body.chat).status == 200)
        #expect(proxy.connections == 0)
    }
}
