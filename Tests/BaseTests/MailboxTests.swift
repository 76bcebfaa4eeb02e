import Base
import Glibc
import Synchronization
import Testing

struct MailboxTests {
    @Test("What is offered comes out in order, all at once")
    func order() {
        let mailbox = Mailbox<Int>(capacity: 10)
        for number in 0..<5 { #expect(mailbox.offer(number)) }
        #expect(mailbox.count == 5)
        #expect(mailbox.take(waiting: .seconds(60)) == [0, 1, 2, 3, 4])
        #expect(mailbox.count == 0)
        #expect(mailbox.take(waiting: .zero) == [], "nothing is there, and nobody waits")
    }

    @Test("A full mailbox refuses, and takes again once it is emptied")
    func bounded() {
        let mailbox = Mailbox<Int>(capacity: 3)
        #expect((0..<5).map { mailbox.offer($0) } == [true, true, true, false, false])
        #expect(mailbox.take(waiting: .zero) == [0, 1, 2])
        #expect(mailbox.offer(9))
        #expect(mailbox.take(waiting: .zero) == [9])
    }

    @Test("Closed, it refuses, hands out what is left, and then says so")
    func close() {
        let mailbox = Mailbox<Int>(capacity: 3, wakeAt: 3)
        #expect(mailbox.offer(1))
        mailbox.close()
        #expect(!mailbox.offer(2))
        #expect(mailbox.take(waiting: .seconds(60)) == [1])
        #expect(mailbox.take(waiting: .seconds(60)) == nil)
        #expect(mailbox.take(waiting: .seconds(60)) == nil)
    }

    @Test("A receiver that sleeps is woken by an offer, by wake and by close")
    func wakes() throws {
        let mailbox = Mailbox<Int>(capacity: 10)
        let taken = Mailbox<[Int]?>(capacity: 10)
        let receiver = OSThread.start("test-receiver") {
            while true {
                let batch = mailbox.take(waiting: .seconds(3_600))
                _ = taken.offer(batch)
                if batch == nil { return }
            }
        }
        #expect(mailbox.offer(1))
        #expect(taken.take(waiting: .seconds(60))?.first == .some([1]))
        while taken.count == 0 {
            mailbox.wake()
            sched_yield()
        }
        let woken = try #require(taken.take(waiting: .seconds(60))?.first)
        #expect(woken?.isEmpty == true)
        mailbox.close()
        receiver.join()
        let last = try #require(taken.take(waiting: .zero)?.last)
        #expect(last == nil)
    }

    @Test("With wakeAt 3 a sleeping receiver gets three at once")
    func wakeAt() {
        let mailbox = Mailbox<Int>(capacity: 10, wakeAt: 3)
        let batches = Mutex<[[Int]]>([])
        let receiver = OSThread.start("test-receiver") {
            while let batch = mailbox.take(waiting: .seconds(3_600)) { batches.withLock { $0.append(batch) } }
        }
        for number in 0..<3 { #expect(mailbox.offer(number)) }
        while batches.withLock({ $0.isEmpty }) { sched_yield() }
        mailbox.close()
        receiver.join()
        #expect(batches.withLock { $0 } == [[0, 1, 2]])
    }

    @Test("From four threads nothing is lost, doubled or out of its thread's order")
    func manySenders() {
        struct Item { var sender: Int, number: Int }
        let mailbox = Mailbox<Item>(capacity: 64)
        let perSender = 5_000
        let senders = (0..<4).map { sender in
            OSThread.start("test-sender") {
                for number in 0..<perSender {
                    while !mailbox.offer(Item(sender: sender, number: number)) { sched_yield() }
                }
            }
        }
        var next = [0, 0, 0, 0]
        while next.reduce(0, +) < 4 * perSender {
            let batch = mailbox.take(waiting: .seconds(60)) ?? []
            #expect(batch.count <= 64)
            for item in batch {
                #expect(item.number == next[item.sender])
                next[item.sender] += 1
            }
        }
        for sender in senders { sender.join() }
        #expect(next == [perSender, perSender, perSender, perSender])
        #expect(mailbox.count == 0)
    }
}
