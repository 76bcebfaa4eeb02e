import Base
import Ledger
import Testing

@testable import Gateway

@Suite("when a provider wants to be asked again")
struct RetryAfterTests {
    /// 1994-11-06T08:49:37Z
    private static let then = UnixTime(microseconds: 784_111_777_000_000)

    private func wait(_ fields: [(name: String, value: String)]) -> Duration? {
        RetryAfter.wait(HeaderLines(fields), now: Self.then)
    }

    @Test(
        "every form of Retry-After",
        arguments: [
            ("retry-after", "7", 7_000), ("Retry-After", "0", 0), ("retry-after", "1.5", 1_500),
            ("retry-after-ms", "250", 250), ("x-ms-retry-after-ms", "1200.7", 1_200),
            ("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT", 10_000),
            ("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT", 0),
            ("anthropic-ratelimit-requests-reset", "1994-11-06T08:50:00Z", 23_000),
            ("Anthropic-Ratelimit-Tokens-Reset", "1994-11-06T08:50:00.5Z", 23_000),
        ])
    func forms(_ name: String, _ value: String, _ milliseconds: Int) {
        #expect(wait([(name, value)]) == .milliseconds(milliseconds))
    }

    @Test("milliseconds are more exact than seconds, and both than a reset time")
    func precedence() {
        let reset = (name: "anthropic-ratelimit-requests-reset", value: "1994-11-06T08:50:00Z")
        #expect(wait([reset, ("retry-after", "3"), ("retry-after-ms", "2500")]) == .milliseconds(2_500))
        #expect(wait([reset, ("retry-after", "3")]) == .seconds(3))
        #expect(wait([("retry-after", "soon"), reset]) == .seconds(23))
        #expect(wait([("retry-after-ms", "soon"), ("retry-after", "3")]) == .seconds(3))
    }

    @Test("of several limits the latest that is used up counts")
    func usedUpLimits() {
        let fields = [
            (name: "anthropic-ratelimit-requests-remaining", value: "0"),
            (name: "anthropic-ratelimit-requests-reset", value: "1994-11-06T08:49:40Z"),
            (name: "anthropic-ratelimit-input-tokens-remaining", value: "0"),
            (name: "anthropic-ratelimit-input-tokens-reset", value: "1994-11-06T08:49:45Z"),
            (name: "anthropic-ratelimit-output-tokens-remaining", value: "100"),
            (name: "anthropic-ratelimit-output-tokens-reset", value: "1994-11-06T08:50:10Z"),
        ]
        #expect(wait(fields) == .seconds(8))
    }

    @Test(
        "no hint is longer than the limit",
        arguments: ["86400", "1e300", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
    func capped(_ value: String) { #expect(wait([("retry-after", value)]) == Limits.retryAfterMax) }

    @Test(
        "nonsense is no hint, and stops nothing",
        arguments: [
            "", "-1", "nan", "inf", "1e999", "soon", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 9223372036854775807:00:00 GMT", "Sun, 06 Nov 1994 00:9223372036854775807:00 GMT",
            "Sun, 06 Nov 9223372036854775807 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT", "a b c d e GMT",
            "Sun, 06 Nov 1994 -1:00:00 GMT", "Sun, 06 Nov 1994 :: GMT",
        ])
    func nonsense(_ value: String) {
        #expect(wait([("retry-after", value)]) == nil)
        #expect(wait([("anthropic-ratelimit-requests-reset", value)]) == nil)
    }

    @Test("no field, no hint")
    func none() { #expect(wait([("content-type", "text/plain")]) == nil) }

    @Test(
        "RFC 3339 times of far and near years",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:00Z", 951_825_600),
            ("2026-11-22T16:10:19.123Z", 1_795_363_819),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] as [(String, Int64)])
    func dates(_ text: String, _ seconds: Int64) {
        #expect(HTTPDate.parseRFC3339(text)?.seconds == seconds)
        #expect(UnixTime(microseconds: seconds * 1_000_000).iso8601.prefix(19) == text.prefix(19))
    }

    @Test(
        "what is no RFC 3339 time in UTC is refused",
        arguments: [
            "", "Z", "T", "TZ", "1969-12-31T23:59:59Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
            "2026-11-22T24:00:00Z", "2026-11-22T99999999999999999:00:00Z", "2026-11-22", "2026-11-22T16:10:19+01:00",
            "2026-11-22T16:10Z", "10000-01-01T00:00:00Z",
        ])
    func noDates(_ text: String) { #expect(HTTPDate.parseRFC3339(text) == nil) }

    @Test("the header we send is whole seconds, rounded up, at least 1")
    func headerValue() {
        let waits: [(Duration, String)] = [
            (.zero, "1"), (.milliseconds(1), "1"), (.seconds(1), "1"), (.milliseconds(1_001), "2"),
            (.seconds(60), "60"),
        ]
        for (wait, text) in waits { #expect(RetryAfter.headerValue(wait) == text) }
    }
}
