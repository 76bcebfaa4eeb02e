import Base
import Glibc
import Synchronization
import Testing

struct WorkerPoolTests {
    /// A gate that one thread opens for another.
    private final class Gate: Sendable {
        private let mailbox = Mailbox<Void>(capacity: 1)
        func open() { mailbox.close() }
        /// False when nobody opened it in time.
        @discardableResult
        func wait() -> Bool { mailbox.take(waiting: .seconds(20)) == nil }
    }

    @Test("Every job runs once")
    func runs() {
        let pool = WorkerPool(name: "test-pool", threads: 2, waitingMax: 1_000)
        let count = Mutex(0)
        let done = Gate()
        for _ in 0..<500 {
            let accepted = pool.submit {
                let last = count.withLock { count in
                    count += 1
                    return count == 500
                }
                if last { done.open() }
            }
            #expect(accepted)
        }
        #expect(done.wait())
        #expect(count.withLock { $0 } == 500)
        pool.close()
        let isOpen = pool.submit {}
        #expect(!isOpen)
    }

    @Test("What does not fit is refused")
    func bounded() {
        let pool = WorkerPool(name: "test-pool", threads: 1, waitingMax: 2)
        let (started, go) = (Gate(), Gate())
        let first = pool.submit {
            started.open()
            go.wait()
        }
        started.wait()
        #expect([first, pool.submit {}, pool.submit {}, pool.submit {}] == [true, true, true, false])
        go.open()
        pool.close()
    }

    @Test("A job that blocks holds up nobody while another thread has nothing to do")
    func threadsShareTheWork() {
        for _ in 0..<50 {
            let pool = WorkerPool(name: "test-pool", threads: 2, waitingMax: 10)
            let (second, done) = (Gate(), Gate())
            let accepted = [
                pool.submit {
                    second.wait()
                    done.open()
                },
                pool.submit { second.open() },
            ]
            #expect(accepted == [true, true])
            #expect(done.wait())
            pool.close()
        }
    }

    @Test("After close what waits is done and every thread ends")
    func close() throws {
        let pool = WorkerPool(name: "test-ending", threads: 3, waitingMax: 10)
        let done = Mutex(0)
        for _ in 0..<10 {
            let accepted = pool.submit { done.withLock { $0 += 1 } }
            #expect(accepted)
        }
        pool.close()
        let deadline = MonotonicInstant.now().advanced(by: .seconds(10))
        while try done.withLock({ $0 }) < 10 || threads(named: "test-ending") > 0, MonotonicInstant.now() < deadline {
            sched_yield()
        }
        #expect(try threads(named: "test-ending") == 0)
        #expect(done.withLock { $0 } == 10)
    }

    private func threads(named prefix: String) throws -> Int {
        let folder = try #require(opendir("/proc/self/task"))
        defer { closedir(folder) }
        var count = 0
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            // A thread may end between the two lines.
            let title = (try? SmallFile.text("/proc/self/task/\(name)/comm")) ?? ""
            if title.hasPrefix(prefix) { count += 1 }
        }
        return count
    }
}
