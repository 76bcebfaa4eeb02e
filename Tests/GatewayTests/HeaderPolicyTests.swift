import Base
import Ledger
import Testing

@testable import Gateway

@Suite("header fields that cross the gateway")
struct HeaderPolicyTests {
    private func names(_ headers: HeaderFields) -> [String] { headers.fields.map(\.name) }
    private func names(_ headers: HeaderLines) -> [String] { headers.fields.map(\.name) }

    private let hopByHop = [
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer",
        "Transfer-Encoding", "Upgrade",
    ]

    @Test("what only the way to Weir needs does not go to the provider")
    func requestDrops() {
        let dropped =
            hopByHop + [
                "Host", "Content-Length", "Expect", "Authorization", "X-API-Key", "Cookie", "Forwarded", "X-Real-IP",
                "Origin", "Referer", "X-Forwarded-For", "x-forwarded-anything", "X-Weir-Tenant", "Sec-Fetch-Site",
            ]
        let kept = HeaderPolicy.request(HeaderFields(dropped.map { ($0, "v") }), decodes: false)
        #expect(names(kept) == [])
    }

    @Test("all else goes to the provider: order, duplicates and spelling stay")
    func requestKeeps() {
        let kept = [
            "Content-Type", "anthropic-version", "Anthropic-Beta", "anthropic-beta", "OpenAI-Organization",
            "User-Agent",
            "X-Stainless-Lang", "Idempotency-Key", "Accept", "Accept-Encoding", "invented-tomorrow", "X-Weird",
        ]
        let sent = HeaderPolicy.request(HeaderFields(kept.enumerated().map { ($1, "\($0)") }), decodes: false)
        #expect(names(sent) == kept)
        #expect(sent.fields.map(\.value) == kept.indices.map { "\($0)" })
    }

    @Test("an answer that is read comes unencoded")
    func identity() {
        let sent = HeaderPolicy.request(HeaderFields([("accept-ENCODING", "gzip, br"), ("a", "b")]), decodes: true)
        #expect(sent.fields.filter { equalIgnoringCase($0.name, "accept-encoding") }.map(\.value) == ["identity"])
        #expect(sent["a"] == "b")
    }

    @Test(
        "fields that Connection names stay behind, in both directions",
        arguments: [
            [("Connection", "keep-alive, X-Hop ,\tX-Other")],
            [
                ("Connection", "keep-alive"), ("connection", "x-hop"), ("Connection", "close"),
                ("Connection", "X-OTHER"),
            ],
        ])
    func namedByConnection(_ connection: [(String, String)]) {
        let fields: [(name: String, value: String)] =
            connection.map { (name: $0.0, value: $0.1) } + [("x-hop", "1"), ("X-Other", "2"), ("x-end", "3")]
        #expect(names(HeaderPolicy.request(HeaderFields(fields), decodes: false)) == ["x-end"])
        #expect(names(HeaderPolicy.response(HeaderLines(fields), isDecoded: false)) == ["x-end"])
    }

    @Test("of an answer only what belongs to the connection or the provider's host stays behind")
    func response() {
        let dropped = hopByHop + ["Set-Cookie", "Alt-Svc", "Strict-Transport-Security"]
        let kept = [
            "Content-Type", "Content-Encoding", "Content-Length", "x-request-id", "request-id", "Retry-After",
            "x-ratelimit-remaining-tokens", "openai-processing-ms", "anthropic-organization-id", "cf-ray",
        ]
        let answer = HeaderLines((dropped + kept).map { ($0, "v") })
        #expect(names(HeaderPolicy.response(answer, isDecoded: false)) == kept)
    }

    @Test("a decoded answer loses its encoding and its length")
    func decoded() {
        let answer = HeaderLines([("content-encoding", "gzip"), ("Content-Length", "9"), ("Content-Type", "x")])
        #expect(names(HeaderPolicy.response(answer, isDecoded: true)) == ["Content-Type"])
    }

    @Test("a value with a control character does not leave; what follows a line break is a field of its own")
    func splitting() {
        let answer = HeaderLines([("a", "x\r\nSet-Cookie: y"), ("b", "x\u{0}"), ("c", "tab\tis fine"), ("d", "é")])
        #expect(names(HeaderPolicy.response(answer, isDecoded: false)) == ["a", "c", "d"])
        #expect(HeaderPolicy.response(answer, isDecoded: false)["a"] == "x")
    }
}
