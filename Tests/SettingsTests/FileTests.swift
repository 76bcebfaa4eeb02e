import Base
import Settings
import Testing

@testable import Settings

@Test("an empty file, one of comments, CRLF line ends and a byte order mark are all fine")
func harmlessFiles() throws {
    for text in ["", "\n\n", "# only a comment", "\r\n# x\r\n", "\u{FEFF}# x\n"] {
        #expect(try load(text).settings == Settings())
    }
    let windows = "# x\r\n[server]\r\n\r\nthreads = 3\r\nlisten = 5\r\n"
    #expect(problems(windows).first?.hasPrefix("appliance.conf:5: server.listen: ") == true)
    #expect(try load("\u{FEFF}[server]\r\nthreads = 3\r\n").settings.server.threads == 3)
}

@Test("a file that is missing, a folder, too large or no text is refused")
func unreadableFiles() throws {
    let folder = TemporaryFolder()
    func message(_ file: String) -> String? {
        do throws(SettingsFailure) {
            _ = try SettingsLoader.load(file: file, flags: [:], environment: [:])
            return nil
        } catch {
            return error.message
        }
    }
    #expect(message("/no/such.conf") == "cannot open /no/such.conf: No such file or directory")
    #expect(message(folder.path) == "cannot read \(folder.path): Is a directory")
    let large = folder.write("large.conf", [UInt8](repeating: 35, count: 256 << 10) + [10])
    #expect(message(large) == "\(large) is larger than 256KiB: it cannot be a settings file")
    let full = folder.write("full.conf", [UInt8](repeating: 35, count: 256 << 10))
    #expect(message(full) == nil)
    #expect(problems(bytes: [35, 10, 35, 0xC3, 0x28, 10]) == ["appliance.conf:2: not UTF-8 text"])
    #expect(problems(bytes: [0xFF, 0xFE, 0x5B, 0]) == ["appliance.conf:1: not UTF-8 text"])
    let withNUL = ["appliance.conf holds a NUL character: no setting has one"]
    #expect(problems("[server]\nthreads = 1\n\0listen = 5\n") == withNUL)
    #expect(problems("[models.\"a\\u0000b\"]\n") == withNUL)
}

@Test("a syntax error has its line and column")
func syntaxErrors() {
    let found = problems("[server]\nthreads = = 3\n")
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("appliance.conf:2: column 11: ") == true, "\(found)")
    #expect(problems("[server\n").first?.hasPrefix("appliance.conf:1: ") == true)
    #expect(problems("[server]\nlisten = \"x\n").first?.hasPrefix("appliance.conf:2: ") == true)
    #expect(
        problems("[server]\nthreads = 99999999999999999999\n").first
            == "appliance.conf:2: column 31: Error while parsing decimal integer: not a value that TOML can hold")
}

@Test(
    "a key or table that stands twice is an error with both lines",
    arguments: [
        ("[server]\nthreads = 1\n\nthreads = 2\n", 4, "server.threads", 2),
        ("[server]\n[log]\n[server]\n", 3, "server", 1),
        ("[models.\"a.b\"]\nprice-input = 1\n\"price-input\" = 2\n", 3, "models.\"a.b\".price-input", 2),
        ("server.threads = 1\nserver.threads = 1\n", 2, "server.threads", 1),
    ])
func duplicates(text: String, line: Int, path: String, first: Int) {
    #expect(problems(text) == ["appliance.conf:\(line): \(path) is set twice; it also stands in line \(first)"])
}

@Test("the scan finds keys behind strings, arrays and comments of several lines")
func lineNumbers() {
    let text = """
        # [server]
        title = \"\"\"
        [not.a.table]
        \\\"\"\" still = "inside"
        \"\"\"
        literal = '''
        [nor.this]
        '''
        [ a . "b.c" . 'd' ]  # comment with ] and "
        list = [
          "]", # ]
          '[',
          { x = "}" },
        ]
        "quoted \\u0041" = 1
        x.y.z = { k = "#", l = [1, 2] }
        [[items]]
        name = "one"
        [[items]]
        name = "two"
        """
    let lines = TOMLLineScanner(Array(text.utf8)).lines
    #expect(lines[["title"]] == 2)
    #expect(lines[["literal"]] == 6)
    #expect(lines[["a", "b.c", "d"]] == 9 && lines[["a"]] == 9)
    #expect(lines[["a", "b.c", "d", "list"]] == 10)
    #expect(lines[["a", "b.c", "d", "quoted A"]] == 15)
    #expect(lines[["a", "b.c", "d", "x", "y", "z"]] == 16)
    #expect(lines[["items"]] == 17 && lines[["items", "name"]] == 18)
    #expect(lines[["not"]] == nil && lines[["nor"]] == nil && lines[["server"]] == nil && lines[["still"]] == nil)
}

@Test("a value inside an inline table is placed at the line of the table")
func inlineTables() {
    let file = "\nserver = { threads = -1 }\nproviders.local = { dialect = \"openai\" }\n"
    #expect(problems(file).map { $0.split(separator: " ")[0] } == ["appliance.conf:2:", "appliance.conf:3:"])
}

@Test("deep nesting ends in an error, not in a crash")
func deepNesting() {
    let depth = 50_000
    let brackets = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    #expect(problems("x = \(brackets)\n").count == 1)
    #expect(problems("x = " + String(repeating: "{a=", count: depth) + "1\n").count == 1)
    let dots = "a" + String(repeating: ".a", count: 2_000)
    #expect(!problems("\(dots) = 1\n").isEmpty)
}

@Test("no damage to a file crashes the loader or makes it show a secret")
func damagedFiles() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededRandom(seed: seed)
    let secret = "QZQZQZQZ"
    let withKey = SettingTable.defaultsFile()
        .replacing("#key = \"env:OPENAI_API_KEY\"", with: "key = \"\(secret)\"")
        .replacing("#[providers.openai]", with: "[providers.openai]")
    let whole = Array(withKey.utf8)
    let alphabet = Array("\"'[]{}=.,#\\\n\r\t 0aZ-_+\u{FF}é".utf8) + [0, 0x7F, 0x80, 0xFF]
    for _ in 0..<400 {
        var bytes = whole
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[place] = alphabet.randomElement(using: &random) ?? 0
            case 1: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: place)
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...40, using: &random)))
            default: bytes.removeSubrange(place...)
            }
            if bytes.isEmpty { break }
        }
        let found = problems(bytes: bytes, mode: 0o600, environment: ["OPENAI_API_KEY": secret])
        #expect(found.allSatisfy { !$0.contains(secret) }, "seed \(seed): \(found)")
    }
}

@Test(
    "a header that the parser would stop the process for is a syntax error with its line",
    arguments: [
        "[.a]", "[[.a]]", "[+log]", "  [ .a]", "[=]", "[.]", "[", "[ # a", "[{",
    ])
func oddHeaders(header: String) {
    #expect(problems("# x\n\(header)\nb = 1\n").first?.hasPrefix("appliance.conf:2: ") == true)
}
