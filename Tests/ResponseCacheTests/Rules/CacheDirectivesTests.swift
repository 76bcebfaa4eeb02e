import Base
import Testing

@testable import ResponseCache

@Suite("what a client's headers ask of the cache")
struct CacheDirectivesTests {
    private func read(_ fields: [(String, String)]) throws -> CacheDirectives {
        try CacheDirectives(HeaderFields(fields.map { (name: $0.0, value: $0.1) }))
    }

    private func control(_ lines: String...) throws -> CacheDirectives { try read(lines.map { ("Cache-Control", $0) }) }

    @Test("every directive is read, whatever its case and the space around it")
    func all() throws {
        let read = try control(
            " No-Cache ,no-store,ONLY-IF-CACHED , max-age = 60", "max-stale=5,min-fresh=\"7\",, stale-if-error=9")
        var expected = CacheDirectives()
        (expected.noCache, expected.noStore, expected.onlyIfCached) = (true, true, true)
        (expected.maxAge, expected.maxStale, expected.minFresh, expected.staleIfError) = (
            .seconds(60), .seconds(5), .seconds(7), .seconds(9)
        )
        #expect(read == expected)
        #expect(try control() == CacheDirectives())
    }

    @Test(
        "no directive, an unknown one or a bad number changes nothing",
        arguments: [
            "", ",", "=", "max-age", "max-age=", "max-age=-1", "max-age=1.5", "max-age=1s", "max-age=\"",
            "max-age=\"\"",
            "private, x=\"no-store, max-age=1\"", "y=\"a\\\"no-cache\", z", "stale-while-revalidate=5", "nocache",
            "x=\"no-store",
        ])
    func ignored(_ line: String) throws { #expect(try control(line) == CacheDirectives()) }

    @Test("too large a number counts as the largest, max-stale without one as any")
    func large() throws {
        #expect(try control("max-age=99999999999999999999999999").maxAge == .seconds(1 << 31))
        #expect(try control("max-stale").maxStale == .seconds(1 << 31))
        #expect(try control("max-age=0").maxAge == .zero)
        #expect(try control("max-age=000012").maxAge == .seconds(12))
    }

    @Test("of a directive that stands twice the stricter one holds")
    func twice() throws {
        let read = try control(
            "max-age=5, max-age=3",
            "max-age=9, min-fresh=1, min-fresh=4, max-stale, max-stale=2, stale-if-error=8, stale-if-error=6")
        #expect(read.maxAge == .seconds(3) && read.minFresh == .seconds(4) && read.maxStale == .seconds(2))
        #expect(read.staleIfError == .seconds(6))
    }

    @Test("no-cache with names in it is no-cache")
    func named() throws { #expect(try control("no-cache=\"a, b\"").noCache) }

    @Test("tags, collections and the namespace are read, from several lines and once each")
    func names() throws {
        let read = try read([
            ("X-Weir-Tags", " a, b ,,a"), ("x-weir-tags", "c"), ("X-WEIR-COLLECTIONS", "docs"),
            ("X-Weir-Namespace", "n.1"),
        ])
        #expect(read.tags == ["a", "b", "c"] && read.collections == ["docs"] && read.namespace == "n.1")
    }

    @Test(
        "a bad name, too many and two namespaces are errors that name the header and not the value",
        arguments: [
            ("X-Weir-Tags", "-secret"), ("X-Weir-Tags", "a secret"), ("X-Weir-Tags", "é"),
            ("X-Weir-Collections", "a/b"), ("X-Weir-Namespace", ""),
            ("X-Weir-Namespace", "a,b"), ("X-Weir-Tags", String(repeating: "x", count: 129)),
            ("X-Weir-Collections", (0...16).map { "c\($0)" }.joined(separator: ",")),
        ])
    func errors(_ header: String, _ value: String) {
        let error = #expect(throws: CacheHeaderError.self) { try read([(header, value)]) }
        #expect(error?.header == header && error?.code == "invalid_cache_header")
        #expect(error?.message.contains(header) == true && error?.message.contains("secret") == false)
        #expect(throws: CacheHeaderError.self) { try read([("X-Weir-Namespace", "a"), ("X-Weir-Namespace", "b")]) }
    }
}
