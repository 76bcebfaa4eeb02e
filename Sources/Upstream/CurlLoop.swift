import Base
internal import CCurl
import NIOCore
import Telemetry

/// The upstream thread: drives all transfers with `curl_multi_socket_action` over an epoll set. Everything here
/// happens on that one thread; event loops reach it through the inbox and are reached by one `execute` a loop a turn.
final class CurlLoop {
    private static let sweepInterval = Duration.milliseconds(100)

    let share: UnsafeMutableRawPointer
    let poller = Poller()
    /// The time this turn began: precise enough for deadlines, and read from the clock once.
    private(set) var now = MonotonicInstant.now()

    private let multi: UnsafeMutableRawPointer
    private let inbox: CommandInbox
    private let metrics: MetricRegistry
    private var pools: [ObjectIdentifier: ProviderPool] = [:]
    private var running: [ObjectIdentifier: ActiveTransfer] = [:]
    var deliveries: [LoopDelivery] = []
    var unflushed: [ActiveTransfer] = []
    /// When curl wants to be called without an event.
    private var curlDeadline: MonotonicInstant?
    private var lastSweep = MonotonicInstant.now()
    private var isShuttingDown = false

    init(inbox: CommandInbox, metrics: MetricRegistry) {
        self.inbox = inbox
        self.metrics = metrics
        guard let multi = curl_multi_init(), let share = curl_share_init() else {
            preconditionFailure("libcurl has no memory to start")
        }
        self.multi = multi
        self.share = share
        _ = weir_curl_share_lock(share, CURL_LOCK_DATA_SSL_SESSION)
        _ = weir_curl_share_lock(share, CURL_LOCK_DATA_DNS)
        let user = Unmanaged.passUnretained(self).toOpaque()
        _ = weir_curl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, user)
        _ = weir_curl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, user)
        _ = weir_curl_multi_set_socket_callback(multi) { _, descriptor, what, user, _ in
            let loop = Unmanaged<CurlLoop>.fromOpaque(user!).takeUnretainedValue()
            loop.poller.watch(
                descriptor, readable: what == CURL_POLL_IN || what == CURL_POLL_INOUT,
                writable: what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
            return 0
        }
        _ = weir_curl_multi_set_timer_callback(multi) { _, milliseconds, user in
            let loop = Unmanaged<CurlLoop>.fromOpaque(user!).takeUnretainedValue()
            loop.curlDeadline = milliseconds < 0 ? nil : loop.now.advanced(by: .milliseconds(milliseconds))
            return 0
        }
        poller.watch(inbox.descriptor, readable: true, writable: false)
    }

    func run() {
        while !isShuttingDown {
            let events = poller.wait(milliseconds: inbox.prepareToSleep() ? sleepMilliseconds() : 0)
            now = .now()
            for event in events {
                handle(event)
                // At once: what one transfer got stays together and leaves for its client in one piece.
                finishEndedTransfers()
            }
            for command in inbox.takeAll() { apply(command) }
            runCurlTimer()
            finishEndedTransfers()
            sweepDeadlines()
            deliver()
        }
        // Each end lets the next one of the line in, which ends here too.
        while let active = running.values.first { finish(active, failure: .shuttingDown) }
        deliver()
        pools.removeAll()
        curl_multi_cleanup(multi)
        curl_share_cleanup(share)
    }

    private func sleepMilliseconds() -> Int32 {
        var wake = curlDeadline ?? .distantFuture
        if !running.isEmpty || pools.values.contains(where: { $0.line.waiting > 0 }) {
            wake = min(wake, lastSweep.advanced(by: Self.sweepInterval))
        }
        guard wake != .distantFuture else { return -1 }
        let nanoseconds = wake.nanoseconds(since: .now())
        return Int32(clamping: (nanoseconds + 999_999) / 1_000_000)
    }

    private func handle(_ event: Poller.Event) {
        if event.descriptor == inbox.descriptor {
            inbox.clearWakeUp()
            return
        }
        let mask =
            (event.isReadable ? CURL_CSELECT_IN : 0) | (event.isWritable ? CURL_CSELECT_OUT : 0)
            | (event.isBroken ? CURL_CSELECT_ERR : 0)
        act(on: event.descriptor, mask)
    }

    private func act(on descriptor: Int32, _ mask: Int32) {
        var count: Int32 = 0
        let result = curl_multi_socket_action(multi, descriptor, mask, &count)
        precondition(result == CURLM_OK || result == CURLM_BAD_SOCKET, "libcurl's multi handle is broken")
    }

    /// Calls curl while its timer is due; a new transfer makes it due at once. Few calls a turn: a fast HTTP/2 stream
    /// gives over 1 MiB in each, and its client must get some of it before it is judged by what it has not taken.
    private func runCurlTimer() {
        for _ in 0..<4 {
            guard let deadline = curlDeadline, deadline <= now else { return }
            curlDeadline = nil
            act(on: CURL_SOCKET_TIMEOUT, 0)
        }
    }

    private func apply(_ command: UpstreamPool.Command) {
        switch command {
        case .start(let transfer): admit(transfer)
        case .cancel(let transfer): cancel(transfer)
        case .resume(let transfer): transfer.active?.resumeReceiving()
        case .feed(let transfer, let piece): feed(transfer, piece)
        case .shutDown: isShuttingDown = true
        }
    }

    // MARK: Starting and ending

    private func pool(for endpoint: Endpoint) -> ProviderPool {
        if let pool = pools[ObjectIdentifier(endpoint)] { return pool }
        pools = pools.filter { !$0.value.isUnused || $0.value.endpoint.name != endpoint.name }
        let pool = ProviderPool(endpoint, numbers: PoolNumbers(provider: endpoint.name, in: metrics))
        pools[ObjectIdentifier(endpoint)] = pool
        _ = weir_curl_multi_set_long(
            multi, CURLMOPT_MAXCONNECTS, pools.values.reduce(0) { $0 + $1.endpoint.connectionsMax })
        return pool
    }

    private func admit(_ transfer: Transfer) {
        let pool = pool(for: transfer.endpoint)
        switch pool.line.admit(transfer, until: now.advanced(by: transfer.endpoint.waitingTimeout)) {
        case .start: launch(transfer, in: pool)
        case .wait: break
        case .refuse: refuse(transfer, .waitingLineFull, in: pool)
        }
        pool.publish()
    }

    private func launch(_ transfer: Transfer, in pool: ProviderPool) {
        guard let seat = pool.takeSeat(self) else {
            refuse(transfer, .internalError, in: pool)
            startNext(in: pool)
            return
        }
        let active = ActiveTransfer(transfer, seat: seat, owner: self, now: now)
        transfer.active = active
        seat.active = active
        prepareEasyHandle(seat.easy, for: active)
        pool.numbers.wait.record(nanoseconds: UInt64(max(0, active.report.waited.wholeNanoseconds)))
        running[ObjectIdentifier(active)] = active
        let result = curl_multi_add_handle(multi, seat.easy)
        precondition(result == CURLM_OK, "libcurl does not take a transfer")
    }

    private func refuse(_ transfer: Transfer, _ reason: UpstreamFailure.Reason, in pool: ProviderPool) {
        pool.numbers.refusals.add()
        curl_slist_free_all(transfer.headerLines)
        transfer.headerLines = nil
        var report = TransferReport()
        report.waited = now.duration(since: transfer.submitted)
        emit(.failed(UpstreamFailure(reason, provider: transfer.endpoint.name), report), to: transfer)
    }

    private func cancel(_ transfer: Transfer) {
        if let active = transfer.active {
            end(active)
            return
        }
        let pool = pool(for: transfer.endpoint)
        guard pool.line.remove(where: { $0 === transfer }) else { return }
        waitingPieces[ObjectIdentifier(transfer)] = nil
        curl_slist_free_all(transfer.headerLines)
        transfer.headerLines = nil
        pool.publish()
    }

    private func feed(_ transfer: Transfer, _ piece: ByteBuffer?) {
        guard let active = transfer.active else {
            // Still in line, or over. One in line keeps its pieces in order by coming back after the launch.
            if transfer.headerLines != nil { waitingPieces[ObjectIdentifier(transfer), default: []].append(piece) }
            return
        }
        active.body.append(piece)
        if active.sendingIsPaused {
            active.sendingIsPaused = false
            active.applyPauses()
        }
    }

    private func finishEndedTransfers() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let result = weir_curl_message_result(message)
            var user: UnsafeMutableRawPointer?
            _ = weir_curl_get_pointer(easy, CURLINFO_PRIVATE, &user)
            let active = TransferSeat.of(user)
            finish(active, failure: failureReason(result, of: active), detail: failureDetail(result))
        }
    }

    private func finish(_ active: ActiveTransfer, failure: UpstreamFailure.Reason?, detail: String? = nil) {
        active.flushBody()
        var report = active.report
        var opened = 0
        _ = weir_curl_get_long(active.easy, CURLINFO_NUM_CONNECTS, &opened)
        report.openedConnection = opened > 0
        report.took = now.duration(since: active.started)
        let transfer = active.transfer
        let numbers = pool(for: transfer.endpoint).numbers
        numbers.opened.add(opened)
        if report.sends > 0 && opened == 0 { numbers.reused.add() }
        if report.sends > 1 { numbers.resends.add(report.sends - 1) }
        if failure == nil { expectSilence(after: active) }
        end(active)
        if let failure {
            let error = UpstreamFailure(failure, provider: transfer.endpoint.name, detail: detail)
            emit(.failed(error, report), to: transfer)
        } else {
            emit(.end(report), to: transfer)
        }
    }

    /// HTTP/1 has no names for its answers: whatever comes between two requests must not reach the second.
    private func expectSilence(after active: ActiveTransfer) {
        var (version, socket) = (0, CURL_SOCKET_BAD)
        _ = weir_curl_get_long(active.easy, CURLINFO_HTTP_VERSION, &version)
        guard version == Int(CURL_HTTP_VERSION_1_1) || version == Int(CURL_HTTP_VERSION_1_0),
            weir_curl_get_socket(active.easy, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK, socket >= 0
        else { return }
        poller.expectSilence(socket)
    }

    /// Takes the transfer off curl in whatever state it is, returns its handle clean and lets the next one in.
    private func end(_ active: ActiveTransfer) {
        let transfer = active.transfer
        curl_multi_remove_handle(multi, active.easy)
        running[ObjectIdentifier(active)] = nil
        unflushed.removeAll { $0 === active }
        active.unpin()
        let pool = pool(for: transfer.endpoint)
        pool.giveBack(active.seat)
        curl_slist_free_all(transfer.headerLines)
        transfer.headerLines = nil
        transfer.active = nil
        startNext(in: pool)
        pool.publish()
    }

    private func startNext(in pool: ProviderPool) {
        if let next = pool.line.finishOne() {
            launch(next, in: pool)
            for piece in waitingPieces.removeValue(forKey: ObjectIdentifier(next)) ?? [] { feed(next, piece) }
        }
    }

    /// Pieces of streamed uploads that are still in the waiting line; bounded by each upload's credit.
    private var waitingPieces: [ObjectIdentifier: [ByteBuffer?]] = [:]

    private func sweepDeadlines() {
        guard now >= lastSweep.advanced(by: Self.sweepInterval) else { return }
        lastSweep = now
        for active in running.values {
            if let reason = active.deadlines.expired(at: now) { finish(active, failure: reason) }
        }
        for pool in pools.values {
            for transfer in pool.line.expire(now: now) {
                waitingPieces[ObjectIdentifier(transfer)] = nil
                refuse(transfer, .waitingTimeout, in: pool)
            }
            pool.publish()
        }
    }
}
