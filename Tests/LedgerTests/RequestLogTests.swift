import Base
import Glibc
import SQLite
import Testing

@testable import Ledger

struct RequestLogTests {
    static func record(
        _ id: String, at microseconds: Int64 = 1_800_000_000_000_000, tenant: String = "acme", model: String = "gpt-4o",
        status: Int = 200
    ) -> RequestRecord {
        RequestRecord(
            id: id, time: UnixTime(microseconds: microseconds), tenant: tenant, route: "/v1/chat/completions",
            modelRequested: model, status: status, usage: TokenUsage(input: 10, output: 5), costNanodollars: 75)
    }

    @Test("A record comes back from the file as it was, full or bare, also after a restart")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let full = RequestRecord(
            id: "req_1", time: UnixTime(microseconds: 1_800_000_000_000_001), tenant: "acme", keyID: "key_1",
            route: "/v1/messages", modelRequested: "sonnet", modelAnswered: "claude-sonnet-5-5", provider: "anthropic",
            status: 529, isStream: true,
            usage: TokenUsage(input: 9, output: 8, cachedInput: 7, cacheWrite5m: 6, cacheWrite1h: 5, reasoning: 4),
            costNanodollars: 123_456_789_012, durationMicroseconds: 3, firstByteMicroseconds: 2,
            overheadMicroseconds: 1, waitMicroseconds: 4, bytesIn: 5, bytesOut: 6, errorCode: "overloaded",
            sends: 2, isUsageEstimated: true, cacheResult: .refresh, cacheDetail: "no_store",
            savedNanodollars: 7, promptCachedNanodollars: 8)
        let bare = RequestRecord(
            id: "req_2", time: UnixTime(microseconds: 1_800_000_000_000_002), tenant: "anonymous",
            route: "/health/live", status: 200)
        let log = try RequestLog(folder: folder.path)
        #expect(log.movedAside == nil)
        log.record(full)
        log.record(bare)
        try log.flush()
        #expect(try log.query(RequestQuery()).map(\.record) == [bare, full])
        log.close()
        let again = try RequestLog(folder: folder.path)
        #expect(try again.query(RequestQuery()).map(\.record) == [bare, full])
        again.close()
    }

    @Test("Queries filter, page backwards and stay within their limit")
    func queries() throws {
        let folder = try TemporaryFolder()
        let log = try RequestLog(folder: folder.path)
        let start: Int64 = 1_800_000_000_000_000
        for index in 0..<10 {
            log.record(
                Self.record(
                    "r\(index)", at: start + Int64(index), tenant: index % 2 == 0 ? "even" : "odd",
                    model: index < 5 ? "a" : "b", status: index == 7 ? 500 : 200))
        }
        try log.flush()
        func ids(_ query: RequestQuery) throws -> String {
            try log.query(query).map(\.record.id).joined(separator: " ")
        }
        #expect(try ids(RequestQuery(tenant: "even")) == "r8 r6 r4 r2 r0")
        #expect(try ids(RequestQuery(model: "a", limit: 2)) == "r4 r3")
        #expect(try ids(RequestQuery(status: 500)) == "r7")
        #expect(try ids(RequestQuery(since: UnixTime(microseconds: start + 8))) == "r9 r8")
        #expect(try ids(RequestQuery(tenant: "odd", model: "b", status: 200)) == "r9 r5")
        #expect(try ids(RequestQuery(tenant: "'; DROP TABLE requests; --")) == "")
        var pages: [String] = [], before: Int64?
        repeat {
            let page = try log.query(RequestQuery(before: before, limit: 4))
            pages.append(page.map(\.record.id).joined(separator: " "))
            before = page.last?.rowID
        } while before != nil
        #expect(pages == ["r9 r8 r7 r6", "r5 r4 r3 r2", "r1 r0", ""])
        #expect(RequestQuery(limit: 1_000_000).limit == Limits.requestLogPageMax && RequestQuery(limit: -1).limit == 1)
        log.close()
    }

    @Test("The summary adds up by model, of all or of one tenant")
    func summary() throws {
        let folder = try TemporaryFolder()
        let log = try RequestLog(folder: folder.path)
        for index in 0..<3 { log.record(Self.record("a\(index)", tenant: index == 0 ? "x" : "y", model: "a")) }
        var unpriced = Self.record("b", at: 1_800_000_000_000_009, model: "b")
        unpriced.costNanodollars = nil
        log.record(unpriced)
        try log.flush()
        let all = try log.summary(since: UnixTime(microseconds: 0))
        #expect(all.map(\.model) == ["a", "b"])
        #expect(all.first?.requests == 3 && all.first?.costNanodollars == 225 && all.first?.usage.input == 30)
        #expect(all.last?.unpriced == 1 && all.last?.costNanodollars == 0)
        #expect(try log.summary(since: UnixTime(microseconds: 0), tenant: "y").first?.requests == 2)
        #expect(try log.summary(since: UnixTime(microseconds: 1_800_000_000_000_009)).map(\.model) == ["b"])
        log.close()
    }

    @Test("Rows keep their order when the clock stands still or jumps back, and pruning goes by time")
    func clockAndRetention() throws {
        let folder = try TemporaryFolder()
        let log = try RequestLog(folder: folder.path)
        for (index, time) in [100, 100, 90, 200, 300].enumerated() {
            log.record(Self.record("r\(index)", at: Int64(time)))
        }
        try log.flush()
        #expect(try log.query(RequestQuery()).map(\.rowID) == [300, 200, 102, 101, 100])
        #expect(try log.query(RequestQuery(since: UnixTime(microseconds: 100))).count == 4)
        #expect(try log.prune(olderThan: UnixTime(microseconds: 200)) == 3)
        #expect(try log.query(RequestQuery()).map(\.record.id) == ["r4", "r3"])
        #expect(try log.prune(olderThan: UnixTime(microseconds: 200)) == 0)
        log.close()
    }

    @Test("Pruning takes more than one slice")
    func pruneSlices() throws {
        let folder = try TemporaryFolder()
        let log = try RequestLog(folder: folder.path)
        for index in 0..<20_000 { log.record(Self.record("r", at: Int64(index + 1))) }
        try log.flush()
        #expect(try log.prune(olderThan: UnixTime(microseconds: 20_000)) == 19_999)
        #expect(log.droppedCount == 0)
        log.close()
    }

    @Test("What does not fit is dropped and counted, exactly")
    func drops() throws {
        let folder = try TemporaryFolder()
        let log = try RequestLog(folder: folder.path, mailboxRows: 4, delay: .milliseconds(100))
        // Four rows wake the writer, so offer in bursts until a burst was too fast for it.
        var offered = 0
        while log.droppedCount == 0 && offered < 1_000_000 {
            for _ in 0..<100 { log.record(Self.record("r")) }
            offered += 100
        }
        try log.flush()
        var stored = 0, before: Int64?
        repeat {
            let page = try log.query(RequestQuery(before: before, limit: 1_000))
            stored += page.count
            before = page.last?.rowID
        } while before != nil
        #expect(log.droppedCount > 0)
        #expect(stored + log.droppedCount == offered)
        log.close()
        let dropped = log.droppedCount
        log.record(Self.record("late"))
        #expect(log.droppedCount == dropped + 1, "after the close too")
        #expect(throws: DatabaseFailure.self) { try log.flush() }
    }

    @Test("A damaged requests.db is moved aside whole, reported and begun anew")
    func movedAside() throws {
        let folder = try TemporaryFolder()
        let log = try RequestLog(folder: folder.path)
        log.record(Self.record("old"))
        log.close()
        var bytes = try #require(try folder.contents()["requests.db"])
        bytes[0] ^= 1
        try folder.write(bytes, to: "requests.db")
        let next = try RequestLog(folder: folder.path)
        let aside = try #require(next.movedAside)
        #expect(aside.hasPrefix(folder.file("requests.db.bad-")))
        #expect(next.movedAsideCount == 1)
        next.record(Self.record("new"))
        try next.flush()
        #expect(try next.query(RequestQuery()).map(\.record.id) == ["new"])
        next.close()
        #expect(try folder.contents()[baseName(aside)] == bytes)
    }

    @Test("A file that fails while in use is replaced, and the rows go into the new one")
    func replacedInUse() throws {
        let folder = try TemporaryFolder()
        let store = try RequestStore(path: folder.file("requests.db"))
        try store.insert([Self.record("before")])
        let damage = SQLiteFailure(extended: 11, detail: "damaged, says the test", path: store.path)
        #expect(throws: SQLiteFailure.self) { try store.read { _ in throw damage } }
        #expect(store.movedAsideCount == 1)
        try store.insert([Self.record("after")])
        #expect(try store.read { try RequestTable.select(RequestQuery(), $0) }.map(\.record.id) == ["after"])
        #expect(try folder.contents().keys.contains { $0.hasPrefix("requests.db.bad-") })
        store.close()
    }

    @Test("A write that fails keeps its rows for the next try, and a flush says why")
    func retry() throws {
        let folder = try TemporaryFolder()
        let store = try RequestStore(path: folder.file("requests.db"))
        var writer = RequestWriter(store: store)
        let blocker = try Connection(
            path: store.path,
            options: .init(access: .readWrite, journal: .wal, durability: .normal, busyTimeout: .zero))
        let start = MonotonicInstant(nanoseconds: 1_000_000_000)
        try blocker.execute("BEGIN IMMEDIATE")
        let failed = Handover<Void>()
        writer.accept([.row(Self.record("kept")), .flush(failed)], now: start)
        let failure = #expect(throws: SQLiteFailure.self) { try failed.take() }
        #expect(failure?.code == "database_busy" && store.writeFailureCount == 1)
        try blocker.execute("ROLLBACK")
        writer.accept([], now: start.advanced(by: .milliseconds(999)))
        #expect(try store.read { try RequestTable.select(RequestQuery(), $0) }.isEmpty, "not yet")
        writer.accept([], now: start.advanced(by: .seconds(1)))
        #expect(try store.read { try RequestTable.select(RequestQuery(), $0) }.map(\.record.id) == ["kept"])
        #expect(store.droppedCount == 0)
        store.close()
    }

    @Test("After a kill every flushed row is there")
    func kill() async throws {
        let folder = try TemporaryFolder()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder.path as String] in
            let log = try RequestLog(folder: path)
            for index in 0..<100 { log.record(RequestLogTests.record("r\(index)")) }
            try log.flush()
            Glibc.kill(getpid(), SIGKILL)
        }
        let log = try RequestLog(folder: folder.path)
        #expect(log.movedAside == nil)
        #expect(try log.query(RequestQuery(limit: 1_000)).count == 100)
        log.close()
    }

    @Test("A name of any length becomes a small row")
    func longNames() throws {
        let folder = try TemporaryFolder()
        let log = try RequestLog(folder: folder.path)
        log.record(Self.record("long", model: String(repeating: "é", count: 100_000)))
        try log.flush()
        let stored = try log.query(RequestQuery()).first?.record.modelRequested
        #expect(stored?.utf8.count == 256)
        log.close()
    }
}
