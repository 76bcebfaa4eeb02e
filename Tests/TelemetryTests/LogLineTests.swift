import Base
import Logging
import Testing

@testable import Telemetry

struct LogLineTests {
    private let time = UnixTime(microseconds: 1_795_363_819_123_456)

    private func line(
        _ format: LogOutput.Format, _ message: String, _ fields: [(String, String)] = [], level: Logger.Level = .info
    ) -> String {
        LogOutput.line(format, time: time, level: level, label: "weir", message: message, fields: fields)
    }

    @Test("A line for people: time, level, message, fields")
    func text() {
        #expect(line(.text, "listening") == "2026-11-22T16:10:19.123Z info listening\n")
        #expect(
            line(.text, "a b c", [("status", "200"), ("who", "x y"), ("e", "")], level: .warning)
                == "2026-11-22T16:10:19.123Z warning a b c status=200 who=\"x y\" e=\"\"\n")
        #expect(
            line(.text, "say \"hi\"", [("q", "a\"b")])
                == "2026-11-22T16:10:19.123Z info \"say \\\"hi\\\"\" q=\"a\\\"b\"\n")
    }

    @Test("A line for machines is one JSON object")
    func json() {
        #expect(
            line(.json, "a \"b\"", [("status", "200"), ("path", "/x\n")], level: .error)
                == #"{"time":"2026-11-22T16:10:19.123Z","level":"error","logger":"weir","message":"a \"b\"","#
                + #""status":"200","path":"/x\n"}"# + "\n")
    }

    @Test(
        "One record is one line, whatever its message and fields hold",
        arguments: [
            "a\nb", "a\r\nb", "\n", "\r", "\u{0}", "\u{1B}[31mred\u{1B}[0m", "a\u{2028}b", "a\u{2029}b", "a\u{85}b",
            "\u{9B}31m",
            "\u{7F}", "\t", "2026-01-01T00:00:00.000Z error forged\n2026-01-01T00:00:00.000Z error forged",
        ])
    func oneLine(_ hostile: String) throws {
        for format in [LogOutput.Format.text, .json] {
            let scalars = Array(line(format, hostile, [("field", hostile)]).unicodeScalars)
            #expect(scalars.last == "\n")
            let breaking = scalars.dropLast().filter {
                $0.value < 0x20 || (0x7F...0x9F).contains($0.value) || $0.value == 0x2028 || $0.value == 0x2029
            }
            #expect(breaking.isEmpty, "\(format)")
        }
        let object = Array(line(.json, hostile).utf8)
        var message: String?
        try object.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            try scanner.scanObject {
                if bytes[$0.key].elementsEqual("message".utf8) { message = JSONText.decodeString(bytes[$0.value]) }
            }
        }
        #expect(message.map { Array($0.utf8) } == Array(hostile.utf8), "and nothing of it is lost")
    }

    @Test("A logger's own fields and a line's are written together, the line's winning")
    func metadata() {
        var output = LogOutput(label: "weir", level: .info, format: .json)
        output[metadataKey: "a"] = "1"
        #expect(output[metadataKey: "a"] == "1")
        output[metadataKey: "a"] = nil
        #expect(output.metadata.isEmpty)
        #expect(output.logLevel == .info)
    }
}
