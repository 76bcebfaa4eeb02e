import Base
import SQLite
import Testing

@testable import Ledger

struct ResourceOwnersTests {
    @Test("An owner is found at once, from memory and from the file after a restart")
    func found() throws {
        let folder = try TemporaryFolder()
        let database = try MainDatabase.open(folder: folder.path)
        let owners = ResourceOwners(database: database)
        #expect(owners.remember(id: "resp_1", tenant: "acme", provider: "openai", kind: "response"))
        #expect(owners.rememberedOwner(of: "resp_1")?.tenant == "acme")
        #expect(try owners.owner(of: "resp_1")?.kind == "response")
        #expect(try owners.owner(of: "resp_2") == nil)
        database.close()
        let again = try MainDatabase.open(folder: folder.path)
        let reopened = ResourceOwners(database: again)
        #expect(reopened.rememberedOwner(of: "resp_1") == nil)
        #expect(try reopened.owner(of: "resp_1")?.provider == "openai")
        #expect(reopened.rememberedOwner(of: "resp_1")?.tenant == "acme", "and is now in memory")
        again.close()
    }

    @Test("Lists are by tenant and kind, newest first, and know what was just changed")
    func lists() throws {
        let folder = try TemporaryFolder()
        let database = try MainDatabase.open(folder: folder.path)
        let owners = ResourceOwners(database: database)
        for id in ["f1", "f2"] { owners.remember(id: id, tenant: "acme", provider: "openai", kind: "file") }
        owners.remember(id: "b1", tenant: "acme", provider: "openai", kind: "batch")
        owners.remember(id: "f3", tenant: "other", provider: "openai", kind: "file")
        #expect(try owners.ids(tenant: "acme", kind: "file").sorted() == ["f1", "f2"])
        #expect(owners.forget(id: "f1"))
        #expect(try owners.owner(of: "f1") == nil)
        #expect(try owners.ids(tenant: "acme", kind: "file") == ["f2"])
        #expect(try owners.ids(tenant: "nobody", kind: "file") == [])
        #expect(try owners.prune(kind: "file", olderThan: UnixTime(microseconds: .max)) == 2)
        #expect(try owners.owner(of: "f2") == nil)
        #expect(try owners.owner(of: "b1")?.tenant == "acme")
        database.close()
    }

    @Test("Another tenant cannot take an id over, whether memory or only the file knows it")
    func noTakeover() throws {
        let folder = try TemporaryFolder()
        let database = try MainDatabase.open(folder: folder.path)
        let owners = ResourceOwners(database: database)
        owners.remember(id: "f1", tenant: "acme", provider: "openai", kind: "file")
        owners.remember(id: "f1", tenant: "thief", provider: "openai", kind: "file")
        #expect(try owners.owner(of: "f1")?.tenant == "acme")
        #expect(try owners.ids(tenant: "thief", kind: "file") == [])
        let fresh = ResourceOwners(database: database)
        fresh.remember(id: "f1", tenant: "thief", provider: "openai", kind: "file")
        #expect(try fresh.ids(tenant: "thief", kind: "file") == [])
        #expect(try fresh.owner(of: "f1")?.tenant == "acme")
        database.close()
    }

    @Test("An absurd id is not kept")
    func absurd() throws {
        let folder = try TemporaryFolder()
        let database = try MainDatabase.open(folder: folder.path)
        let owners = ResourceOwners(database: database)
        let long = String(repeating: "x", count: 513)
        #expect(!owners.remember(id: long, tenant: "a", provider: "p", kind: "file"))
        #expect(!owners.remember(id: "", tenant: "a", provider: "p", kind: "file"))
        #expect(try owners.owner(of: long) == nil)
        database.close()
        #expect(!owners.remember(id: "late", tenant: "a", provider: "p", kind: "file"))
        #expect(owners.lostCount == 1)
        #expect(owners.rememberedOwner(of: "late")?.tenant == "a", "memory still serves it")
    }

    @Test("Memory stays bounded, keeps what is not in the file yet, and agrees with a plain dictionary")
    func memory() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        var memory = OwnerMemory(capacity: 64)
        var pending: [(id: String, change: UInt64, owner: ResourceOwner?)] = [], truth: [String: ResourceOwner?] = [:]
        for step in 0..<20_000 {
            let id = "id\(Int.random(in: 0..<500, using: &random))"
            let owner = ResourceOwner(
                tenant: "t", provider: "p", kind: "k", created: UnixTime(microseconds: Int64(step)))
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                pending.append((id, memory.forget(id), nil))
                truth[id] = .some(nil)
            case 1...5:
                if let change = memory.remember(id, owner) {
                    pending.append((id, change, owner))
                    truth[id] = owner
                }
            default:
                if !pending.isEmpty {
                    let next = pending.removeFirst()
                    memory.settle(next.id, next.change, next.owner)
                }
            }
            while pending.count > 16 {
                let next = pending.removeFirst()
                memory.settle(next.id, next.change, next.owner)
            }
            for next in pending { #expect(memory.look(next.id)?.owner == truth[next.id] ?? nil, "seed \(seed)") }
            #expect(memory.count <= 64 + 17, "seed \(seed)")
        }
    }
}
