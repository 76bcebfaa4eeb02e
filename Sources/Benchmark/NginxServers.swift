internal import Base

/// nginx as provider, as the peer that Weir is measured beside, and as TLS front.
extension Workbench {
    /// A chat completion as the mock provider always answers it.
    static let chatAnswer = """
        {"id":"chatcmpl-bench01","object":"chat.completion","created":1750000000,"model":"gpt-4o-mini",\
        "choices":[{"index":0,"message":{"role":"assistant","content":"Paris lies on the Seine, in the north of \
        France. It became the seat of the kings in the tenth century and has been the capital with few interruptions \
        since then. With more than two million people it is also the largest city of the country."},"logprobs":null,\
        "finish_reason":"stop"}],"usage":{"prompt_tokens":46,"completion_tokens":52,"total_tokens":98}}
        """

    struct MockAndProxy {
        let nginx: LocalServer
        /// Answers by itself.
        let mock: Int
        /// Hands requests on to the mock, over connections that are kept open.
        let proxy: Int
    }

    /// One nginx with two workers that is both the provider and the reverse proxy, as the reference figures were taken.
    func startMockAndProxy() throws -> MockAndProxy {
        let ports = try FreePort.distinct(2)
        let nginx = try startNginx(
            port: ports[1],
            """
            upstream mock { server 127.0.0.1:\(ports[0]); keepalive 256; keepalive_requests 100000000; }
            server {
                listen 127.0.0.1:\(ports[0]) reuseport backlog=4096;
                location /v1/ { default_type application/json; return 200 '\(Self.chatAnswer)'; }
            }
            server {
                listen 127.0.0.1:\(ports[1]) reuseport backlog=4096;
                location /v1/ { \(Self.proxyLines) }
            }
            """)
        return MockAndProxy(nginx: nginx, mock: ports[0], proxy: ports[1])
    }

    struct TLSFront {
        let nginx: LocalServer
        let tls: Int
        /// Connections that were made to this nginx so far.
        func connections() throws -> Int {
            let text = try PlainClient(port: nginx.port).request("GET", "/v1/connections").text
            let numbers = text.split { !$0.isNumber }.compactMap { Int($0) }
            guard numbers.count > 1 else { throw BenchmarkFailure.wrongAnswers("nginx has no connection counts") }
            return numbers[1]
        }
    }

    /// TLS in front of the mock, with a certificate for 127.0.0.1.
    func startTLSFront(of mock: Int, _ certificate: Certificate) throws -> TLSFront {
        let ports = try FreePort.distinct(2)
        let nginx = try startNginx(
            port: ports[0],
            """
            upstream mock { server 127.0.0.1:\(mock); keepalive 256; keepalive_requests 100000000; }
            server {
                listen 127.0.0.1:\(ports[0]);
                location /v1/connections { stub_status; }
            }
            server {
                listen 127.0.0.1:\(ports[1]) ssl backlog=4096;
                ssl_certificate \(certificate.chain);
                ssl_certificate_key \(certificate.key);
                location /v1/ { \(Self.proxyLines) }
            }
            """)
        return TLSFront(nginx: nginx, tls: ports[1])
    }

    private static let proxyLines = """
        proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection "";
        """

    private func startNginx(port: Int, _ servers: String) throws -> LocalServer {
        guard let program = Tool.nginx.path else { throw BenchmarkFailure.missingTool(.nginx) }
        let place = try place("nginx")
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(place)/\($0);" }.joined(separator: " ")
        try write(
            """
            daemon off; worker_processes 2; pid \(place)/pid; error_log \(place)/error.log;
            events { worker_connections 8192; }
            http {
                access_log off; keepalive_requests 100000000; \(temporary)
                \(servers)
            }
            """, to: "\(place)/nginx.conf")
        let log = "\(place)/error.log"
        let child = try ChildProcess(
            program, ["-p", place, "-e", log, "-c", "\(place)/nginx.conf"], output: .file(log))
        let server = LocalServer(child, port: port, log: log)
        try server.waitUntilReady("/v1/chat/completions")
        return server
    }
}

/// A throw-away authority and a certificate that it signed.
struct Certificate: Sendable {
    /// The authority's own certificate.
    let authority: String
    let chain: String
    let key: String

    /// P-256 keys: what most providers have, and the cheapest handshake there is.
    static func make(_ workbench: Workbench) throws -> Certificate {
        let place = try workbench.place("tls")
        let made = Certificate(authority: "\(place)/ca.pem", chain: "\(place)/server.pem", key: "\(place)/server.key")
        let common = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        ]
        _ = try Tool.openssl.run(
            common + ["-keyout", "\(place)/ca.key", "-out", made.authority, "-subj", "/CN=Weir benchmark authority"],
            folder: place, atMost: .seconds(20))
        _ = try Tool.openssl.run(
            common + [
                "-CA", made.authority, "-CAkey", "\(place)/ca.key", "-keyout", made.key, "-out", made.chain,
                "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                "-addext", "basicConstraints=critical,CA:FALSE",
            ],
            folder: place, atMost: .seconds(20))
        return made
    }
}
