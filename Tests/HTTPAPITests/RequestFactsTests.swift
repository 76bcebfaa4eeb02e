import NIOHTTP1
import Testing

@testable import HTTPAPI

@Suite struct RequestFactsTests {
    private func facts(_ headers: [(String, String)], uri: String = "/v1/x") -> RequestFacts {
        RequestFacts(HTTPRequestHead(version: .http1_1, method: .POST, uri: uri, headers: HTTPHeaders(headers)))
    }

    @Test("how a body comes, and whether one does")
    func bodies() {
        #expect(!facts([]).hasBody)
        #expect(!facts([("Content-Length", "0")]).hasBody)
        let sized = facts([("CONTENT-LENGTH", "12"), ("Expect", "100-Continue")])
        #expect(sized.hasBody && sized.contentLength == 12 && !sized.isChunked && sized.expectsContinue)
        let chunked = facts([("transfer-encoding", "chunked"), ("expect", "something")])
        #expect(chunked.hasBody && chunked.isChunked && chunked.contentLength == nil && !chunked.expectsContinue)
        #expect(facts([("Content-Length", "12x")]).contentLength == nil)
    }

    @Test("the size of a head is its target and its fields with their separators")
    func size() {
        #expect(facts([], uri: "/abc").headerBytes == 4)
        #expect(facts([("Ab", "cde"), ("X", "")], uri: "/").headerBytes == 1 + (2 + 3 + 4) + (1 + 4))
    }

    @Test("names of the same length as ours are not ours")
    func others() {
        let facts = facts([
            ("Hosu", "a"), ("Origim", "b"), ("Upgrads", "c"), ("x-apiikey", "d"), ("Authorizatiom", "e"),
            ("Content-Lengti", "1"), ("Transfer-Encodinh", "chunked"), ("X-Forwardee-For", "f"), ("Forwardee", "g"),
        ])
        #expect(facts.host == nil && facts.hostCount == 0 && facts.origin == nil && !facts.wantsUpgrade)
        #expect(facts.presentedKey == nil && facts.contentLength == nil && !facts.isChunked && !facts.isForwarded)
    }
}
