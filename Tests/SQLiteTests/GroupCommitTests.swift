import Base
import Glibc
import Synchronization
import Testing

@testable import SQLite

struct GroupCommitTests {
    private struct Refused: Error {}

    @Test("Jobs that wait together share one commit, and a failing one takes no other down")
    func isolation() throws {
        let folder = try TemporaryFolder()
        let database = try Schema.open(folder.file("a.db"))
        let commitsBefore = database.commitCount
        let started = Gate(), hold = Gate(), results = Mutex<[String]>([]), done = Gate()
        // The first job keeps the writer busy until the others wait.
        let isHeld = database.offer { _ in
            started.signal()
            _ = hold.wait()
        }
        #expect(isHeld && started.wait())
        for index in 0..<5 {
            let isTaken = database.submit(
                { connection in
                    try Schema.add("item \(index)", connection)
                    if index == 2 { throw Refused() }
                    if index == 3 { try connection.run("INSERT INTO items(name) VALUES (NULL)") }
                },
                completion: { (result: Result<Void, any Error>) in
                    let word =
                        switch result {
                        case .success: "kept"
                        case .failure(is Refused): "refused"
                        case .failure(let error): (error as? SQLiteFailure)?.code ?? "?"
                        }
                    results.withLock { $0.append("\(index) \(word)") }
                    done.signal()
                })
            #expect(isTaken)
        }
        hold.signal()
        for _ in 0..<5 { #expect(done.wait()) }
        let expected = ["0 kept", "1 kept", "2 refused", "3 database_constraint", "4 kept"]
        #expect(results.withLock { $0 } == expected)
        #expect(try Schema.names(database) == ["item 0", "item 1", "item 4"])
        #expect(database.commitCount - commitsBefore == 2)
        database.close()
    }

    @Test("A job that ends the transaction by itself fails its whole batch and nothing of it stays")
    func lostTransaction() throws {
        let folder = try TemporaryFolder()
        let database = try Schema.open(folder.file("a.db"))
        #expect(throws: SQLiteFailure.self) {
            try database.write { connection in
                try Schema.add("lost", connection)
                try connection.run("ROLLBACK")
            }
        }
        try database.write { try Schema.add("next", $0) }
        #expect(try Schema.names(database) == ["next"])
        database.close()
    }

    @Test("A full mailbox refuses, and says so to who wants to wait")
    func fullMailbox() throws {
        let folder = try TemporaryFolder()
        let database = try Schema.open(folder.file("a.db"))
        let started = Gate(), hold = Gate()
        let isHeld = database.offer { _ in
            started.signal()
            _ = hold.wait()
        }
        #expect(isHeld)
        #expect(started.wait())
        var taken = 0
        while taken <= Database.waitingWritesMax,
            database.offer({ try Schema.add("x", $0) })
        { taken += 1 }
        #expect(taken == Database.waitingWritesMax)
        let failure = #expect(throws: DatabaseFailure.self) { try database.write { try Schema.add("y", $0) } }
        #expect(failure?.code == "database_writer_behind" && failure?.exitCode == .tryAgain)
        hold.signal()
        database.close()
        #expect(throws: DatabaseFailure.closed(path: database.path)) { try database.write { _ in } }
        #expect(throws: DatabaseFailure.closed(path: database.path)) { try database.read { _ in } }
    }

    @Test("Many threads' writes are all there, in fewer commits than writes")
    func manyWriters() throws {
        let folder = try TemporaryFolder()
        let database = try Schema.open(folder.file("a.db"))
        let threads = (0..<16).map { thread in
            OSThread.start("test-\(thread)") {
                for index in 0..<25 {
                    do { try database.write { try Schema.add("\(thread).\(index)", $0) } } catch {
                        Issue.record(error)
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(try Set(Schema.names(database)).count == 400)
        #expect(database.writeCount == 400)
        #expect(database.commitCount < 400)
        database.close()
    }
}
