/// A few system threads for short blocking work (SQLite reads, small files), so that it never sits on an event loop
/// or on Swift's cooperative pool. Work is bounded: what does not fit is refused.
package final class WorkerPool: Sendable {
    private let jobs: Mailbox<@Sendable () -> Void>

    /// - Parameters:
    ///   - threads: each named `name-N`; 1 to 8.
    ///   - waitingMax: jobs that may wait.
    package init(name: String, threads: Int, waitingMax: Int) {
        precondition((1...8).contains(threads))
        let jobs = Mailbox<@Sendable () -> Void>(capacity: waitingMax)
        self.jobs = jobs
        for number in 1...threads {
            _ = OSThread.start("\(name)-\(number)") {
                // One at a time: a job that blocks must not hold up what another thread could do.
                while let next = jobs.take(waiting: .seconds(3_600), atMost: 1) {
                    for job in next { job() }
                }
            }
        }
    }

    /// False when too much work waits already: answer "try again".
    package func submit(_ job: @escaping @Sendable () -> Void) -> Bool { jobs.offer(job) }

    /// No further work; threads end when what waits is done.
    package func close() { jobs.close() }
}
