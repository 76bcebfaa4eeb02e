import Base
import Ledger
import NIOCore
import Testing

@testable import Gateway

@Suite("splices in a body")
struct BodySpliceTests {
    /// The body with usage asked for, and whether the chunk that holds it must be taken out again.
    private func asked(_ text: String) throws -> (text: String, strips: Bool) {
        let body = buffer(text)
        var splice = BodySplice()
        let strips = splice.requestUsage(try RequestFields(scanning: body))
        return (joined(splice.apply(to: body)), strips)
    }

    @Test(
        "usage is asked for in every form of stream_options, and nothing else changes",
        arguments: [
            (#"{"stream":true}"#, #"{"stream":true,"stream_options":{"include_usage":true}}"#),
            (
                #"{ "stream" : true , "a":1.50}"#,
                #"{ "stream" : true,"stream_options":{"include_usage":true} , "a":1.50}"#
            ),
            (#"{"stream_options":null,"stream":true}"#, #"{"stream_options":{"include_usage":true},"stream":true}"#),
            (#"{"stream":true,"stream_options":{}}"#, #"{"stream":true,"stream_options":{"include_usage":true}}"#),
            (#"{"stream":true,"stream_options":{ }}"#, #"{"stream":true,"stream_options":{"include_usage":true }}"#),
            (
                #"{"stream":true,"stream_options":{"x":1}}"#,
                #"{"stream":true,"stream_options":{"include_usage":true,"x":1}}"#
            ),
            (
                #"{"stream":true,"stream_options":{"include_usage":false}}"#,
                #"{"stream":true,"stream_options":{"include_usage":true}}"#
            ),
            (
                #"{"stream":true,"stream_options":{"include_usage": null, "x":1}}"#,
                #"{"stream":true,"stream_options":{"include_usage": true, "x":1}}"#
            ),
        ])
    func usageIsAskedFor(_ text: String, _ expected: String) throws {
        let result = try asked(text)
        #expect(result.text == expected)
        #expect(result.strips)
        let options = try #require(try members(result.text)["stream_options"])
        #expect(try members(options)["include_usage"] == "true")
    }

    @Test("a client that asks itself keeps its body and its usage")
    func askedByClient() throws {
        let text = #"{"stream":true,"stream_options":{"include_usage":true}}"#
        let result = try asked(text)
        #expect(result.text == text)
        #expect(!result.strips)
    }

    @Test("without stream there is nothing to ask")
    func noStream() throws {
        let result = try asked(#"{"model":"a"}"#)
        #expect(result.text == #"{"model":"a"}"#)
        #expect(!result.strips)
    }

    @Test("the model's name is replaced where it stands; odd spellings elsewhere survive")
    func model() throws {
        let text = #"{"a":1.0e5,"a":"\u00e9","model":"alias","z":[ 1 ]}"#
        let body = buffer(text)
        var splice = BodySplice()
        splice.replace(try #require(try RequestFields(scanning: body).modelRange), with: JSONText.quote("real\"name"))
        #expect(joined(splice.apply(to: body)) == #"{"a":1.0e5,"a":"\u00e9","model":"real\"name","z":[ 1 ]}"#)
    }

    @Test("several edits apply in order of place, in a body whose reader does not begin at 0")
    func severalEdits() throws {
        var body = buffer(#"junk{"stream":true,"model":"alias"}"#)
        body.moveReaderIndex(forwardBy: 4)
        let fields = try RequestFields(scanning: body)
        var splice = BodySplice()
        splice.replace(try #require(fields.modelRange), with: #""m""#)
        let strips = splice.requestUsage(fields)
        #expect(strips)
        let expected = #"{"stream":true,"stream_options":{"include_usage":true},"model":"m"}"#
        #expect(joined(splice.apply(to: body)) == expected)
    }

    @Test("a small body leaves in one piece, a large one in pieces that are not copied")
    func sizes() throws {
        for (size, isJoined) in [(1 << 10, true), (60 << 10, true), (70 << 10, false), (1 << 20, false)] {
            let text = #"{"text":""# + String(repeating: "x", count: size) + #"","model":"alias","stream":true}"#
            let body = buffer(text)
            var splice = BodySplice()
            splice.replace(try #require(try RequestFields(scanning: body).modelRange), with: #""real""#)
            let pieces = splice.apply(to: body)
            #expect((pieces.count == 1) == isJoined, "\(size)")
            #expect(pieces.allSatisfy { $0.readableBytes > 0 })
            #expect(joined(pieces) == text.replacing("alias", with: "real"))
        }
    }

    @Test("no edit, no change")
    func noEdit() {
        let pieces = BodySplice().apply(to: buffer("anything"))
        #expect(pieces == [buffer("anything")])
    }
}
