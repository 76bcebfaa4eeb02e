import Base
import Settings
import Testing

private let key = "sk-very-secret-0123456789"

@Test("a secret never shows itself, in whatever way it is printed")
func secretIsMasked() throws {
    let secret = Secret(key)
    var dumped = ""
    dump(secret, to: &dumped)
    for text in ["\(secret)", String(describing: secret), String(reflecting: secret), secret.debugDescription, dumped] {
        #expect(text.contains("***") && !text.contains(key))
    }
    let children = Mirror(reflecting: secret).children.map { "\($0.value)" }
    #expect(children == ["***"])
    #expect(secret.reveal() == key)
    #expect(secret == Secret(key) && secret != Secret(key + "x") && secret != Secret(""))
}

@Test("no way to show loaded settings gives a secret away")
func settingsHideSecrets() throws {
    let loaded = try load(
        """
        [auth]
        admin-key = "env:ADMIN"
        [providers.openai]
        keys = ["env:ADMIN", "env:ADMIN"]
        headers = { "X-Token" = "env:ADMIN", "X-Plain" = "\(key)" }
        [providers.anthropic]
        key = "env:ADMIN"
        """, environment: ["ADMIN": key])
    var dumped = ""
    dump(loaded, to: &dumped)
    let shown = [
        loaded.show(origin: true), loaded.show(origin: false), loaded.json(origin: true), loaded.json(origin: false),
        "\(loaded)", String(reflecting: loaded), dumped,
    ]
    #expect(shown.allSatisfy { !$0.contains(key) })
    #expect(loaded.show(origin: false).contains(#"admin-key = "***""#))
    #expect(loaded.show(origin: false).contains(#"keys = ["***", "***"]"#))
    #expect(loaded.settings.providers.last?.keys.count == 2)
    #expect(loaded.settings.providers.last?.headers.map { $0.value.reveal() } == [key, key])
}

@Test(
    "a literal secret is refused unless the file is its owner's alone",
    arguments: [0o644, 0o640, 0o604, 0o620] as [UInt32])
func literalRefused(mode: UInt32) throws {
    let text = "[providers.openai]\nkey = \"\(key)\"\n"
    let found = problems(text, mode: mode)
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("appliance.conf:2: providers.openai.key: a secret cannot stand in a file") == true)
    #expect(found.first?.contains("mode 0\(String(mode, radix: 8))") == true)
    #expect(found.allSatisfy { !$0.contains(key) })
    #expect(problems(text, mode: 0o600).isEmpty && problems(text, mode: 0o400).isEmpty)
    #expect(try load(text, mode: 0o600).settings.providers.first?.keys == [Secret(key)])
}

@Test("a secret's file must be its owner's alone, and loses one line end")
func secretFromFile() throws {
    let folder = TemporaryFolder()
    for (index, content) in ["\(key)", "\(key)\n", "\(key)\r\n"].enumerated() {
        let file = folder.write("key-\(index)", content.utf8, mode: 0o600)
        #expect(try load("[auth]\nadmin-key = \"file:\(file)\"\n").settings.auth.adminKey?.reveal() == key)
    }
    let open = folder.write("open", key.utf8, mode: 0o644)
    #expect(
        problems("[auth]\nadmin-key = \"file:\(open)\"\n")
            == ["appliance.conf:2: auth.admin-key: others may read \(open) (mode 0644): run chmod 600 on it"])
    let group = folder.write("group", key.utf8, mode: 0o640)
    #expect(problems("[auth]\nadmin-key = \"file:\(group)\"\n").first?.contains("mode 0640") == true)
    let missing = folder.path + "/none"
    #expect(
        problems("[auth]\nadmin-key = \"file:\(missing)\"\n")
            == ["appliance.conf:2: auth.admin-key: the secret's file \(missing) does not exist"])
    #expect(
        problems("[auth]\nadmin-key = \"file:\(folder.path)\"\n")
            == ["appliance.conf:2: auth.admin-key: \(folder.path) is no regular file"])
}

@Test("what cannot be a key is refused without being shown")
func impossibleSecrets() {
    let folder = TemporaryFolder()
    let contents = ["", "\n", "two words", "line\nbreak", "caf\u{E9}", String(repeating: "k", count: 9_000)]
    for (index, content) in contents.enumerated() {
        let file = folder.write("key-\(index)", content.utf8, mode: 0o600)
        let found = problems("[auth]\nadmin-key = \"file:\(file)\"\n")
        #expect(found.count == 1, "\(content.prefix(20))")
        #expect(found.allSatisfy { !$0.contains("words") && !$0.contains("kkkk") })
    }
    let binary = folder.write("binary", [0xFF, 0xFE, 0x41], mode: 0o600)
    #expect(problems("[auth]\nadmin-key = \"file:\(binary)\"\n").first?.hasSuffix("is no text") == true)
}

@Test("a missing or empty variable is named")
func secretFromEnvironment() {
    let text = "[auth]\nadmin-key = \"env:ADMIN\"\n"
    #expect(problems(text) == ["appliance.conf:2: auth.admin-key: the environment variable ADMIN is not set"])
    #expect(problems(text, environment: ["ADMIN": ""]).count == 1)
    #expect(
        problems(text, environment: ["ADMIN": "a b"])
            == [
                "appliance.conf:2: auth.admin-key: the environment variable ADMIN holds a space, a line break or a "
                    + "character outside ASCII: no key does"
            ])
    #expect(problems("[auth]\nadmin-key = \"env:\"\n").count == 1)
    #expect(
        problems("[auth]\nadmin-key = 12345\n", mode: 0o600)
            == [#"appliance.conf:2: auth.admin-key: expected a secret such as "env:NAME" or "file:PATH""#])
}

@Test(
    "a key that lacks its quotation marks is not repeated by the parser's error",
    arguments: [
        "key = sk-very-secret-0123456789", "key = true-very-secret", "key = false0123secret",
        "key = 12345678901234567890123",
        "key = 0x123456789012345678901", "key = \"sk-very-secret", "key = 'sk-very-secret", "keys = [sk-very-secret]",
        "key = tsecret", "key = inf-secret", "key = nan1secret", "key = 1.2.3secret", "key = {secret",
        "key = 2026-secret",
        "key = \"sk\" very-secret", "sk-very-secret", "key = 1e999999secret", "keys = \"sk-very-secret\"",
        "key = [\"sk-very-secret\"]", "key = 0b11112secret", "key = 4ecret", "headers = \"very-secret\"",
    ])
func parserKeepsSecrets(line: String) {
    let found = problems("[providers.openai]\n\(line)\n", mode: 0o644)
    #expect(found.count == 1 || line.hasPrefix("sk-"), "\(found)")
    for fragment in ["secret", "ecret", "very", "0123", "12345", "1.2"] {
        #expect(found.allSatisfy { !$0.contains(fragment) || $0.contains("expected a secret such as") }, "\(found)")
    }
}
