import Base
import Glibc

/// nginx in front of a provider: real TLS, with a throw-away authority. Killed with this object at the latest.
final class TLSProxy {
    /// A certificate authority and two certificates, made once for all tests.
    struct Certificates: Sendable {
        let folder: TemporaryFolder
        var authority: String { "\(folder.path)/ca.pem" }
        var otherAuthority: String { "\(folder.path)/other-ca.pem" }

        static let shared = Result { try Certificates() }

        private init() throws {
            folder = try TemporaryFolder()
            let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
            for ca in ["ca", "other-ca"] {
                try run(
                    "req -x509 \(key) -days 2 -subj /CN=\(ca) -keyout \(ca).key -out \(ca).pem"
                )
            }
            for (name, subject) in [("here", "IP:127.0.0.1"), ("elsewhere", "DNS:elsewhere.example")] {
                try folder.write("\(name).ext", "subjectAltName=\(subject)\n")
                try run(
                    "req \(key) -subj /CN=\(name) -keyout \(name).key -out \(name).csr"
                )
                try run(
                    "x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
                        + " -extfile \(name).ext -out \(name).pem"
                )
            }
        }

        private func run(_ words: String) throws {
            let child = try Child(
                words.split(separator: " ").map(String.init), executable: "/usr/bin/openssl", folder: folder.path,
                outputFile: "\(folder.path)/openssl.log")
            guard try child.waitForEnd() == 0 else { throw HarnessFailure("openssl \(words): \(child.output)") }
        }
    }

    let port: Int
    private let child: Child
    private let folder: TemporaryFolder
    private let certificates: Certificates

    /// - Parameters:
    ///   - certificate: `here` is for 127.0.0.1, `elsewhere` for another host.
    ///   - requests: how many a connection may carry.
    static func start(
        to provider: Int, certificate: String = "here", http2: Bool = false, requests: Int = 1_000
    ) throws -> TLSProxy {
        let certificates = try Certificates.shared.get()
        let folder = try TemporaryFolder()
        let port = try unusedPort()
        let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map {
            "\($0)_temp_path \(folder.path)/\($0);"
        }
        let file = try folder.write(
            "nginx.conf",
            """
            daemon off; master_process off; pid \(folder.path)/pid; error_log \(folder.path)/error.log warn;
            \(geteuid() == 0 ? "user root;" : "")
            events { worker_connections 512; }
            http {
              \(places.joined(separator: " "))
              log_format short '$ssl_session_reused $server_protocol $status';
              access_log \(folder.path)/access.log short;
              server {
                listen 127.0.0.1:\(port) ssl\(http2 ? " http2" : "");
                ssl_certificate \(certificates.folder.path)/\(certificate).pem;
                ssl_certificate_key \(certificates.folder.path)/\(certificate).key;
                ssl_session_cache shared:S:1m;
                keepalive_requests \(requests); client_max_body_size 64m;
                location / { proxy_pass http://127.0.0.1:\(provider); proxy_http_version 1.1;
                             proxy_set_header Connection "";
                             proxy_buffering off; proxy_read_timeout 60s; }
              }
            }
            """)
        let programs: [String] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"]
        guard let program = programs.first(where: { access($0, X_OK) == 0 }) else {
            throw HarnessFailure("nginx is missing: install nginx-light")
        }
        let child = try Child(
            ["-e", "\(folder.path)/error.log", "-p", folder.path, "-c", file], executable: program,
            outputFile: "\(folder.path)/output.log")
        let proxy = TLSProxy(port, child, folder, certificates)
        _ = try awaited("nginx") { () -> Bool? in
            if let status = child.reap() {
                throw HarnessFailure("nginx ended with \(status): \(child.output) \(proxy.errors)")
            }
            return (try? Connection(port: port)).map { _ in true }
        }
        return proxy
    }

    private init(_ port: Int, _ child: Child, _ folder: TemporaryFolder, _ certificates: Certificates) {
        (self.port, self.child, self.folder, self.certificates) = (port, child, folder, certificates)
    }

    private var errors: String { (try? SmallFile.text("\(folder.path)/error.log")) ?? "" }

    /// A line a request: whether its TLS session was resumed (`r` or `.`), protocol, status.
    var log: [String] {
        ((try? SmallFile.text("\(folder.path)/access.log")) ?? "").split(separator: "\n").map(String.init)
    }

    /// Settings with this as provider `tls`.
    func settings(lines: String = "", authority: String? = nil) -> String {
        """
        [providers.tls]
        dialect = "openai"
        base-url = "https://127.0.0.1:\(port)/v1"
        ca-file = "\(authority ?? certificates.authority)"
        \(lines)

        """
    }

    private static func unusedPort() throws -> Int {
        let socket = try ScriptedProvider.start(answering: "")
        socket.stop()
        guard eventually({ (try? Connection(port: socket.port)) == nil }) else { throw HarnessFailure("no free port") }
        return socket.port
    }
}
