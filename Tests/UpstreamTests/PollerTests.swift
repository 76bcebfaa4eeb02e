import Base
import Glibc
import Testing

@testable import Upstream

struct PollerTests {
    /// Two connected sockets, closed at the end.
    private final class Pair {
        var ends: [Int32] = [-1, -1]

        init() throws {
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        }

        deinit { for end in ends where end >= 0 { close(end) } }

        func write(_ end: Int) { _ = Glibc.write(ends[end], "x", 1) }

        func closeEnd(_ end: Int) {
            close(ends[end])
            ends[end] = -1
        }
    }

    @Test("A socket is reported for what it is watched for")
    func events() throws {
        let pair = try Pair()
        let poller = Poller()
        poller.watch(pair.ends[0], readable: true, writable: false)
        #expect(poller.wait(milliseconds: 0).isEmpty)
        pair.write(1)
        let readable = try #require(poller.wait(milliseconds: 1_000).first)
        #expect(
            readable.descriptor == pair.ends[0] && readable.isReadable && !readable.isWritable && !readable.isBroken)
        poller.watch(pair.ends[0], readable: false, writable: true)
        let writable = try #require(poller.wait(milliseconds: 1_000).first)
        #expect(!writable.isReadable && writable.isWritable)
        poller.watch(pair.ends[0], readable: true, writable: true)
        let both = try #require(poller.wait(milliseconds: 1_000).first)
        #expect(both.isReadable && both.isWritable)
    }

    @Test("A socket nobody wants is silent, and comes back when it is wanted again")
    func unwanted() throws {
        let pair = try Pair()
        let poller = Poller()
        poller.watch(pair.ends[0], readable: true, writable: false)
        poller.watch(pair.ends[0], readable: false, writable: false)
        pair.write(1)
        #expect(poller.wait(milliseconds: 1_000).isEmpty, "it wakes once, and its registration ends")
        #expect(poller.wait(milliseconds: 0).isEmpty)
        poller.watch(pair.ends[0], readable: true, writable: false)
        #expect(poller.wait(milliseconds: 1_000).first?.isReadable == true)
    }

    @Test("The other end's closing is reported")
    func broken() throws {
        let pair = try Pair()
        let poller = Poller()
        poller.watch(pair.ends[0], readable: true, writable: false)
        pair.closeEnd(1)
        let event = try #require(poller.wait(milliseconds: 1_000).first)
        #expect(event.isReadable && event.isBroken)
    }

    @Test("A descriptor that is closed and opened again is watched anew")
    func reused() throws {
        let first = try Pair()
        let number = first.ends[0]
        let poller = Poller()
        poller.watch(number, readable: true, writable: false)
        let second = try Pair()
        // `number` now means the other socket, and the poller was not told.
        try #require(dup2(second.ends[0], number) == number)
        poller.watch(number, readable: true, writable: true)
        #expect(poller.wait(milliseconds: 1_000).first?.isWritable == true)
        poller.forget(number)
        poller.forget(9_999)
    }

    @Test("More than 64 ready sockets are all reported, a batch at a time")
    func many() throws {
        let pairs = try (0..<100).map { _ in try Pair() }
        let poller = Poller()
        for pair in pairs {
            poller.watch(pair.ends[0], readable: true, writable: false)
            pair.write(1)
        }
        var seen: Set<Int32> = []
        for _ in 0..<10 {
            for event in poller.wait(milliseconds: 0) {
                seen.insert(event.descriptor)
                var byte: UInt8 = 0
                _ = read(event.descriptor, &byte, 1)
            }
        }
        #expect(seen == Set(pairs.map { $0.ends[0] }))
    }

    @Test("A wake-up wakes a waiting thread, however often it is signalled, and is quiet once cleared")
    func wakeUp() throws {
        let wakeUp = WakeUp()
        let poller = Poller()
        poller.watch(wakeUp.descriptor, readable: true, writable: false)
        let thread = OSThread.start("test-waker") {
            wakeUp.signal()
            wakeUp.signal()
        }
        #expect(poller.wait(milliseconds: 10_000).first?.descriptor == wakeUp.descriptor)
        thread.join()
        wakeUp.clear()
        #expect(poller.wait(milliseconds: 0).isEmpty)
        wakeUp.clear()
        #expect(poller.wait(milliseconds: 0).isEmpty, "clearing twice does not block")
        close(wakeUp.descriptor)
    }
}
