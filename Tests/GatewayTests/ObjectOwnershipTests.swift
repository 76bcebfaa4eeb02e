import Base
import Ledger
import Settings
import Testing

@testable import Gateway

@Suite("objects that providers keep, and lists of them")
struct ObjectOwnershipTests {
    @Test(
        "what a path names",
        arguments: [
            ("GET", "/v1/responses/resp_1", .response, "resp_1", "/v1/responses/{id}"),
            ("GET", "/v1/responses/resp_1/input_items", .response, "resp_1", "/v1/responses/{id}/input_items"),
            ("POST", "/v1/responses/resp_1/cancel", .response, "resp_1", "/v1/responses/{id}/cancel"),
            ("DELETE", "/v1/files/file-1", .file, "file-1", "/v1/files/{id}"),
            ("GET", "/v1/files/file-1/content", .file, "file-1", "/v1/files/{id}/content"),
            ("GET", "/v1/files/file-1/secret-999", .file, "file-1", "/v1/files/{id}"),
            ("POST", "/v1/batches/b/cancel", .batch, "b", "/v1/batches/{id}/cancel"),
            ("POST", "/v1/files", .file, nil, "/v1/files"), ("GET", "/v1/files", .file, nil, "/v1/files"),
            ("GET", "/v1/files/", .file, nil, "/v1/files"), ("POST", "/v1/batches", .batch, nil, "/v1/batches"),
            ("POST", "/v1/responses/input_tokens", .response, nil, "/v1/responses"),
            ("GET", "/v1/audio/speech", nil, nil, "/v1/*"), ("GET", "/v2/files/file-1", nil, nil, "/v1/*"),
            ("GET", "/v1/filesystem", nil, nil, "/v1/*"), ("GET", "/v1", nil, nil, "/v1/*"),
            ("GET", "/", nil, nil, "/v1/*"),
            ("GET", "", nil, nil, "/v1/*"), ("GET", "/x/v1/files/f", nil, nil, "/v1/*"),
        ] as [(String, String, ObjectOwnership.Kind?, String?, String)])
    func paths(_ method: String, _ path: String, _ kind: ObjectOwnership.Kind?, _ id: String?, _ template: String) {
        let ownership = ObjectOwnership(method: method, path: path)
        #expect(ownership.kind == kind)
        #expect(ownership.objectID == id)
        #expect(ownership.routeTemplate == template)
        #expect(ownership.createsObject == (method == "POST" && kind != nil && id == nil))
        #expect(ownership.listsObjects == (method == "GET" && kind != nil && id == nil))
        #expect(ownership.readsAnswer == (kind == .batch || (kind != nil && id == nil && method != "DELETE")))
    }

    private func keep(_ ids: Set<String>, _ text: String) -> String? {
        ListFilter.keep(ids, in: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("of a list only the named objects stay; their bytes and all else are untouched")
    func listFilter() {
        let text =
            #"{ "object":"list","first_id" : "a","data":[ {"id":"a","n":1.0}, {"n":{"id":"x"},"id":"b" } ,"#
            + #"{"id":"c"}],"has_more":false, "last_id":"c"}"#
        #expect(
            keep(["b", "c"], text)
                == #"{ "object":"list","first_id" : "b","data":[{"n":{"id":"x"},"id":"b" },{"id":"c"}],"#
                + #""has_more":false, "last_id":"c"}"#)
        #expect(
            keep(["x"], text)
                == #"{ "object":"list","first_id" : null,"data":[],"has_more":false, "last_id":null}"#)
    }

    @Test("an object without an id that can be read never stays")
    func listFilterStrange() {
        #expect(
            keep(["a", "1", ""], #"{"data":[1,"a",null,{"id":1},{"ID":"a"},{},{"id":"a"}]}"#)
                == #"{"data":[{"id":"a"}]}"#)
        #expect(keep(["a"], #"{"data":[]}"#) == #"{"data":[]}"#)
    }

    @Test(
        "what is no list is told apart",
        arguments: [
            "", "[]", "{}", #"{"data":{}}"#, #"{"data":null}"#,
            #"{"data":["#,
        ])
    func noList(_ text: String) { #expect(keep(["a"], text) == nil) }

    private func parse(_ text: String) -> [Gateway.ListedModel]? {
        Gateway.parseModels(Array(text.utf8), owner: "p")
    }

    @Test("models of both dialects are read; entries that are none are left out")
    func parseModels() {
        #expect(
            parse(#"{"object":"list","data":[{"id":"a","created":1700000000,"owned_by":"x"},{"id":""},{},1]}"#)
                == [Gateway.ListedModel(id: "a", owner: "p", created: 1_700_000_000)])
        #expect(
            parse(#"{"data":[{"type":"model","id":"c","created_at":"2026-11-22T16:10:19Z"}],"has_more":false}"#)
                == [Gateway.ListedModel(id: "c", owner: "p", created: 1_795_363_819)])
        #expect(parse("{}") == nil)
        #expect(parse("<html>") == nil)
        #expect(parse(#"{"data":[{"id":"a"}"#) == nil)
    }

    @Test(
        "times that no date can be written of are no times",
        arguments: ["9223372036854775807", "-1", "1e400", "99999999999999999999", "\"x\""])
    func hostileTimes(_ created: String) throws {
        let models = try #require(parse(#"{"data":[{"id":"a","created":\#(created)}]}"#))
        #expect(models.map(\.created) == [0])
        for dialect in [Dialect.openai, .anthropic] {
            #expect(
                try !members(
                    Gateway.renderModels(
                        models,
                        dialect)
                ).isEmpty)
        }
    }

    @Test("rendered models are JSON and read back")
    func renderModels() throws {
        let models = ["a\"b", "é"].map { Gateway.ListedModel(id: $0, owner: "p", created: 1_700_000_000) }
        for dialect in [Dialect.openai, .anthropic] { #expect(parse(Gateway.renderModels(models, dialect)) == models) }
        let anthropic = try members(Gateway.renderModels(models, .anthropic))
        #expect(
            anthropic["first_id"] == #""a\"b""# && anthropic["last_id"] == "\"é\""
                && anthropic["has_more"]
                    == "false"
        )
        #expect(try members(Gateway.renderModels([], .anthropic))["first_id"] == "null")
        #expect(Gateway.renderModels([], .openai) == #"{"object":"list","data":[]}"#)
    }
}
