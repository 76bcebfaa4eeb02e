import Base
import Testing

struct UnitTests {
    @Test(
        "A size has a number and a binary unit, nothing else",
        arguments: [
            ("0", 0), ("512B", 512), ("16KiB", 16 << 10), ("64MiB", 64 << 20), ("3GiB", 3 << 30), ("007KiB", 7 << 10),
            ("0MiB", 0), ("8589934591GiB", 8_589_934_591 << 30),
        ])
    func size(_ text: String, _ bytes: Int) {
        #expect(ByteCount(text: text)?.bytes == bytes)
    }

    @Test(
        "What is no size is refused, above all a bare number and what does not fit",
        arguments: [
            "", "64", "MiB", "64MB", "64mib", "64 MiB", " 64MiB", "64MiB ", "-1B", "+1B", "1.5GiB", "8589934592GiB",
            "99999999999999999999B", "٣KiB", "1_000B", "0x10B",
        ])
    func noSize(_ text: String) {
        #expect(ByteCount(text: text) == nil)
    }

    @Test("A size's text reads back as the same size")
    func sizeRoundTrip() {
        for bytes in [0, 1, 1_023, 1_024, 1_025, 1 << 20, 3 << 19, 1 << 30, 5 << 40, Int.max] {
            let size = ByteCount(bytes: bytes)
            #expect(ByteCount(text: size.description) == size, "\(size)")
        }
        #expect(ByteCount.mebibytes(64).description == "64MiB")
        #expect(ByteCount(bytes: 1_536).description == "1536B")
        #expect(ByteCount.kibibytes(1) < .mebibytes(1) && ByteCount.mebibytes(1) < .gibibytes(1))
    }

    @Test(
        "A duration has a number and a unit, nothing else",
        arguments: [
            ("0", Duration.zero), ("250us", .microseconds(250)), ("7ns", .nanoseconds(7)),
            ("300ms", .milliseconds(300)),
            ("30s", .seconds(30)), ("5m", .seconds(300)), ("1h", .seconds(3_600)), ("7d", .seconds(604_800)),
        ])
    func duration(_ text: String, _ duration: Duration) {
        #expect(Duration(text: text) == duration)
        #expect(duration.text == text)
    }

    @Test(
        "What is no duration is refused",
        arguments: [
            "", "5", "s", "5 s", "-5s", "1.5s", "5sec", "5S", "106752d", "9223372036854775808ns",
        ])
    func noDuration(_ text: String) {
        #expect(Duration(text: text) == nil)
    }

    @Test("A duration's text reads back as the same duration")
    func durationRoundTrip() {
        for nanoseconds in [1, 999, 1_000, 1_500, 60_000_000_000, 61_000_000_000, 86_400_000_000_000, Int64.max] {
            let duration = Duration.nanoseconds(nanoseconds)
            #expect(Duration(text: duration.text) == duration, "\(duration)")
        }
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max, "saturates")
        #expect(Duration.milliseconds(1_500).seconds == 1.5)
        #expect(Duration.microseconds(1_999).wholeMilliseconds == 1)
    }

    @Test("An instant saturates at both ends instead of wrapping")
    func instants() {
        let start = MonotonicInstant(nanoseconds: 1_000)
        #expect(start.advanced(by: .nanoseconds(5)).nanoseconds == 1_005)
        #expect(start.advanced(by: .seconds(-1)) == start)
        #expect(MonotonicInstant(nanoseconds: .max - 1).advanced(by: .seconds(1)) == .distantFuture)
        #expect(start.nanoseconds(since: start.advanced(by: .seconds(1))) == 0)
        #expect(start.advanced(by: .seconds(1)).duration(since: start) == .seconds(1))
        #expect(MonotonicInstant.now() <= MonotonicInstant.now())
    }

    @Test(
        "Wall-clock time is written as RFC 3339 with milliseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_827_696_007_999, "2000-02-29T12:34:56.007Z"),
            (1_795_363_819_123_456, "2026-11-22T16:10:19.123Z"), (4_107_542_399_999_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000Z"),
        ])
    func wallClock(_ microseconds: Int, _ text: String) {
        #expect(UnixTime(microseconds: Int64(microseconds)).iso8601 == text)
    }
}
