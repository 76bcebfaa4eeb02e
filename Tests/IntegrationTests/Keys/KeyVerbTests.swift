import Base
import Testing

/// Keys by verb: through the control socket while the server runs, in the store itself while it does not.
@Suite struct KeyVerbTests {
    private func keys(_ data: String) throws -> [JSON] {
        let verb = try Verb.run(["keys", "list", "--json", "--data", data])
        guard verb.status == 0 else { throw HarnessFailure("keys list: \(verb.status) \(verb.output)") }
        return try JSON(verb.output)["keys"].elements
    }

    @Test("while the server runs a verb makes, lists and revokes keys that count at once")
    func running() throws {
        let rig = try Rig()
        let data = rig.server.dataFolder
        let made = try Verb.run([
            "keys", "create", "app", "--tenant", "team-a", "--scope", "ai", "--scope", "metrics", "--data", data,
        ])
        #expect(made.status == 0, "\(made.output)")
        let secret = try #require(made.secret)
        let client = rig.server.client(key: secret)
        #expect(try client.post("/v1/chat/completions", Body.chat).status == 200)
        #expect(try client.get("/metrics").status == 200)
        let listed = try keys(data)
        #expect(listed.count == 1)
        #expect(listed[0]["tenant"].string == "team-a")
        #expect(listed[0]["scopes"].elements.map(\.string) == ["ai", "metrics"])
        let table = try Verb.run(["keys", "list", "--data", data])
        #expect(table.output.contains("team-a") && !table.output.contains(secret))
        let id = try #require(listed[0]["id"].string)
        let revoked = try Verb.run(["keys", "revoke", id, "--data", data])
        #expect(revoked.status == 0, "\(revoked.output)")
        #expect(try client.get("/v1/models").status == 401)
        #expect(try Verb.run(["keys", "revoke", id, "--data", data]).status == 1)
        #expect(rig.server.exitStatus == nil)
    }

    @Test("while no server runs the same verbs work on the store, and the next server knows the keys")
    func stopped() throws {
        let folder = try TemporaryFolder()
        let data = "\(folder.path)/data"
        let (kept, gone) = (
            try Verb.run(["keys", "create", "kept", "--json", "--data", data]),
            try Verb.run(["keys", "create", "gone", "--json", "--data", data])
        )
        #expect(kept.status == 0 && gone.status == 0, "\(kept.output) \(gone.output)")
        let keptSecret = try #require(try JSON(kept.output)["key"].string)
        let goneID = try #require(try JSON(gone.output)["id"].string)
        #expect(try Verb.run(["keys", "revoke", goneID, "--data", data]).status == 0)
        #expect(try keys(data).count == 2)
        #expect(mode(data) == 0o700)

        let serving = try Serving(
            ["--listen", "127.0.0.1:0"], settings: "[auth]\nanonymous = \"none\"\n", folder: folder)
        let port = try serving.port()
        #expect(try HTTPClient(port: port, key: keptSecret).get("/v1/models").status == 200)
        #expect(try HTTPClient(port: port, key: gone.secret).get("/v1/models").status == 401)
        #expect(newKeys(in: serving.child.output).isEmpty)
    }

    @Test("a key made before the first start is enough to listen beyond this machine")
    func openAddress() throws {
        let folder = try TemporaryFolder()
        #expect(
            try Verb.run(["keys", "create", "ops", "--scope", "admin", "--data", "\(folder.path)/data"]).status == 0)
        let serving = try Serving(["--listen", "0.0.0.0:0"], folder: folder)
        _ = try serving.child.waitForWord(after: " on http://0.0.0.0:")
        serving.child.signal(15)
        #expect(try serving.child.waitForEnd() == 0)
    }

    @Test("mistakes in the words of a verb are 64 and change nothing, running or not")
    func usage() throws {
        let server = try WeirServer.start()
        let empty = try TemporaryFolder()
        for data in [server.dataFolder, "\(empty.path)/data"] {
            for words in [
                ["keys", "create"], ["keys", "create", "x", "--scope", "root"], ["keys", "revoke", "../x"],
                ["keys", "paint"],
                ["keys", "revoke"],
            ] {
                let verb = try Verb.run(words + (words == ["keys", "paint"] ? [] : ["--data", data]))
                #expect(verb.status == 64, "\(words): \(verb.status) \(verb.output)")
            }
            #expect(try Verb.run(["keys", "create", "a b", "--data", data]).status != 0)
            #expect(try Verb.run(["keys", "revoke", "key_0000000000000000", "--data", data]).status == 1)
            #expect(try keys(data).isEmpty)
        }
    }

    @Test("the first start without a key prints an admin key exactly once and keeps only its hash")
    func firstStart() throws {
        let folder = try TemporaryFolder()
        let first = try Serving(["--listen", "127.0.0.1:0"], folder: folder)
        let port = try first.port()
        #expect(eventually { first.child.output.contains("admin key: weir-") })
        let printed = newKeys(in: first.child.output)
        #expect(printed.count == 1)
        let secret = try #require(printed.first)
        #expect(try HTTPClient(port: port, key: secret).get("/status").status == 200)
        first.child.signal(15)
        #expect(try first.child.waitForEnd() == 0)
        for name in names(in: first.dataFolder) where name != "control.sock" {
            let bytes = try SmallFile.read("\(first.dataFolder)/\(name)")
            #expect(bytes.firstEnd(of: Array(secret.utf8)) == nil, "\(name) holds the key")
        }

        let second = try Serving(["--listen", "127.0.0.1:0"], folder: folder)
        let again = try second.port()
        #expect(try HTTPClient(port: again, key: secret).get("/status").status == 200)
        #expect(!second.child.output.contains("admin key"))
        #expect(newKeys(in: second.child.output).isEmpty)
    }
}
