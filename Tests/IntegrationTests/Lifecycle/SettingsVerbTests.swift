import Base
import Testing

/// Settings by verb and by reload, and the small verbs.
@Suite struct SettingsVerbTests {
    @Test("config check: 0 and 'ok' for a good file, and for no file at all")
    func check() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("good.conf", providerSettings(port: 9))
        let good = try Verb.run(["config", "check", file])
        #expect(good.status == 0)
        #expect(good.output.contains("\(file): ok"))
        #expect(try Verb.run(["config", "check"]).status == 0)
        #expect(try Verb.run(["config", "check", "/no/such/file"]).status == 78)
    }

    @Test("config defaults is a file that config check takes, and that says the same as no file")
    func defaults() throws {
        let folder = try TemporaryFolder()
        let text = try Verb.run(["config", "defaults"]).output
        let file = try folder.write("defaults.conf", text)
        #expect(try Verb.run(["config", "check", file]).status == 0)
        let with = try Verb.run(["config", "show", "--json", "--config", file]).output
        #expect(try JSON(with) == JSON(try Verb.run(["config", "show", "--json"]).output))
    }

    @Test("config show says where a value comes from: environment over file over default, and hides secrets")
    func show() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "a.conf", "[server]\nidle-timeout = \"10s\"\nbody-limit = \"2MiB\"\n[auth]\nadmin-key = \"env:K\"\n")
        let verb = try Verb.run(
            ["config", "show", "--origin", "--config", file],
            environment: ["WEIR_SERVER_IDLE_TIMEOUT": "20s", "K": "canary-of-config-show"])
        #expect(verb.status == 0)
        let lines = verb.output.split(separator: "\n")
        func line(_ name: String) -> Substring { lines.first { $0.contains(name) } ?? "" }
        #expect(line("idle-timeout").contains("20s") && line("idle-timeout").contains("WEIR_SERVER_IDLE_TIMEOUT"))
        #expect(line("body-limit").contains("2MiB") && line("body-limit").contains("a.conf:3"))
        #expect(line("write-timeout").contains("default"))
        #expect(!verb.output.contains("canary-of-config-show"))
        let json = try Verb.run(
            ["config", "show", "--json", "--config", file], environment: ["K": "canary-of-config-show"])
        #expect(try JSON(json.output).keys.isEmpty == false)
        #expect(!json.output.contains("canary"))
    }

    @Test("an environment variable wins over the file in a running server, and a flag over both")
    func precedence() throws {
        let server = try WeirServer.start(
            "[server]\nbody-limit = \"1KiB\"\nlisten = \"127.0.0.1:1\"\n",
            environment: ["WEIR_SERVER_BODY_LIMIT": "2KiB"])
        let config = try server.client.get("/config")
        #expect(config.text.contains("2KiB") && !config.text.contains("1KiB"))
        #expect(config.text.contains("--listen"))
    }

    @Test("SIGHUP: a good file is taken without a pause, also while a stream runs")
    func reload() throws {
        let rig = try Rig()
        let other = try Provider.start()
        let (_, stream) = try rig.client.stream("/v1/chat/completions", Body.chatStream, simulate: "tokens=20,tps=40")
        var events = stream
        #expect(try events.next() != nil)
        #expect(try rig.server.reload(other.settings()))
        #expect(try rig.client.post("/v1/chat/completions", Body.chat).status == 200)
        #expect(try other.calls().total == 1)
        #expect(try rig.provider.calls().total == 1)
        #expect(try events.rest().last == "data: [DONE]\n\n")
    }

    @Test("SIGHUP: a bad file changes nothing and is told with its line; the next good one is taken")
    func badReload() throws {
        let rig = try Rig()
        #expect(try !rig.server.reload(rig.provider.settings() + "[server]\nbody-limit = \"much\"\n"))
        #expect(rig.server.output.contains("server.body-limit"))
        #expect(try rig.client.post("/v1/chat/completions", Body.chat).status == 200)
        #expect(try !rig.server.reload("[server\n"))
        #expect(try !rig.server.reload("[auth]\nadmin-key = \"env:NO_SUCH_VARIABLE\"\n"))
        #expect(try rig.client.get("/status").status == 200)
        #expect(try rig.server.reload("[server]\nbody-limit = \"1KiB\"\n"))
        let long = #"{"model":"gpt-4o","user":"\#(String(repeating: "x", count: 2_000))"}"#
        #expect(try rig.client.post("/v1/chat/completions", long).status == 413)
    }

    @Test("SIGHUP: an admin key that leaves the settings is out at once; a change of the listener waits for a restart")
    func reloadOfKeys() throws {
        let server = try WeirServer.start()
        let other = try server.createKey("ops", scopes: ["admin"])
        #expect(
            try server.reload(
                "[auth]\nanonymous = \"none\"\n[server]\nlisten = \"127.0.0.1:1\"\nthreads = 7\n", withAdminKey: false))
        #expect(try server.client.get("/status").status == 401)
        #expect(try server.client(key: other).get("/status").status == 200)
        #expect(server.output.contains("restart") && server.output.contains("server.threads"))
    }

    @Test("version names every library inside, as text and as JSON")
    func version() throws {
        let json = try JSON(try Verb.run(["version", "--json"]).output)
        #expect(json.keys.isSuperset(of: ["weir", "sqlite", "libcurl", "swift"]))
        #expect(json["libcurl"].string?.contains("OpenSSL") == true)
        let text = try Verb.run(["version"]).output
        for key in json.keys { #expect(text.contains("\(key) \(json[key].string ?? "?")")) }
    }

    @Test("completions for three shells; bash accepts its own", arguments: ["bash", "zsh", "fish"])
    func completions(shell: String) throws {
        let verb = try Verb.run(["completions", shell])
        #expect(verb.status == 0)
        for word in ["serve", "config", "keys", "simulate"] { #expect(verb.output.contains(word)) }
        guard shell == "bash" else { return }
        let folder = try TemporaryFolder()
        let file = try folder.write("weir.bash", verb.output)
        let bash = try Child(["-n", file], executable: "/bin/bash", outputFile: "\(folder.path)/bash.log")
        #expect(try bash.waitForEnd() == 0, "\(bash.output)")
    }

    @Test("status: of a running server, as text and as JSON; without one it says how to start it")
    func status() throws {
        let rig = try Rig()
        _ = try rig.client.post("/v1/chat/completions", Body.chat)
        let json = try JSON(try Verb.run(["status", "--json", "--data", rig.server.dataFolder]).output)
        #expect(json["listen"].string == "127.0.0.1:\(rig.server.port)")
        #expect(json["lastDay"][0]["requests"].int == 1)
        let text = try Verb.run(["status", "--data", rig.server.dataFolder])
        #expect(text.status == 0)
        #expect(text.output.contains("127.0.0.1:\(rig.server.port)") && text.output.contains("sim"))
        let empty = try TemporaryFolder()
        let none = try Verb.run(["status", "--data", "\(empty.path)/data"])
        #expect(none.status == 1)
        #expect(none.output.contains("weir serve"))
    }

    @Test("migrate: down and up again between two releases keep the keys; a format that does not exist is 64")
    func migrate() throws {
        let folder = try TemporaryFolder()
        let data = "\(folder.path)/data"
        let made = try Verb.run(["keys", "create", "kept", "--data", data])
        #expect(made.status == 0, "\(made.output)")
        let down = try Verb.run(["migrate", "down", "1", "--data", data])
        #expect(down.status == 0, "\(down.output)")
        #expect(down.output.contains("-> 1"))
        let up = try Verb.run(["migrate", "up", "--data", data])
        #expect(up.status == 0, "\(up.output)")
        #expect(try JSON(try Verb.run(["keys", "list", "--json", "--data", data]).output)["keys"].elements.count == 1)
        #expect(try Verb.run(["migrate", "up", "999", "--data", data]).status == 64)
        #expect(try Verb.run(["migrate", "down", "--data", data]).status == 64)
    }
}
