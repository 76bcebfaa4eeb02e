import Base
import Ledger
import NIOCore
import Testing

@testable import Gateway

@Suite("fields of a request")
struct RequestFieldsTests {
    private func scan(_ text: String) throws -> RequestFields { try RequestFields(scanning: buffer(text)) }

    private func error(_ text: String) -> GatewayError? {
        gatewayError { () throws(GatewayError) in try RequestFields(scanning: buffer(text)) }
    }

    @Test("every field is found, with its range")
    func everyField() throws {
        let text =
            #"{"x":1,"model" : "m\u0031","stream":true,"stream_options":{"a":0,"include_usage":false},"#
            + #""previous_response_id":"resp_1","background":true,"store":false}"#
        let fields = try scan(text)
        #expect(fields.model == "m1")
        let range = try #require(fields.modelRange)
        #expect(String(decoding: Array(text.utf8)[range], as: UTF8.self) == #""m\u0031""#)
        #expect(fields.isStream)
        let end = try #require(fields.streamEnd)
        #expect(String(decoding: Array(text.utf8)[..<end], as: UTF8.self).hasSuffix(#""stream":true"#))
        #expect(fields.streamOptions?.kind == .object)
        #expect(!fields.streamOptionsAreEmpty)
        #expect(fields.includeUsage?.value == false)
        #expect(fields.previousResponseID == "resp_1")
        #expect(fields.isBackground)
        #expect(fields.isStored == false)
    }

    @Test("an empty object has none of them")
    func nothing() throws {
        let fields = try scan("  { } ")
        #expect(fields.model == nil && fields.modelRange == nil && fields.streamEnd == nil)
        #expect(!fields.isStream && fields.streamOptions == nil && fields.includeUsage == nil)
        #expect(fields.previousResponseID == nil && !fields.isBackground && fields.isStored == nil)
    }

    @Test("names with escapes are the same names")
    func escapedNames() throws {
        let text = #"{"m\u006fdel":"a","str\u0065am":true,"stream\u005foptions":{"include\u005fusage":true}}"#
        let fields = try scan(text)
        #expect(fields.model == "a")
        #expect(fields.isStream)
        #expect(fields.includeUsage?.value == true)
    }

    @Test("fields of ours inside other fields are none of ours")
    func nested() throws {
        let fields = try scan(#"{"metadata":{"model":1,"stream":"x"},"messages":[{"model":"b"}],"model":"a"}"#)
        #expect(fields.model == "a")
        #expect(!fields.isStream)
    }

    @Test(
        "a field of ours that stands twice is refused: provider and gateway might read different ones",
        arguments: [
            ("model", #"{"model":"a","model":"a"}"#), ("model", #"{"model":"a","mod\u0065l":"b"}"#),
            ("stream", #"{"stream":true,"stream":false}"#), ("stream", #"{"stream":null,"stream":true}"#),
            ("stream_options", #"{"stream_options":{},"stream_options":null}"#),
            ("previous_response_id", #"{"previous_response_id":"a","previous_response_id":null}"#),
            ("previous_response_id", #"{"previous_response_id":null,"previous_response_id":"a"}"#),
            ("store", #"{"store":true,"store":false}"#), ("background", #"{"background":true,"background":null}"#),
        ])
    func twice(_ name: String, _ text: String) {
        let error = error(text)
        #expect(error?.status == 400)
        #expect(error?.code == "duplicate_field")
        #expect(error?.parameter == name)
    }

    @Test("other fields may stand twice")
    func othersTwice() throws { #expect(try scan(#"{"user":"a","model":"m","user":"b"}"#).model == "m") }

    @Test(
        "wrong types are refused by name",
        arguments: [
            ("model", #"{"model":1}"#), ("model", #"{"model":null}"#), ("model", #"{"model":{}}"#),
            ("model", #"{"model":"\ud800"}"#), ("stream", #"{"stream":"true"}"#), ("stream", #"{"stream":1}"#),
        ])
    func wrongTypes(_ name: String, _ text: String) {
        let error = error(text)
        #expect(error?.status == 400)
        #expect(error?.code == "invalid_type")
        #expect(error?.parameter == name)
    }

    @Test("a null stream is no stream")
    func nullStream() throws { #expect(try !scan(#"{"stream":null}"#).isStream) }

    @Test(
        "what is no JSON object is refused",
        arguments: [
            "", "[]", "1", "{", #"{"a":1,}"#, "{} x", #"{"a" 1}"#,
            "nil",
        ])
    func noObject(_ text: String) { #expect(error(text)?.status == 400) }

    @Test("a broken body is refused wherever it is cut")
    func everyPrefix() {
        let text = #"{"model":"a","stream":true,"stream_options":{"include_usage":true},"x":[1,"y"]}"#
        for length in 0..<text.utf8.count {
            #expect(error(String(text.prefix(length)))?.status == 400, "\(length) bytes")
        }
        #expect(error(text) == nil)
    }
}
