import Settings
import Testing

@testable import Settings

@Test("an unknown key names the nearest known one")
func unknownKey() {
    #expect(
        problems("[server]\nlisen = \"127.0.0.1:1\"\n")
            == [#"appliance.conf:2: server.lisen: no such setting; did you mean "server.listen"?"#])
    #expect(
        problems("[server]\nbodyLimit = \"1MiB\"\nheader_timeout = \"1s\"\n") == [
            #"appliance.conf:2: server.bodyLimit: no such setting; did you mean "server.body-limit"?"#,
            #"appliance.conf:3: server.header_timeout: no such setting; did you mean "server.header-timeout"?"#,
        ])
    #expect(
        problems("[providers.openai]\nbaseurl = \"https://h\"\n")
            == [
                #"appliance.conf:2: providers.openai.baseurl: no such setting; did you mean "providers.openai.base-url"?"#
            ])
}

@Test("an unknown table, and a key outside its table, lead to the right place")
func unknownTable() {
    #expect(problems("[sever]\n") == [#"appliance.conf:1: sever: no such setting; did you mean "server"?"#])
    #expect(
        problems("listen = \"x\"\n")
            == [#"appliance.conf:1: listen: no such setting; did you mean "server.listen"?"#])
    #expect(
        problems("[auth]\nlisten = \"x\"\n")
            == [#"appliance.conf:2: auth.listen: no such setting; did you mean "server.listen"?"#])
    #expect(
        problems("[auth]\nqqqqqqqqqqqqqqq = 1\n")
            == ["appliance.conf:2: auth.qqqqqqqqqqqqqqq: no such setting; there are admin-key, anonymous"])
}

@Test("something else where a table belongs is refused")
func notATable() {
    #expect(problems("server = 3\n") == ["appliance.conf:1: server: expected a table [server], got 3"])
    #expect(problems("[[providers]]\n") == ["appliance.conf:1: providers: expected a table [providers], got an array"])
    #expect(
        problems("[providers]\nopenai = \"x\"\n")
            == ["appliance.conf:2: providers.openai: expected a table [providers.openai]"])
    #expect(
        problems("[providers]\nkey = \"sk-secret\"\n")
            == ["appliance.conf:2: providers.key: expected a table [providers.key]; key belongs into [providers.NAME]"])
}

@Test("a model's name with a dot and no quotes is explained")
func unquotedModel() {
    #expect(
        problems("[models.gpt-4.1]\nprice-input = 1\n") == [
            #"appliance.conf:1: models.gpt-4.1: no such setting; a name with a dot stands in quotes, "#
                + #"as in [models."gpt-4.1"]"#
        ])
}

@Test("names of providers and models are checked")
func badNames() {
    let provider = problems("[providers.\"a b\"]\n")
    #expect(provider.count == 1)
    #expect(provider.first?.hasPrefix("appliance.conf:1: providers.\"a b\": a provider's name is") == true)
    let model = problems("[models.\"gpt-*\"]\n")
    #expect(model.count == 1)
    #expect(model.first?.hasPrefix("appliance.conf:1: models.\"gpt-*\": a model's name is") == true)
    #expect(problems("[models.\"meta-llama/Llama-3:free\"]\n").isEmpty)
}

@Test("the distance between two names counts insertions, deletions and replacements")
func distances() {
    func distance(_ a: String, _ b: String) -> Int { editDistance(Array(a.utf8), Array(b.utf8)) }
    #expect(distance("", "") == 0)
    #expect(distance("abc", "") == 3)
    #expect(distance("kitten", "sitting") == 3)
    #expect(distance("listen", "silent") == 4)
    #expect(nearestName(to: "lisetn", among: ["threads", "listen"]) == "listen")
    #expect(nearestName(to: "zzzzzz", among: ["threads", "listen"]) == nil)
    #expect(nearestName(to: String(repeating: "a", count: 10_000), among: ["a"]) == nil)
    #expect(nearestName(to: "x", among: []) == nil)
}
