import Base
import Glibc
import Testing

/// Three layers: what each holds, what outlives a restart, and how each is switched off while running.
@Suite struct CacheLayerTests {
    @Test("layers: an answer outlives a restart in L2, and a kill that the machine survives; then L1 has it")
    func restart() throws {
        let provider = try NumberedProvider()
        let server = try RestartedServer(provider.scripted.settings())
        let first = try server.ask(Body.chat)
        #expect(first.cacheStatus == "weir; fwd=miss; stored")
        for signal in [SIGTERM, SIGKILL] {
            try server.awaitEntries("l2", atLeast: 1)
            try server.restart(signal)
            let again = try server.ask(Body.chat)
            #expect(
                again.cacheDetail == "l2" && again.body == first.body, "after signal \(signal): \(again.cacheStatus)")
            #expect(try server.ask(Body.chat).cacheDetail == "l1")
        }
        #expect(provider.calls == 1)
    }

    @Test("layers: a second use brings an answer into L3, which serves when cache.lmdb is gone, and into L2 from there")
    func archive() throws {
        let provider = try NumberedProvider()
        let server = try RestartedServer(provider.scripted.settings())
        let first = try server.ask(Body.chat)
        _ = try server.ask(question("asked once"))
        #expect(try server.ask(Body.chat).cacheDetail == "l1")
        try server.awaitEntries("l3", atLeast: 1)
        try server.stop()
        for name in names(in: server.data) where name.hasPrefix("cache.lmdb") { unlink("\(server.data)/\(name)") }
        try server.start()
        let again = try server.ask(Body.chat)
        #expect(again.cacheDetail == "l3" && again.body == first.body, "\(again.cacheStatus)")
        #expect(try server.ask(Body.chat).cacheDetail == "l1")
        #expect(try server.ask(question("asked once")).cacheStatus == "weir; fwd=miss; stored")
        try server.awaitEntries("l2", atLeast: 2)
        try server.restart()
        #expect(try server.ask(Body.chat).cacheDetail == "l2")
        #expect(provider.calls == 3)
    }

    @Test("layers: a promoted answer keeps its age and only the life that it has left")
    func remainingLife() throws {
        let provider = try NumberedProvider()
        let server = try RestartedServer(provider.scripted.settings() + "[cache]\nttl = \"1h\"\n")
        _ = try server.ask(Body.chat)
        let made = MonotonicInstant.now()
        try server.awaitEntries("l2", atLeast: 1)
        letPass(.milliseconds(1_050))
        try server.restart()
        for detail in ["l2", "l1"] {
            let answer = try server.ask(Body.chat)
            let age = try #require(answer.age), ttl = try #require(answer.ttl)
            #expect(answer.cacheDetail == detail)
            #expect(
                age >= 1 && ttl <= 3_598 && age + ttl >= 3_598 && age + ttl <= 3_600,
                "\(answer.cacheStatus), age \(age)")
            #expect(age <= Int(MonotonicInstant.now().nanoseconds(since: made) / 1_000_000_000) + 1)
        }
    }

    private func flags(_ values: [Bool]) -> String {
        "[flags]\n" + values.enumerated().map { "cache-l\($0 + 1) = \($1)\n" }.joined()
    }

    @Test("layers: each is switched off and on by its flag while running, and keeps what it has")
    func switches() throws {
        let rig = try NumberedRig()
        let first = try rig.ask(Body.chat)
        #expect(try rig.ask(Body.chat).cacheDetail == "l1")
        try rig.server.awaitEntries("l3", 1)
        func expect(_ on: [Bool], _ detail: String?) throws {
            #expect(try rig.reload(flags(on)))
            let answer = try rig.ask(Body.chat)
            #expect(answer.cacheDetail == detail, "\(on): \(answer.cacheStatus)")
            if detail != nil { #expect(answer.body == first.body) }
        }
        try expect([false, true, true], "l2")
        try expect([false, true, true], "l2")
        try expect([false, false, true], "l3")
        try expect([false, true, false], "l2")
        try expect([true, false, false], nil)
        #expect(rig.calls == 2)
        try expect([false, false, false], nil)
        #expect(rig.calls == 3)
        let off = try rig.ask(Body.chat)
        #expect(!off.isHit && rig.calls == 4)
        try expect([true, true, true], "l2")
        try expect([true, true, true], "l1")
    }

    @Test("layers: a budget of 0 at the start leaves a layer out, and a later one brings it in")
    func withoutLayers() throws {
        let none = "[cache]\nmemory = 0\ndisk = 0\ndatabase = 0\n"
        let rig = try NumberedRig(none)
        for number in 1...2 { #expect(try rig.text(Body.chat) == "answer \(number)") }
        #expect(!names(in: rig.server.dataFolder).contains { $0.hasPrefix("cache.") })
        #expect(try rig.reload("[cache]\nmemory = 0\ndisk = \"16MiB\"\ndatabase = 0\n"))
        #expect(try rig.text(Body.chat) == "answer 3")
        try rig.server.awaitEntries("l2", 1)
        #expect(try rig.ask(Body.chat).cacheDetail == "l2")
        #expect(try rig.reload("[cache]\nmemory = \"8MiB\"\ndisk = 0\ndatabase = \"16MiB\"\n"))
        #expect(try rig.text(Body.chat) == "answer 4")
        #expect(try rig.ask(Body.chat).cacheDetail == "l1")
    }

    @Test("layers: memory stays within its budget; what it has no room for is on the disk")
    func budget() throws {
        let rig = try Rig("[cache]\nmemory = \"1MiB\"\n", caches: true)
        let (count, size) = (100, 24_000)
        for number in 0..<count {
            let answer = try rig.client.post(chatPath, question("q\(number)"), simulate: "big=\(size)")
            #expect(answer.cacheStatus == "weir; fwd=miss; stored" && answer.body.count == size)
        }
        let huge = try rig.client.post(chatPath, question("huge"), simulate: "big=200000")
        try rig.server.awaitEntries("l2", count + 1)
        for _ in 0..<2 {
            let again = try rig.client.post(chatPath, question("huge"))
            #expect(again.cacheDetail == "l2" && again.body == huge.body, "\(again.cacheStatus)")
        }
        let details = try (0..<count).map { try rig.client.post(chatPath, question("q\($0)")).cacheDetail }
        #expect(Set(details) == ["l1", "l2"])
        #expect(try rig.server.metric("weir_cache_bytes", label: "layer=\"l1\"") <= 1_048_576)
        #expect(try rig.server.entries("l1") < 44)
        #expect(try rig.provider.calls().total == count + 1)
    }
}
