import Base
import Glibc
import Testing

/// The process's exit codes, each with a message that says what to do.
@Suite struct ExitCodeTests {
    @Test(
        "64: words that no verb knows",
        arguments: [
            ["paint"], ["serve", "--colour", "red"], ["config", "paint"], ["completions", "powershell"],
            ["simulate", "--listen", "nowhere"],
            ["simulate", "--latency", "soon"], ["simulate", "--latency", "5"],
        ])
    func usage(words: [String]) throws {
        let verb = try Verb.run(words)
        #expect(verb.status == 64, "\(words): \(verb.output)")
        #expect(verb.output.contains("Error:") || verb.output.contains("Usage:"), "\(verb.output)")
    }

    @Test("0: help and version are no mistakes")
    func help() throws {
        for words in [
            ["--help"], ["serve", "--help"], ["keys", "create", "--help"], ["version"], ["help", "config"],
        ] {
            #expect(try Verb.run(words).status == 0, "\(words)")
        }
    }

    @Test("73: a second process on the same data folder names the first one's pid")
    func secondProcess() throws {
        let server = try WeirServer.start()
        for words in [
            ["serve", "--data", server.dataFolder, "--listen", "127.0.0.1:0"],
            ["migrate", "up", "--data", server.dataFolder],
        ] {
            let second = try Verb.run(words)
            #expect(second.status == 73, "\(words): \(second.output)")
            #expect(second.output.contains("process \(server.pid) "), "\(second.output)")
            #expect(second.output.contains(server.dataFolder))
        }
        #expect(try server.client.get("/health/live").status == 200)
        #expect(try server.stop() == 0)
        #expect(try Verb.run(["migrate", "up", "--data", server.dataFolder]).status == 0)
    }

    @Test("D9: of twenty starts at once on one folder exactly one serves")
    func manyStarts() throws {
        let folder = try TemporaryFolder()
        let all = try (0..<20).map { _ in try Serving(["--listen", "127.0.0.1:0"], folder: folder) }
        #expect(eventually(within: .seconds(30)) { all.count { $0.child.reap() != nil } == 19 })
        #expect(all.compactMap { $0.child.reap() } == Array(repeating: 73, count: 19))
        let winner = try #require(all.first { $0.child.reap() == nil })
        #expect(try HTTPClient(port: winner.port(), key: nil).get("/health/live").status == 200)
    }

    @Test("78: every mistake of a settings file at once, with file and line")
    func badSettings() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "appliance.conf",
            """
            [server]
            header-timeout = "10"
            body-limit = "64"
            colour = "red"

            [providers.local]
            dialect = "cobol"
            base-url = "ftp://127.0.0.1"
            """)
        for words in [["serve", "--data", "\(folder.path)/data", "--config", file], ["config", "check", file]] {
            let verb = try Verb.run(words)
            #expect(verb.status == 78, "\(words): \(verb.output)")
            for place in [":2: server.header-timeout", ":3: server.body-limit", ":4: server.colour", ":7: ", ":8: "] {
                #expect(verb.output.contains(file + place), "\(place) in \(verb.output)")
            }
        }
        #expect(mode("\(folder.path)/data") == nil, "nothing is made for settings that are bad")
    }

    @Test(
        "78: a missing secret, a weak admin key, a settings file that is not there",
        arguments: [
            ("[auth]\nadmin-key = \"env:NOT_SET_ANYWHERE\"\n", "NOT_SET_ANYWHERE"),
            ("[auth]\nadmin-key = \"env:WEAK\"\n", "admin-key"),
            ("[auth]\nadmin-key = \"file:/no/such/file\"\n", "/no/such/file"), ("[server\n", ":1"),
        ])
    func unusableSettings(text: String, word: String) throws {
        let serving = try Serving(["--listen", "127.0.0.1:0"], settings: text, environment: ["WEAK": "short"])
        #expect(try serving.child.waitForEnd() == 78, "\(serving.child.output)")
        #expect(serving.child.output.contains(word), "\(serving.child.output)")
        let missing = try Verb.run(["serve", "--config", "/no/such/appliance.conf", "--data", serving.dataFolder])
        #expect(missing.status == 78, "\(missing.output)")
        #expect(missing.output.contains("/no/such/appliance.conf"))
    }

    @Test("74: a port that is taken, by TCP or by an address that is not ours")
    func portInUse() throws {
        let server = try WeirServer.start()
        let folder = try TemporaryFolder()
        for address in ["127.0.0.1:\(server.port)", "192.0.2.1:7411"] {
            let key = ["ADMIN_KEY": "a-key-that-is-long-enough"]
            let file = try folder.write("a.conf", "[auth]\nadmin-key = \"env:ADMIN_KEY\"\n")
            let verb = try Verb.run(
                ["serve", "--config", file, "--data", "\(folder.path)/data", "--listen", address], environment: key)
            #expect(verb.status == 74, "\(verb.output)")
            #expect(verb.output.contains("cannot listen on \(address)"), "\(verb.output)")
            #expect(verb.output.contains("--listen"))
        }
        #expect(try server.client.get("/health/live").status == 200)
    }
}
