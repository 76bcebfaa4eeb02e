import Base
import Glibc
import Testing

/// C3: damaged files. The precious one stops the start and is left as it is; the request log is moved aside.
@Suite struct DamageTests {
    /// A data folder that a server has used and left in order.
    private func usedFolder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let serving = try Serving(["--listen", "127.0.0.1:0"], folder: folder)
        let client = HTTPClient(port: try serving.port(), key: nil)
        _ = try client.post("/v1/chat/completions", Body.chat)
        serving.child.signal(SIGTERM)
        guard try serving.child.waitForEnd() == 0 else { throw HarnessFailure(serving.child.output) }
        return folder
    }

    /// Overwrites bytes in place.
    private func damage(_ path: String, at offset: Int, with bytes: [UInt8]) throws {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw HarnessFailure("open \(path): \(errorText(errno))") }
        defer { close(descriptor) }
        guard pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count else {
            throw HarnessFailure("write \(path)")
        }
    }

    private static let garbage = [UInt8](repeating: 0xA5, count: 512)

    @Test(
        "C3: a damaged weir.db stops the start with 65, and no byte of it is changed",
        arguments: [
            "header", "first page", "empty", "text",
        ])
    func preciousFile(kind: String) throws {
        let folder = try usedFolder()
        let file = "\(folder.path)/data/weir.db"
        switch kind {
        case "header": try damage(file, at: 0, with: Array(Self.garbage.prefix(32)))
        case "first page": try damage(file, at: 100, with: Self.garbage)
        case "empty": truncate(file, 0)
        default: try folder.write("data/weir.db", "this is no database\n")
        }
        let before = try SmallFile.read(file)
        for words in [["serve", "--listen", "127.0.0.1:0"], ["keys", "list"]] {
            let verb = try Verb.run(words + ["--data", "\(folder.path)/data"])
            #expect(verb.status == 65, "\(words): \(verb.output)")
            #expect(verb.output.contains(file))
            #expect(verb.output.contains("doctor"))
            #expect(newKeys(in: verb.output).isEmpty)
        }
        #expect(try SmallFile.read(file) == before)
        #expect(!names(in: "\(folder.path)/data").contains { $0.hasPrefix("weir.db.bad") })
    }

    @Test("D10: a weir.db of a newer release is refused with both versions, and left alone")
    func newerFormat() throws {
        let folder = try usedFolder()
        let file = "\(folder.path)/data/weir.db"
        try damage(file, at: 60, with: [0, 0, 3, 0xE7])  // user_version: 999
        let before = try SmallFile.read(file)
        let verb = try Verb.run(["serve", "--listen", "127.0.0.1:0", "--data", "\(folder.path)/data"])
        #expect(verb.status == 65, "\(verb.output)")
        #expect(verb.output.contains("999"))
        #expect(try SmallFile.read(file) == before)
    }

    @Test(
        "C3: a damaged requests.db is moved aside, a new one begun, and serving goes on",
        arguments: ["header", "text", "empty"])
    func requestLog(kind: String) throws {
        let folder = try usedFolder()
        let file = "\(folder.path)/data/requests.db"
        switch kind {
        case "header": try damage(file, at: 0, with: Self.garbage)
        case "empty": truncate(file, 0)
        default: try folder.write("data/requests.db", "this is no database, and it is longer than a header\n")
        }
        let before = try SmallFile.read(file)
        let provider = try Provider.start()
        let serving = try Serving(
            ["--listen", "127.0.0.1:0"], settings: "[auth]\nadmin-key = \"env:ADMIN_KEY\"\n\n" + provider.settings(),
            environment: ["ADMIN_KEY": "a-key-that-is-long-enough"], folder: folder)
        let client = HTTPClient(port: try serving.port(), key: "a-key-that-is-long-enough")
        #expect(try client.post("/v1/chat/completions", Body.chat).status == 200)
        #expect(try eventually { try client.get("/requests").json()["requests"].elements.count == 1 })
        #expect(try client.get("/status").json()["ledger"]["movedAside"].int == 1)
        let aside = names(in: "\(folder.path)/data").filter {
            $0.hasPrefix("requests.db.bad-") && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm")
        }
        #expect(aside.count == 1)
        #expect(try SmallFile.read("\(folder.path)/data/\(aside.first ?? "")") == before)
        #expect(serving.child.output.contains("moved aside"))
    }

    @Test("C5: a data folder that is a file, and one that cannot be made, say so")
    func impossibleFolder() throws {
        let folder = try TemporaryFolder()
        try folder.write("data", "a file\n")
        for data in ["\(folder.path)/data", "\(folder.path)/data/below", "/proc/weir"] {
            let verb = try Verb.run(["serve", "--listen", "127.0.0.1:0", "--data", data])
            #expect([73, 74, 77].contains(verb.status), "\(data): \(verb.status) \(verb.output)")
            #expect(verb.output.contains(data))
        }
    }

    @Test("D1: after SIGKILL the next start serves, with every key that was confirmed")
    func killed() throws {
        let folder = try TemporaryFolder()
        var secrets: [String] = []
        for round in 0..<5 {
            let serving = try Serving(
                ["--listen", "127.0.0.1:0"], settings: "[auth]\nadmin-key = \"env:ADMIN_KEY\"\nanonymous = \"none\"\n",
                environment: ["ADMIN_KEY": "a-key-that-is-long-enough"], folder: folder)
            let port = try serving.port()
            let admin = HTTPClient(port: port, key: "a-key-that-is-long-enough")
            for secret in secrets { #expect(try HTTPClient(port: port, key: secret).get("/v1/models").status == 200) }
            for index in 0..<5 {
                secrets.append(
                    try #require(try admin.post("/keys", #"{"name":"k-\#(round)-\#(index)"}"#).json()["key"].string))
            }
            serving.child.signal(SIGKILL)
            #expect(try serving.child.waitForEnd() == 128 + SIGKILL)
        }
        #expect(secrets.count == 25)
    }
}
