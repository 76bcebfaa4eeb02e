import Base
import Glibc
import Synchronization
import Testing

/// The section "Bad days": whatever happens to the cache's files, answers are right and go on.
@Suite struct CacheDamageTests {
    /// Prompts whose answers the simulator gives again and again, byte for byte.
    private struct Truth {
        let provider: Provider
        let bodies: [String]
        let answers: [[UInt8]]

        init(_ count: Int) throws {
            provider = try Provider.start()
            bodies = (0..<count).map { question("prompt \($0)") }
            answers = try bodies.map { [provider] in try provider.client.post(chatPath, $0).body }
        }

        /// Asks everything, twice so that L3 is filled too. How many were answered by a layer.
        func check(_ server: RestartedServer, rounds: Int = 1) throws -> [String: Int] {
            var details: [String: Int] = [:]
            for _ in 0..<rounds {
                for (index, body) in bodies.enumerated() {
                    let answer = try server.ask(body)
                    #expect(answer.status == 200 && answer.body == answers[index], "\(index): \(answer.cacheStatus)")
                    details[answer.isHit ? answer.cacheDetail ?? "?" : "miss", default: 0] += 1
                }
            }
            return details
        }
    }

    private func overwrite(_ path: String, at offset: Int, with bytes: [UInt8]) throws {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw HarnessFailure("open \(path): \(errorText(errno))") }
        defer { close(descriptor) }
        guard pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count else {
            throw HarnessFailure("write \(path)")
        }
    }

    private func damage(_ kind: String, _ server: RestartedServer, _ name: String) throws {
        let path = "\(server.data)/\(name)"
        let size = try #require(SmallFile.size(path))
        switch kind {
        case "garbage": try overwrite(path, at: 0, with: (0..<16_384).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) })
        case "text": try server.folder.write("data/\(name)", "this is no database, and it is longer than a header\n")
        case "truncated": truncate(path, off_t(size / 2 / 4_096 * 4_096))
        case "odd length": truncate(path, off_t(size - 1_000))
        default: truncate(path, 0)
        }
    }

    @Test(
        "bad days: a damaged cache file at the start is put aside, and serving goes on",
        arguments: ["cache.lmdb", "cache.db"])
    func damagedAtStart(name: String) throws {
        let truth = try Truth(6)
        let server = try RestartedServer(truth.provider.settings())
        _ = try truth.check(server, rounds: 2)
        for kind in ["garbage", "text", "truncated", "odd length", "zero length"] {
            try server.awaitEntries("l2", atLeast: 6)
            try server.awaitEntries("l3", atLeast: 6)
            #expect(try server.stop() == 0)
            for file in names(in: server.data) where file.contains(".bad") { unlink("\(server.data)/\(file)") }
            try damage(kind, server, name)
            try server.start()
            _ = try truth.check(server, rounds: 2)
            #expect(try server.client.post(chatPath, truth.bodies[0]).isHit, "\(kind)")
            let aside = names(in: server.data).contains { $0.hasPrefix(name + ".bad") }
            if kind == "garbage" || kind == "text" { #expect(aside, "\(kind): \(names(in: server.data))") }
            #expect(server.serving.child.reap() == nil)
        }
        #expect(try server.stop() == 0)
    }

    @Test("bad days: the cache's files are deleted while the server runs, and answers go on, also after a restart")
    func deletedWhileRunning() throws {
        let truth = try Truth(6)
        let server = try RestartedServer(truth.provider.settings() + "[flags]\ncache-l1 = false\n")
        _ = try truth.check(server, rounds: 2)
        try server.awaitEntries("l2", atLeast: 6)
        for file in names(in: server.data) where file.hasPrefix("cache.") { unlink("\(server.data)/\(file)") }
        _ = try truth.check(server, rounds: 3)
        #expect(try server.stop() == 0)
        try server.start()
        _ = try truth.check(server, rounds: 2)
        #expect(try server.ask(truth.bodies[0]).isHit)
    }

    @Test("bad days: SIGKILL in the middle of traffic, and no wrong answer after it")
    func killed() throws {
        let truth = try Truth(12)
        let server = try RestartedServer(truth.provider.settings() + "[cache]\nmemory = \"1MiB\"\n")
        var random = SeededRandom(seed: 23)
        var kept = 0
        for _ in 0..<4 {
            let (port, count) = (server.port, 5 + Int(random.next() % 40))
            let (done, bodies) = (Shared(0), truth.bodies)
            let traffic = (0..<2).map { thread in
                OSThread.start("traffic-\(thread)") {
                    var random = SeededRandom(seed: UInt64(thread))
                    let client = HTTPClient(port: port, key: RestartedServer.key)
                    // Ends with the server.
                    while (try? client.post(chatPath, bodies[Int(random.next() % UInt64(bodies.count))])) != nil {
                        done.value.withLock { $0 += 1 }
                    }
                }
            }
            #expect(eventually { done.now >= count })
            try server.stop(SIGKILL)
            traffic.forEach { $0.join() }
            try server.start()
            kept += try truth.check(server)["l2"] ?? 0
        }
        #expect(kept > 0, "what the kernel has outlives the process")
    }

    @Test("bad days: an answer larger than entry-limit passes whole and is not kept")
    func tooLarge() throws {
        let rig = try Rig("[cache]\nentry-limit = \"4KiB\"\n", caches: true)
        for size in [4_000, 4_097, 100_000] {
            let first = try rig.client.post(chatPath, question("x\(size)"), simulate: "big=\(size)")
            let again = try rig.client.post(chatPath, question("x\(size)"), simulate: "big=\(size)")
            #expect(first.body.count == size && again.body == first.body)
            #expect(!again.isHit && !first.cacheStatus.contains("stored"), "\(size): \(again.cacheStatus)")
        }
        #expect(try rig.provider.calls().total == 6)
        #expect(try rig.server.entries("l1") == 0)
    }

    /// Flips that many bits of the file, and says which.
    private func flip(_ count: Int, in path: String, _ random: inout SeededRandom) throws {
        guard let size = SmallFile.size(path), size > 0 else { return }
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw HarnessFailure("open \(path): \(errorText(errno))") }
        defer { close(descriptor) }
        for _ in 0..<count {
            let offset = off_t(random.next() % UInt64(size))
            var byte: UInt8 = 0
            guard pread(descriptor, &byte, 1, offset) == 1 else { throw HarnessFailure("read \(path)") }
            byte ^= 1 << UInt8(random.next() % 8)
            guard pwrite(descriptor, &byte, 1, offset) == 1 else { throw HarnessFailure("write \(path)") }
        }
    }

    @Test("bad days: 200 bits flipped in each file, a few at every restart: never a wrong byte, and it comes up again")
    func flippedBits() throws {
        let seed = environmentVariable("WEIR_TEST_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
        print("flippedBits: seed \(seed)")
        var random = SeededRandom(seed: seed)
        let truth = try Truth(25)
        let server = try RestartedServer(truth.provider.settings() + "[cache]\nmemory = \"1MiB\"\n")
        _ = try truth.check(server, rounds: 2)
        var total: [String: Int] = [:]
        for flips in [1, 2, 4, 8, 15, 20, 50, 100] {
            try server.stop()
            for name in ["cache.lmdb", "cache.db"] { try flip(flips, in: "\(server.data)/\(name)", &random) }
            try server.start()
            // A flip may end the process, never change an answer; then the next start works.
            do { total.merge(try truth.check(server, rounds: 2)) { $0 + $1 } } catch {
                #expect(eventually { server.serving.child.reap() != nil }, "seed \(seed): \(error)")
                let began = MonotonicInstant.now()
                try server.start()
                #expect(MonotonicInstant.now().duration(since: began) < .seconds(2), "seed \(seed)")
                total.merge(try truth.check(server, rounds: 2)) { $0 + $1 }
            }
        }
        #expect((total["l2"] ?? 0) + (total["l3"] ?? 0) > 0, "seed \(seed): \(total)")
        #expect(server.serving.child.reap() == nil)
    }
}
